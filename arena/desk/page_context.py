"""Pages of the desk: what all of them show beside their own."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from arena.desk.queries.hiding import report_exposure
from arena.desk.queries.planning import plan_work
from arena.events.access import enrollment_of, is_member
from arena.events.lifecycle.transitions import check_readiness
from arena.events.models import Event, Membership

# The steps of the set-up that decide about the plan.
PAGES_WITH_PLAN = {"event", "questions", "controls", "seats"}


def render_desk(
    request: HttpRequest, template: str, event: Event, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Render a page of the desk, with the context that all of them share."""
    now, is_draft = timezone.now(), event.state == Event.State.DRAFT
    is_organizer = is_member(request.user, event, Membership.Role.ORGANIZER)
    shows_plan = is_organizer and not event.is_over() and template in PAGES_WITH_PLAN
    frame = {
        "event": event,
        "is_organizer": is_organizer,
        "may_decide": enrollment_of(request.user, event) is None,
        "is_staff_member": True,
        "plan": plan_work(event) if shows_plan else None,
        "checks": check_readiness(event, now) if is_draft else [],
        "exposure": report_exposure(event) if is_draft and is_organizer else None,
    }
    return render(request, f"desk/{template}.html", frame | context, status=status)

"""What every page of the desk shares: who may see it, and what is missing before opening."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from arena.desk.queries.planning import plan_work
from arena.errors import NotFoundError
from arena.events.access import Role, event_for, is_member
from arena.events.lifecycle.transitions import check_readiness
from arena.events.models import Event, Membership, Record
from arena.people.models import User

# The steps of the set-up that decide about the plan.
PAGES_WITH_PLAN = {"event", "questions", "controls", "seats"}


def get_desk_event(request: HttpRequest, slug: str, role: Role = Role.ORGANIZER) -> Event:
    """The event, for its organizers (or its reviewers too, where the page is theirs)."""
    return event_for(request.user, slug, role)


def render_desk(
    request: HttpRequest, template: str, event: Event, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Render a page of the desk, with the context that all of them share."""
    frame = {
        "event": event,
        "is_organizer": is_member(request.user, event, Membership.Role.ORGANIZER),
        "is_staff_member": True,
        "plan": plan_work(event) if not event.is_over() and template in PAGES_WITH_PLAN else None,
        "checks": check_readiness(event, timezone.now())
        if event.state == Event.State.DRAFT
        else [],
    }
    return render(request, f"desk/{template}.html", frame | context, status=status)


def get_record(event: Event, external_id: str) -> Record:
    """A record of this event by the organizer's own identifier."""
    named = event.records.filter(external_id=external_id).exclude(imported_at=None)
    found = named.select_related("event", "replaces").first()
    if found is None:
        raise NotFoundError
    return found


def get_reviewer(request: HttpRequest) -> User:
    """The signed-in user, who decides; every page here has checked their role before."""
    assert isinstance(request.user, User)
    return request.user


def parse_uuid(posted: QueryDict, name: str) -> UUID:
    """The UUID in a field of a form. Raises `NotFoundError` where there is none."""
    try:
        return UUID(posted.get(name, ""))
    except ValueError as error:
        raise NotFoundError from error

"""A decision that wants two people: what one has proposed, confirmed or declined by another."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from arena.desk.access import get_desk_event, get_reviewer
from arena.desk.carrying import carry
from arena.desk.page_context import render_desk
from arena.desk.queries.decisions import name_user
from arena.desk.queries.proposals import describe_proposal
from arena.errors import ArenaError, NotFoundError
from arena.events.access import Role
from arena.events.decision_record import name_staff
from arena.events.lifecycle.decisions import confirm, decline
from arena.events.lifecycle.phases import phase_of
from arena.events.models import Act, Proposal


@require_http_methods(["GET", "POST"])
def proposal(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """What is proposed, by whom and why; a second person answers, or its author withdraws it."""
    event = get_desk_event(request, slug, Role.DECIDER)
    named = Proposal.objects.filter(event=event, uuid=uuid)
    found = named.select_related("event", "proposed_by", "answered_by").first()
    if found is None:
        raise NotFoundError
    if request.method == "POST":
        try:
            answer(request, found)
        except ArenaError as error:
            messages.error(request, error.message)
            return redirect("desk:proposal", slug, uuid)
        return redirect("desk:review", slug)
    context = {
        "proposal": found,
        "details": describe_proposal(found),
        "by": f"{name_staff(event, found.proposed_by)} ({name_user(found.proposed_by)})".strip(),
        "answered_by": name_user(found.answered_by),
        "is_own": found.proposed_by == request.user,
        "is_waiting": found.state == Proposal.State.WAITING,
    }
    return render_desk(request, "proposal", event, context)


def answer(request: HttpRequest, found: Proposal) -> None:
    """Confirm or decline it, or take it back. Raises `ArenaError` where that cannot be."""
    user, now = get_reviewer(request), timezone.now()
    if request.POST.get("act") == "confirm":
        confirm(found, carry, by=user, now=now)
        moves_boards = found.act not in (Act.WINNER_CONFIRMED, Act.WINNER_WITHDRAWN)
        follow = phase_of(found.event, now).after_exclusion if moves_boards else ""
        messages.success(request, f"{_('Confirmed, and done.')} {follow}".strip())
        return
    decline(found, by=user, now=now)
    is_own = found.proposed_by == user
    messages.success(request, _("Withdrawn.") if is_own else _("Declined. Nothing was changed."))

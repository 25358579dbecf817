"""Confirming the winner: the top of the contributor board, reviewed, and one of them chosen."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from arena.confirming import Confirmation, ask_first
from arena.desk.access import get_desk_event
from arena.desk.carrying import PROPOSED, carry_or_propose, plan_winner
from arena.desk.consequences import describe_note, describe_winner
from arena.desk.page_context import render_desk
from arena.desk.queries.proposals import describe_proposal, describe_rule, find_proposals
from arena.errors import ArenaError, NotFoundError
from arena.events.decision_record import MAX_NOTE, Ruling
from arena.events.lifecycle.decisions import Plan
from arena.events.models import Act, Enrollment, Event
from arena.mail import sends_mail
from arena.people.models import User
from leaderboard.results.notices import confirmed_addresses, find_shortlisted, write_to_shortlisted
from leaderboard.results.winner import find_candidates, winner_of

MAX_LETTER = 2000


@require_http_methods(["GET", "POST"])
def winner(request: HttpRequest, slug: str) -> HttpResponse:
    """Review the top of the board; confirm one of them, or take that back."""
    event = get_desk_event(request, slug)
    if request.method == "POST":
        step = describe_step(request, event) if event.is_over() else None
        if question := ask_first(request, step, reverse("desk:winner", args=[slug])):
            return question
        try:
            handle_winner(request, event)
        except ArenaError as error:
            messages.error(request, error.message)
        return redirect("desk:winner", slug)
    over, target = event.is_over(), plan_winner(Act.WINNER_CONFIRMED).target
    proposal = find_proposals(event, target).get(target)
    context = {
        "is_over": over,
        "candidates": find_candidates(event) if over else [],
        "winner": winner_of(event),
        "proposal": proposal,
        "proposed": describe_proposal(proposal).contributor if proposal else None,
        "rule": describe_rule(event),
        "shortlist": measure_reach(event) if over else None,
    }
    return render_desk(request, "winner", event, context)


def describe_step(request: HttpRequest, event: Event) -> Confirmation | None:
    """The confirmation to ask for, if any: before naming a winner, and before sending a note."""
    act = request.POST.get("act")
    if act == "write" and parse_note(request):
        reach = measure_reach(event)
        return describe_note(reach["people"], reach["by_mail"] if reach["can_mail"] else 0)
    # What is only proposed can be withdrawn, and asks whoever confirms it.
    asks = act is None and not describe_rule(event).is_needed
    return describe_winner(find_contributor(request, event)) if asks else None


def parse_note(request: HttpRequest) -> str:
    """The note that was typed."""
    return request.POST.get("text", "").strip()[:MAX_LETTER]


def measure_reach(event: Event) -> dict[str, int]:
    """Whom a note to the shortlisted reaches, and how."""
    people = find_shortlisted(event)
    return {
        "people": len(people),
        "by_mail": len(confirmed_addresses(people)),
        "can_mail": sends_mail(),
    }


def send_note(request: HttpRequest, event: Event, by: User) -> None:
    """Send the note; says whom it reaches. Raises `ArenaError` where there is nothing to send."""
    text = parse_note(request)
    if not text or not event.is_over():
        raise ArenaError(_("Write the note first; it can be sent once the event is over."), "empty")
    written = write_to_shortlisted(event, text, by=by, now=timezone.now())
    reach = measure_reach(event)
    if reach["can_mail"]:
        said = _("People who see it on their next visit: %(people)s. Also by e-mail: %(mails)s.")
    else:
        said = _(
            "People who see it on their next visit: %(people)s. No e-mail was sent: this site "
            "has no mail server set up."
        )
    messages.success(request, said % {"people": len(written), "mails": reach["by_mail"]})


def handle_winner(request: HttpRequest, event: Event) -> None:
    """Confirm or take back, as the organizer said. Raises `ArenaError` where it cannot be."""
    assert isinstance(request.user, User)
    if request.POST.get("act") == "write":
        send_note(request, event, request.user)
        return
    note = request.POST.get("note", "")[:MAX_NOTE]
    ruling = Ruling(request.user, timezone.now(), note)
    is_back = request.POST.get("act") == "withdraw"
    plan = plan_winner(Act.WINNER_WITHDRAWN) if is_back else plan_confirmation(request, event)
    if carry_or_propose(event, plan, ruling):
        messages.info(request, PROPOSED)
    elif is_back:
        messages.success(request, _("The winner was withdrawn."))
    else:
        messages.success(request, _("The winner is confirmed and has a public page."))


def plan_confirmation(request: HttpRequest, event: Event) -> Plan:
    """Confirm the contributor whom the form names."""
    return plan_winner(Act.WINNER_CONFIRMED, find_contributor(request, event))


def find_contributor(request: HttpRequest, event: Event) -> Enrollment:
    """The contributor whom the form names; anybody else's event has nobody here."""
    try:
        public_id = UUID(request.POST.get("contributor", ""))
    except ValueError as error:
        raise NotFoundError from error
    enrollment = event.enrollments.filter(public_id=public_id).first()
    if enrollment is None:
        raise NotFoundError
    return enrollment

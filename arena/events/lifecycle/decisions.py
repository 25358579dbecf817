"""Which decisions take two people, and how the second one confirms.

Once an event is over, the grave decisions (a key, the winner, whoever is at the top) take two: one
proposes, another confirms, and neither judges in the event. Where the event has one person of
staff, and had one when it registered, that person decides alone, and the public is told at once.
The record itself: arena/events/decision_record.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.decision_record import MAX_NOTE, Ruling, check_note
from arena.events.models import Event, Membership, Proposal, Registration
from arena.people.accounts.identity import is_same_person
from arena.people.models import User

STAFF_ROLES = (Membership.Role.ORGANIZER, Membership.Role.REVIEWER)


class SecondPersonError(ConflictError):
    """This takes a second person: whoever asked may propose it."""

    def __init__(self) -> None:
        message = _("This takes two people now: one proposes it, another confirms it.")
        super().__init__(message, "second_person")


def count_staff(event: Event) -> int:
    """How many people may decide in this event: organizers and reviewers."""
    return event.memberships.filter(role__in=STAFF_ROLES).count()


def works_alone(event: Event) -> bool:
    """Whether one person decides alone: the event has one, and had one when it registered.

    Whoever removes the others later does not become alone by it.
    """
    if count_staff(event) != 1:
        return False
    registered = Registration.objects.filter(event=event).first()
    return registered is None or registered.has_one_person()


def require_second(event: Event, ruling: Ruling) -> bool:
    """Let a grave decision pass once the event is over only with two people; whether it is made by
    one alone, because the event has no other.

    Raises `SecondPersonError` where the second is missing, and `ConflictError` where that is not
    somebody else of the staff.
    """
    if not event.is_over() or ruling.by is None:
        return False
    first, second = ruling.by, ruling.confirmed_by
    require_impartial(event, first)
    if second is None:
        if works_alone(event):
            return True
        raise SecondPersonError
    if is_same_person(first, second):
        raise ConflictError(_("Somebody else has to confirm this."), "same_person")
    require_impartial(event, second)
    return False


def require_impartial(event: Event, user: User) -> None:
    """Raises `ConflictError` for whoever is not of the staff, or has judged in the event."""
    if not event.memberships.filter(user=user, role__in=STAFF_ROLES).exists():
        raise ConflictError(_("Only organizers and reviewers decide this."), "not_staff")
    if event.enrollments.filter(user=user).exists():
        message = _("You judge in this event, so others decide this.")
        raise ConflictError(message, "not_impartial")


@dataclass(frozen=True)
class Plan:
    """A decision to be carried out, now or once it is confirmed; payload: what that needs."""

    act: str
    target: str
    payload: dict[str, Any]


def propose(event: Event, plan: Plan, ruling: Ruling) -> Proposal:
    """Put a decision before a second person. Raises `ConflictError` where it is proposed already,
    and `ArenaError` where no reason is given."""
    assert ruling.by is not None
    check_note(ruling.note)
    require_impartial(event, ruling.by)
    try:
        # A second press on the button finds the first one's row.
        with transaction.atomic():
            return Proposal.objects.create(
                event=event,
                act=plan.act,
                target=plan.target,
                payload=plan.payload,
                note=ruling.note.strip()[:MAX_NOTE],
                seen=ruling.seen,
                proposed_at=ruling.now,
                proposed_by=ruling.by,
            )
    except IntegrityError as error:
        message = _("This is proposed already, and waits for a second person.")
        raise ConflictError(message, "already_proposed") from error


Carry = Callable[[Event, Plan, Ruling], None]


def confirm(proposal: Proposal, carry: Carry, *, by: User, now: datetime) -> None:
    """Confirm what somebody else has proposed, and carry it out.

    Raises `ConflictError` where it no longer waits, where it is one's own, or where it can no
    longer be done: then it goes on waiting.
    """
    if proposal.proposed_by is None:
        raise ConflictError(_("Whoever proposed this has left. Propose it anew."), "left")
    if is_same_person(proposal.proposed_by, by):
        raise ConflictError(_("Somebody else has to confirm this."), "same_person")
    plan = Plan(proposal.act, proposal.target, proposal.payload)
    ruling = Ruling(proposal.proposed_by, now, proposal.note, by, proposal.seen)
    # Closes the race of two who confirm, and keeps the answer with what follows from it.
    with transaction.atomic():
        answer_proposal(proposal, Proposal.State.CONFIRMED, by=by, now=now)
        carry(proposal.event, plan, ruling)


def decline(proposal: Proposal, *, by: User, now: datetime) -> None:
    """Decline what somebody has proposed, or take one's own proposal back. Raises `ConflictError`
    where it no longer waits."""
    is_own = proposal.proposed_by == by
    state = Proposal.State.WITHDRAWN if is_own else Proposal.State.DECLINED
    answer_proposal(proposal, state, by=by, now=now)


def answer_proposal(proposal: Proposal, state: str, *, by: User, now: datetime) -> None:
    """Answer a proposal, once."""
    waiting = Proposal.objects.waiting().filter(pk=proposal.pk)
    if not waiting.update(state=state, answered_by=by, answered_at=now):
        raise ConflictError(_("This has been answered already."), "already_answered")

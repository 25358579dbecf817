"""Becoming a contributor: with an account of one's own, an open seat, or a printed one."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from arena.errors import ArenaError, ConflictError, NotFoundError
from arena.events.access import enrollment_of, is_admitted, is_member
from arena.events.joining.invitations import use_up
from arena.events.joining.names import check_name_fits
from arena.events.joining.pseudonyms import pseudonym
from arena.events.joining.terms import agreed_terms
from arena.events.lifecycle.phases import phase_of
from arena.events.models import Enrollment, Event, Invitation, Membership, Terms
from arena.people.models import SeatPool, User
from arena.people.seats.claiming import (
    claim_open_seat,
    claim_printed_seat,
    get_printed_seat,
    retake_seat,
)
from arena.people.seats.provisioning import Slip, provision_seats

ATTEMPTS = 20
OFFICES = (Membership.Role.ORGANIZER, Membership.Role.REVIEWER)


@dataclass(frozen=True)
class Arrival:
    """Somebody who has just joined, and the code of their seat where one was made for them."""

    user: User
    enrollment: Enrollment
    code: str = ""


def join_event(user: User, event: Event, now: datetime, *, terms: int) -> Enrollment:
    """Enroll a signed-in user who accepts this version of the terms; idempotent.

    Raises `ArenaError` with the codes "own_event", "not_taking", "terms_changed", and
    `NotFoundError` where a private event does not let the user in.
    """
    check_may_join(user, event, now)
    agreed = agreed_terms(event, terms)
    retake_seat(user, now)
    return enroll(user, event, agreed, now)


def join_with_open_seat(
    event: Event, now: datetime, *, terms: int, invitation: Invitation | None = None
) -> Arrival:
    """Give a visitor an open seat and enroll it; the code is in the result and nowhere else.

    A private event wants an invitation, and one that wants approval wants an account first.
    Raises `LimitError` ("seats_full") where no seat is left.
    """
    if event.is_private and (invitation is None or event.needs_approval):
        raise NotFoundError
    check_takes(event, now)
    agreed = agreed_terms(event, terms)
    # The seat, its code, its enrollment and the use of the link arrive together or not at all.
    with transaction.atomic():
        if invitation is not None:
            use_up(invitation, now)
        seat, code = claim_open_seat(seat_pool(event), now)
        retire_enrollments(seat.user, now)
        enrollment = enroll(seat.user, event, agreed, now)
    return Arrival(seat.user, enrollment, code)


def join_with_printed_seat(token: str, event: Event, now: datetime, *, terms: int) -> Arrival:
    """Take the printed seat of a claim link and enroll it; the link works once.

    Raises `ConflictError` ("seat_taken") for everybody but the first.
    """
    if get_printed_seat(token).pool_id != event.seats_id:
        raise NotFoundError
    check_takes(event, now)
    agreed = agreed_terms(event, terms)
    # The seat and its enrollment arrive together: a failed joining leaves the link usable.
    with transaction.atomic():
        seat = claim_printed_seat(token, now)
        return Arrival(seat.user, enroll(seat.user, event, agreed, now))


def check_takes(event: Event, now: datetime) -> None:
    """Refuse where the event takes no contributors at this time."""
    if not event.takes_contributors(now):
        raise ConflictError(str(phase_of(event, now).refusal), "not_taking")


def check_not_own(user: User, event: Event) -> None:
    """Refuse organizers and reviewers."""
    if is_member(user, event, *OFFICES):
        raise ArenaError(
            "You help run this event, so you cannot judge in it.",
            "own_event",
        )


def check_may_join(user: User, event: Event, now: datetime) -> None:
    """Refuse organizers and reviewers, outsiders of a private event, everybody out of time, and
    newcomers whose name another contributor has."""
    check_not_own(user, event)
    check_takes(event, now)
    if enrollment_of(user, event) is not None:
        return
    if event.is_private and not has_way_in(user, event):
        raise NotFoundError
    check_name_fits(user, event)


def has_way_in(user: User, event: Event) -> bool:
    """Whether a private event lets this user become a contributor: admitted, or on its seats."""
    own_seat = event.seats is not None and event.seats.seats.filter(user=user).exists()
    return own_seat or is_admitted(user, event) or is_member(user, event)


def enroll(user: User, event: Event, terms: Terms, now: datetime) -> Enrollment:
    """The user's enrollment, made where there is none, under the terms just accepted."""
    for attempt in range(ATTEMPTS):
        existing = enrollment_of(user, event)
        if existing is not None:
            if existing.terms_id != terms.pk:
                existing.terms, existing.terms_at = terms, now
                existing.save(update_fields=["terms", "terms_at"])
            return existing
        public_id = uuid.uuid4()
        try:
            # Two requests of one user, or two people with one pseudonym: the unique constraints
            # let one through, and the next round finds the enrollment or draws another name.
            with transaction.atomic():
                return Enrollment.objects.create(
                    event=event,
                    user=user,
                    public_id=public_id,
                    pseudonym=pseudonym(event.secret, public_id, attempt),
                    joined_at=now,
                    terms=terms,
                    terms_at=now,
                )
        except IntegrityError:
            continue
    raise ConflictError("No pseudonym is left in this event.", "no_free_pseudonym")


def retire_enrollments(user: User, now: datetime) -> None:
    """The seat's earlier, unused claim takes part in nothing any more."""
    Enrollment.objects.filter(user=user).update(user=None, left_at=now)


def seat_pool(event: Event) -> SeatPool:
    """The event's seats; an event of another origin than the set-up gets its pool here."""
    if event.seats is None:
        # A second caller at once gets the same pool, by its unique name.
        pool, _ = SeatPool.objects.get_or_create(name=event.slug)
        event.seats = pool
        event.save(update_fields=["seats"])
    return event.seats


def provision(event: Event, count: int, kind: str, now: datetime) -> list[Slip]:
    """Make seats for an event; returns the slips of printed ones."""
    return provision_seats(seat_pool(event), count, kind, now)

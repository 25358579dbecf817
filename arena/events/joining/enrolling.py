"""Becoming a contributor: with an account of one's own, an open seat, or a printed one."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from arena.errors import ArenaError, ConflictError, NotFoundError
from arena.events.access import enrollment_of, is_admitted, is_member
from arena.events.joining.invitations import take_use
from arena.events.joining.names import check_name_free_in_event
from arena.events.joining.pseudonyms import make_pseudonym
from arena.events.joining.terms import accept_terms_version
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

MAX_PSEUDONYM_ATTEMPTS = 20
NON_JUDGING_ROLES = (Membership.Role.ORGANIZER, Membership.Role.REVIEWER)


@dataclass(frozen=True)
class JoinResult:
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
    agreed = accept_terms_version(event, terms)
    retake_seat(user, now)
    return enroll(user, event, agreed, now)


def join_with_open_seat(
    event: Event,
    now: datetime,
    *,
    terms: int,
    invitation: Invitation | None = None,
    place: str = "",
) -> JoinResult:
    """Give a visitor an open seat and enroll it; the code is in the result and nowhere else.

    A private event wants an invitation, and one that wants approval wants an account first;
    `place` is the token of the visitor's place in line, if they have waited.
    Raises `LimitError` ("seats_full") where no seat is left.
    """
    if event.is_private and (invitation is None or event.needs_approval):
        raise NotFoundError
    check_takes_contributors(event, now)
    agreed = accept_terms_version(event, terms)
    # The seat, its code, its enrollment and the use of the link arrive together or not at all.
    with transaction.atomic():
        if invitation is not None:
            take_use(invitation, now)
        seat, code = claim_open_seat(get_seat_pool(event), now, place)
        end_enrollments(seat.user, now)
        enrollment = enroll(seat.user, event, agreed, now)
    return JoinResult(seat.user, enrollment, code)


def join_with_printed_seat(token: str, event: Event, now: datetime, *, terms: int) -> JoinResult:
    """Take the printed seat of a claim link and enroll it; the link works once.

    Raises `ConflictError` ("seat_taken") for everybody but the first.
    """
    if get_printed_seat(token).pool_id != event.seats_id:
        raise NotFoundError
    check_takes_contributors(event, now)
    agreed = accept_terms_version(event, terms)
    # The seat and its enrollment arrive together: a failed joining leaves the link usable.
    with transaction.atomic():
        seat = claim_printed_seat(token, now)
        return JoinResult(seat.user, enroll(seat.user, event, agreed, now))


def check_takes_contributors(event: Event, now: datetime) -> None:
    """Refuse where the event takes no contributors at this time."""
    if not event.takes_contributors(now):
        raise ConflictError(str(phase_of(event, now).no_joining), "not_taking")


def check_is_not_staff(user: User, event: Event) -> None:
    """Refuse organizers and reviewers."""
    if is_member(user, event, *NON_JUDGING_ROLES):
        raise ArenaError(
            "You help run this event, so you cannot judge in it.",
            "own_event",
        )


def check_may_join(user: User, event: Event, now: datetime) -> None:
    """Refuse organizers and reviewers, outsiders of a private event, everybody out of time, and
    newcomers whose name another contributor has."""
    check_is_not_staff(user, event)
    check_takes_contributors(event, now)
    if enrollment_of(user, event) is not None:
        return
    if event.is_private and not is_allowed_in(user, event):
        raise NotFoundError
    check_name_free_in_event(user, event)


def is_allowed_in(user: User, event: Event) -> bool:
    """Whether a private event lets this user become a contributor: admitted, or on its seats."""
    own_seat = event.seats is not None and event.seats.seats.filter(user=user).exists()
    return own_seat or is_admitted(user, event) or is_member(user, event)


def enroll(user: User, event: Event, terms: Terms, now: datetime) -> Enrollment:
    """The user's enrollment, made where there is none, under the terms just accepted."""
    for attempt in range(MAX_PSEUDONYM_ATTEMPTS):
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
                    pseudonym=make_pseudonym(event.secret, public_id, attempt),
                    joined_at=now,
                    terms=terms,
                    terms_at=now,
                )
        except IntegrityError:
            continue
    raise ConflictError("No pseudonym is left in this event.", "no_free_pseudonym")


def end_enrollments(user: User, now: datetime) -> None:
    """End the enrollments of a seat that was claimed before and never used."""
    Enrollment.objects.filter(user=user).update(user=None, left_at=now)


def get_seat_pool(event: Event) -> SeatPool:
    """The event's seats; an event of another origin than the set-up gets its pool here."""
    if event.seats is None:
        # A second caller at once gets the same pool, by its unique name.
        pool, _ = SeatPool.objects.get_or_create(name=event.slug)
        event.seats = pool
        event.save(update_fields=["seats"])
    return event.seats


def provision_event_seats(event: Event, count: int, kind: str, now: datetime) -> list[Slip]:
    """Make seats for an event; returns the slips of printed ones."""
    return provision_seats(get_seat_pool(event), count, kind, now)

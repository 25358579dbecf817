"""Claiming a seat: by a click, by the link on a sheet, or by signing in with its code.

An open seat whose claim was never saved and never used returns to the pool with its code and
account unchanged: its holder can go on until the seat is claimed by somebody else. That replaces
the code, and with it ends every session of the earlier claim.
"""

from datetime import datetime
from enum import Enum

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from arena.errors import ConflictError, LimitError, NotFoundError
from arena.people.codes import draw_code, hash_token
from arena.people.hashers import hash_code
from arena.people.models import Seat, SeatPool, User
from arena.people.seats.waiting import leave_line, may_take_seat

MAX_ATTEMPTS = 5


class SeatAvailability(Enum):
    """Whether a pool has a seat for a visitor without an account, else why not."""

    FREE = "free"  # an open seat is free
    TAKEN = "taken"  # all open seats are taken
    PRINTED = "printed"  # printed seats only
    NONE = "none"  # no seats at all


UNAVAILABLE_MESSAGES = {
    SeatAvailability.TAKEN: _("Every open seat of this event is taken."),
    SeatAvailability.PRINTED: _(
        "This event has printed seats only, and they are handed out on paper."
    ),
    SeatAvailability.NONE: _("This event has no seats for visitors yet."),
}


def get_seat_availability(pool: SeatPool | None) -> SeatAvailability:
    """Whether a visitor would get a seat of this pool, else why not."""
    if pool is None:
        return SeatAvailability.NONE
    if pool.seats.open_unclaimed().exists():
        return SeatAvailability.FREE
    kinds = set(pool.seats.values_list("kind", flat=True).distinct())
    if Seat.Kind.OPEN in kinds:
        return SeatAvailability.TAKEN
    return SeatAvailability.PRINTED if kinds else SeatAvailability.NONE


def find_room(pool: SeatPool | None, now: datetime, token: str = "") -> SeatAvailability:
    """Whether this visitor would get a seat now; `token` names their place in line, if any."""
    room = get_seat_availability(pool)
    if room is SeatAvailability.FREE and pool and not may_take_seat(pool, now, token):
        return SeatAvailability.TAKEN
    return room


def claim_open_seat(pool: SeatPool, now: datetime, token: str = "") -> tuple[Seat, str]:
    """Claim a free open seat; returns it with its new code, which is never shown again.

    A seat that is kept for somebody in line is not free for others; `token` names this visitor's
    own place, which ends with the claim. Raises `LimitError` ("seats_full") if none is left.
    """
    for _attempt in range(MAX_ATTEMPTS):
        # The seat and its new code change together. Two claims of one seat: PostgreSQL hands each
        # transaction another row (SKIP LOCKED), and the row count of the update is the proof.
        with transaction.atomic():
            if pool.waiting.present(now).exists():
                # Closes the race of a newcomer with an offer: the line stands still meanwhile.
                SeatPool.objects.select_for_update().get(pk=pool.pk)
                if not may_take_seat(pool, now, token):
                    break
            seat = (
                Seat.objects.open_unclaimed()
                .filter(pool=pool)
                .order_by("returns", "pk")
                .select_for_update(skip_locked=True)
                .first()
            )
            if seat is None:
                break
            taken = Seat.objects.open_unclaimed().filter(pk=seat.pk)
            if taken.update(claimed_at=now, saved_at=None):
                code = draw_code()
                User.objects.filter(pk=seat.user_id).update(
                    password=hash_code(code), display_name="", last_login=None
                )
                if token:
                    leave_line(token)
                return Seat.objects.select_related("user").get(pk=seat.pk), code
    # If seats are free but others were faster at every attempt, they count as taken.
    room = get_seat_availability(pool)
    raise LimitError(
        str(
            UNAVAILABLE_MESSAGES[SeatAvailability.TAKEN if room is SeatAvailability.FREE else room]
        ),
        "seats_full",
    )


def get_printed_seat(token: str) -> Seat:
    """The printed seat of this link, claimed or not."""
    seat = Seat.objects.filter(link_hash=hash_token(token)).select_related("user", "pool").first()
    if seat is None:
        raise NotFoundError
    return seat


def claim_printed_seat(token: str, now: datetime) -> Seat:
    """Claim the printed seat of a link. The link works once; the code on the sheet stays valid.

    Raises `ConflictError` ("seat_taken") if it was claimed before.
    """
    unclaimed = Seat.objects.printed_unclaimed().filter(link_hash=hash_token(token))
    # Its holder has the code on paper: nothing is left to be saved.
    taken = unclaimed.update(claimed_at=now, saved_at=now)
    seat = get_printed_seat(token)
    if not taken:
        raise ConflictError(
            "This link has already been used. Sign in with the username and access code printed "
            "beside it.",
            "seat_taken",
        )
    return seat


def record_sign_in(user: User, now: datetime) -> None:
    """Record that a seat's holder signed in: the seat is claimed, and its code known to them.

    The database compares the password hash again. This closes the race with another visitor being
    given this seat between the check of the code and the sign-in.
    """
    Seat.objects.filter(user=user, user__password=user.password, saved_at=None).update(
        claimed_at=Coalesce(F("claimed_at"), Value(now)), saved_at=now
    )


def retake_seat(user: User, now: datetime) -> None:
    """Claim a seat again that has returned to the pool while its holder was away, if it is free.

    If somebody else has it, this user's session has ended already. Called on every judging page,
    so it reads before it writes.
    """
    returned = Seat.objects.filter(user=user, user__password=user.password, claimed_at=None)
    if returned.exists():
        # Closes the race with somebody who is given this seat now: its row is looked at again.
        returned.update(claimed_at=now)


def confirm_saved(user: User, now: datetime) -> None:
    """Record that the code is saved: the claim will not return to the pool."""
    Seat.objects.filter(user=user, saved_at=None).update(
        claimed_at=Coalesce(F("claimed_at"), Value(now)), saved_at=now
    )


def renew_code(user: User, now: datetime) -> str:
    """Create a new code for a signed-in user; the old code and other sessions end."""
    code = draw_code()
    # Both or neither: a claim without a known code would be lost.
    with transaction.atomic():
        Seat.objects.filter(user=user).update(claimed_at=Coalesce(F("claimed_at"), Value(now)))
        User.objects.filter(pk=user.pk).update(password=hash_code(code))
    return code

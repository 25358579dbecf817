"""Taking a seat: by a click, by the link on a sheet, or by signing in with its code.

An open seat whose claim was never saved and never used goes back to the pool with its code and
account as they are: whoever made that claim can go on as long as nobody else has been given the
seat. Giving it to somebody else replaces the code, and with it every session of the earlier claim.
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

MAX_ATTEMPTS = 5


class SeatAvailability(Enum):
    """What a pool has for a visitor without an account, and what is in the way."""

    FREE = "free"  # an open seat
    TAKEN = "taken"  # open seats, and every one of them is somebody's
    PRINTED = "printed"  # seats on paper only
    NONE = "none"  # no seats at all


UNAVAILABLE_MESSAGES = {
    SeatAvailability.TAKEN: _("Every open seat of this event is taken."),
    SeatAvailability.PRINTED: _(
        "This event has printed seats only, and they are handed out on paper."
    ),
    SeatAvailability.NONE: _("This event has no seats for visitors yet."),
}


def get_seat_availability(pool: SeatPool | None) -> SeatAvailability:
    """Whether a visitor would get a seat of this pool, and why not."""
    if pool is None:
        return SeatAvailability.NONE
    if pool.seats.open_unclaimed().exists():
        return SeatAvailability.FREE
    kinds = set(pool.seats.values_list("kind", flat=True).distinct())
    if Seat.Kind.OPEN in kinds:
        return SeatAvailability.TAKEN
    return SeatAvailability.PRINTED if kinds else SeatAvailability.NONE


def claim_open_seat(pool: SeatPool, now: datetime) -> tuple[Seat, str]:
    """Take a free open seat; its code is made now and never again shown in plain text.

    Raises `LimitError` ("seats_full") where none is left.
    """
    for _attempt in range(MAX_ATTEMPTS):
        # The seat and its new code change together. Two claims of one seat: PostgreSQL hands each
        # transaction another row (SKIP LOCKED), and the row count of the update is the proof.
        with transaction.atomic():
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
                return Seat.objects.select_related("user").get(pk=seat.pk), code
    # Where all were free and five others were faster each time, they are as good as taken.
    room = get_seat_availability(pool)
    raise LimitError(
        str(
            UNAVAILABLE_MESSAGES[SeatAvailability.TAKEN if room is SeatAvailability.FREE else room]
        ),
        "seats_full",
    )


def get_printed_seat(token: str) -> Seat:
    """The printed seat that this link belongs to, taken or not."""
    seat = Seat.objects.filter(link_hash=hash_token(token)).select_related("user", "pool").first()
    if seat is None:
        raise NotFoundError
    return seat


def claim_printed_seat(token: str, now: datetime) -> Seat:
    """Take the printed seat of a link. The link works once; the code on the sheet goes on working.

    Raises `ConflictError` ("seat_taken") for everybody but the first.
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
    """Signing in takes the seat, if it was free, and proves that its code is saved.

    The password is compared once more by the database: it closes the race with somebody who is
    given this seat between the check of the code and the sign-in.
    """
    Seat.objects.filter(user=user, user__password=user.password, saved_at=None).update(
        claimed_at=Coalesce(F("claimed_at"), Value(now)), saved_at=now
    )


def retake_seat(user: User, now: datetime) -> None:
    """A holder whose claim has come back to the pool goes on: take the seat again, if it is free.

    Where somebody else has been given it, this user's session is dead already. Asked for with
    every page of judging, so it looks before it writes.
    """
    returned = Seat.objects.filter(user=user, user__password=user.password, claimed_at=None)
    if returned.exists():
        # Closes the race with somebody who is given this seat now: its row is looked at again.
        returned.update(claimed_at=now)


def confirm_saved(user: User, now: datetime) -> None:
    """Somebody says that their code is saved: the claim of a seat will not return to the pool."""
    Seat.objects.filter(user=user, saved_at=None).update(
        claimed_at=Coalesce(F("claimed_at"), Value(now)), saved_at=now
    )


def renew_code(user: User, now: datetime) -> str:
    """A new code for somebody signed in; the old one and other sessions die."""
    code = draw_code()
    # Both or neither: a claim without a known code would be lost.
    with transaction.atomic():
        Seat.objects.filter(user=user).update(claimed_at=Coalesce(F("claimed_at"), Value(now)))
        User.objects.filter(pk=user.pk).update(password=hash_code(code))
    return code

"""Taking a seat: by a click, by the link on a sheet, or by signing in with its code.

An open seat whose claim was never saved and never used goes back to the pool with its code and
account as they are: whoever made that claim can go on as long as nobody else has been given the
seat. Giving it to somebody else replaces the code, and with it every session of the earlier claim.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce

from arena.errors import ConflictError, LimitError, NotFoundError
from arena.people.codes import draw_code, hash_token
from arena.people.hashers import hash_code
from arena.people.models import Seat, SeatPool, User

ATTEMPTS = 5


def claim_open_seat(pool: SeatPool, now: datetime) -> tuple[Seat, str]:
    """Take a free open seat; its code is made now and never again shown in plain text.

    Raises `LimitError` ("seats_full") where none is left.
    """
    for _ in range(ATTEMPTS):
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
    raise LimitError("Every seat of this event is taken.", "seats_full")


def printed_seat(token: str) -> Seat:
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
    seat = printed_seat(token)
    if not taken:
        raise ConflictError(
            "This link has been used. Sign in with the username and access code beside it.",
            "seat_taken",
        )
    return seat


def note_sign_in(user: User, now: datetime) -> None:
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


def confirm_saved(seat: Seat, now: datetime) -> None:
    """The holder says that the code is saved: the claim will not return to the pool."""
    Seat.objects.filter(pk=seat.pk, saved_at=None).update(
        claimed_at=Coalesce(F("claimed_at"), Value(now)), saved_at=now
    )


def renew_code(seat: Seat, now: datetime) -> str:
    """A new code for the signed-in holder of a seat; the old one and other sessions die."""
    code = draw_code()
    # Both or neither: a claim without a known code would be lost.
    with transaction.atomic():
        Seat.objects.filter(pk=seat.pk).update(claimed_at=Coalesce(F("claimed_at"), Value(now)))
        User.objects.filter(pk=seat.user_id).update(password=hash_code(code))
    return code

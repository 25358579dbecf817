"""Creating seats in bulk, and reissuing their codes."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from arena.errors import ConflictError
from arena.people.codes import draw_code, draw_token, hash_token
from arena.people.hashers import hash_code
from arena.people.models import Seat, SeatPool, User
from arena.people.username_words import ADJECTIVES, NOUNS, NUMBERS

BATCH_SIZE = 500
MAX_ATTEMPTS = 20


@dataclass(frozen=True)
class Slip:
    """The printed contents of one seat's slip, in plain text: stored nowhere else."""

    username: str
    code: str
    token: str


def provision_seats(pool: SeatPool, count: int, kind: str, now: datetime) -> list[Slip]:
    """Create `count` seats of a kind; returns the slips of printed ones (open ones have none yet).

    It works in batches, so that people can claim and judge meanwhile; an interrupted run leaves
    complete seats behind, whose codes can be reissued.
    """
    slips: list[Slip] = []
    for start in range(0, count, BATCH_SIZE):
        slips += provision_batch(pool, min(BATCH_SIZE, count - start), kind, now)
    return slips


def provision_batch(pool: SeatPool, count: int, kind: str, now: datetime) -> list[Slip]:
    """Create one batch of seats with their accounts."""
    printed = kind == Seat.Kind.PRINTED
    for _ in range(MAX_ATTEMPTS):
        names = draw_free_usernames(count)
        slips = [Slip(name, draw_code(), draw_token()) for name in names] if printed else []
        passwords = [hash_code(slip.code) for slip in slips] or [
            make_password(None) for _ in range(count)
        ]
        try:
            # An account and its seat come together: a name that another run took in between
            # breaks the batch as a whole, and the next attempt draws others.
            with transaction.atomic():
                users = User.objects.bulk_create(
                    User(username=name, password=password, date_joined=now)
                    for name, password in zip(names, passwords, strict=True)
                )
                hashes: list[str | None] = [hash_token(slip.token) for slip in slips]
                Seat.objects.bulk_create(
                    Seat(pool=pool, kind=kind, user=user, link_hash=link_hash)
                    for user, link_hash in zip(users, hashes or [None] * count, strict=True)
                )
        except IntegrityError:
            continue
        return slips
    raise ConflictError("Could not find free names for the seats.", "no_free_usernames")


def draw_free_usernames(count: int) -> list[str]:
    """Draw pronounceable usernames that no account has, such as `quiet-otter-417`."""
    names: set[str] = set()
    while len(names) < count:
        drawn = {draw_username() for _ in range(count - len(names))} - names
        names |= drawn - set(
            User.objects.filter(username__in=drawn).values_list("username", flat=True)
        )
    return sorted(names, key=lambda _: secrets.randbits(64))


def draw_username() -> str:
    """Draw one pronounceable username, which may be taken."""
    words = (secrets.choice(ADJECTIVES), secrets.choice(NOUNS), str(secrets.choice(NUMBERS)))
    return "-".join(words)


def reissue_code(seat: Seat) -> Slip:
    """Give a seat a new code; the old code, its link and all of its sessions end at once.

    The new slip leads to the same account, so judgments stay. A printed seat's new link works once,
    like the first.
    """
    slip = Slip(seat.user.username, draw_code(), "")
    # The code, the link and the claim belong together: closes the race with a claim by the old
    # link, which either comes before and is undone or finds the old link gone.
    with transaction.atomic():
        seat = Seat.objects.select_for_update().select_related("user").get(pk=seat.pk)
        if seat.kind == Seat.Kind.OPEN and seat.claimed_at is None:
            raise ConflictError("Nobody has taken this seat yet.", "seat_unclaimed")
        if seat.kind == Seat.Kind.PRINTED:
            slip = Slip(slip.username, slip.code, draw_token())
            Seat.objects.filter(pk=seat.pk).update(
                link_hash=hash_token(slip.token), claimed_at=None, saved_at=None
            )
        User.objects.filter(pk=seat.user_id).update(password=hash_code(slip.code))
    return slip


def reissue_unclaimed(pool: SeatPool) -> list[Slip]:
    """Give every unclaimed printed seat a new code and link; the old sheet becomes invalid."""
    slips: list[Slip] = []
    unclaimed = pool.seats.printed_unclaimed().order_by("pk").values_list("pk", flat=True)
    for keys in split_batches(list(unclaimed), BATCH_SIZE):
        # Closes the race with claims: a seat claimed meanwhile keeps its code.
        with transaction.atomic():
            seats = list(
                pool.seats.printed_unclaimed()
                .filter(pk__in=keys)
                .select_related("user")
                .select_for_update(of=("self",))
            )
            for seat in seats:
                slip = Slip(seat.user.username, draw_code(), draw_token())
                seat.link_hash = hash_token(slip.token)
                seat.user.password = hash_code(slip.code)
                slips.append(slip)
            Seat.objects.bulk_update(seats, ["link_hash"])
            User.objects.bulk_update([seat.user for seat in seats], ["password"])
    return slips


def split_batches(keys: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Split the keys into batches of at most `size`."""
    for start in range(0, len(keys), size):
        yield keys[start : start + size]

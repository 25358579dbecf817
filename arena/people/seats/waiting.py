"""The line of visitors who wait for an open seat, first come, first served.

A place in line is a random token in the visitor's session; of them nothing else is known. Whoever
looks at the page keeps their place, and a seat that becomes free is kept for the first of those who
are there. Nothing runs by itself: each look moves the line on.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from arena.people.codes import draw_token, hash_token
from arena.people.models import SeatPool, WaitingPlace

OFFER = timedelta(minutes=10)
"""How long a free seat is kept for the first in line."""


def join_line(pool: SeatPool, now: datetime) -> str:
    """Give a visitor the last place in line; returns the token that it is known by."""
    token = draw_token()
    pool.waiting.create(token_hash=hash_token(token), joined_at=now, seen_at=now)
    return token


def leave_line(token: str) -> None:
    """Give a place up, and with it the seat that was kept for it."""
    WaitingPlace.objects.filter(token_hash=hash_token(token)).delete()


def keep_place(pool: SeatPool, token: str, now: datetime) -> WaitingPlace | None:
    """The place of a visitor who looks at the page now; None if it has lapsed."""
    own = pool.waiting.in_line(now).filter(token_hash=hash_token(token))
    if not own.update(seen_at=now):
        return None
    place = own.get()
    if place.offered_until is None and not pool.seats.open_unclaimed().exists():
        return place
    advance_line(pool, now)
    return own.first()


def advance_line(pool: SeatPool, now: datetime) -> None:
    """Drop the places that have lapsed, and offer free seats to the first in line.

    A holder who comes back to a seat that had returned may take the one that was kept for somebody:
    the latest offers beyond what is free are withdrawn, and their places stay.
    """
    # Closes the race of two visitors who look at once: no seat is offered twice.
    with transaction.atomic():
        SeatPool.objects.select_for_update().get(pk=pool.pk)
        pool.waiting.exclude(pk__in=pool.waiting.in_line(now)).delete()
        free = pool.seats.open_unclaimed().count() - pool.waiting.offered(now).count()
        if free < 0:
            latest = pool.waiting.offered(now).order_by("-joined_at", "-pk")[:-free]
            too_many = list(latest.values_list("pk", flat=True))
            pool.waiting.filter(pk__in=too_many).update(offered_until=None, seen_at=now)
        there = pool.waiting.present(now).filter(offered_until=None).order_by("joined_at", "pk")
        first = list(there.values_list("pk", flat=True)[: max(free, 0)])
        pool.waiting.filter(pk__in=first).update(offered_until=now + OFFER)


def count_ahead(place: WaitingPlace, now: datetime) -> int:
    """How many are before this place in line."""
    earlier = Q(joined_at__lt=place.joined_at) | Q(joined_at=place.joined_at, pk__lt=place.pk)
    return place.pool.waiting.in_line(now).filter(earlier).count()


def may_take_seat(pool: SeatPool, now: datetime, token: str = "") -> bool:
    """Whether a visitor may take a seat that is free: it was offered to them, or is left beside
    those of everybody who waits."""
    own = pool.waiting.in_line(now).filter(token_hash=hash_token(token)) if token else None
    place = own.first() if own is not None else None
    if place is not None:
        return place.offered_until is not None
    waiting = pool.waiting.present(now).count()
    return not waiting or pool.seats.open_unclaimed().count() > waiting

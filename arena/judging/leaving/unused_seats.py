"""Returning unused claims of open seats to their pool."""

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db.models import Count, Exists, F, OuterRef, Q

from arena.events.models import Membership
from arena.judging.models import Judgment
from arena.people.hashers import AccessCodeHasher
from arena.people.models import Seat, SeatPool

UNUSED_AFTER = timedelta(hours=2)
UNUSED_AFTER_WHEN_SHORT = timedelta(minutes=20)
"""How long an unused claim is kept where fewer than one open seat in `SHORT_DIVISOR` is free.
`people/code.html` and `events/_no_room.html` name both."""
SHORT_DIVISOR = 10


def return_unused_seats(now: datetime) -> int:
    """Return claims that are old and were neither saved nor used; returns how many.

    Old is two hours, and 20 minutes where seats are short. The seat keeps its account and code
    until it is given to somebody else (`people.seats`). If its holder begins to judge before that,
    the seat is claimed again here; a judgment saved while the first statement runs is found by the
    next sweep.
    """
    seats = Seat.objects.filter(kind=Seat.Kind.OPEN, saved_at=None)
    seats.filter(build_in_use_filter(), claimed_at=None, returns__gt=0).update(claimed_at=now)
    short = Q(pool__in=find_short_pools(), claimed_at__lte=now - UNUSED_AFTER_WHEN_SHORT)
    old = Q(claimed_at__lte=now - UNUSED_AFTER)
    unused = seats.filter(short | old, ~build_in_use_filter())
    # Closes the race of two sweeps: a statement that waited for a row re-checks the row's own
    # columns, but not the conditions on other tables.
    due = seats.filter(pk__in=list(unused.values_list("pk", flat=True)))
    due = due.filter(claimed_at__lte=now - UNUSED_AFTER_WHEN_SHORT)
    return due.update(claimed_at=None, returns=F("returns") + 1)


def find_short_pools() -> list[int]:
    """Primary keys of pools in which fewer than one open seat in ten is free."""
    is_open = Q(seats__kind=Seat.Kind.OPEN)
    counted = SeatPool.objects.annotate(
        open=Count("seats", filter=is_open),
        free=Count("seats", filter=is_open & Q(seats__claimed_at=None)),
    )
    return list(counted.filter(open__gt=F("free") * SHORT_DIVISOR).values_list("pk", flat=True))


def build_in_use_filter() -> Q:
    """A filter for seats in use: with judgments, a membership, or another way to sign in."""
    user = OuterRef("user")
    return (
        Q(Exists(Judgment.objects.filter(enrollment__user=user)))
        | Q(Exists(Membership.objects.filter(user=user)))
        | Q(Exists(EmailAddress.objects.filter(user=user)))
        | Q(Exists(SocialAccount.objects.filter(user=user)))
        | ~Q(user__password__startswith=f"{AccessCodeHasher.algorithm}$")
    )

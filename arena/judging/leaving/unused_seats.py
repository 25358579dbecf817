"""Returning unused claims of open seats to their pool."""

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db.models import Exists, F, OuterRef, Q

from arena.events.models import Membership
from arena.judging.models import Judgment
from arena.people.hashers import AccessCodeHasher
from arena.people.models import Seat

UNUSED_AFTER = timedelta(hours=2)


def return_unused_seats(now: datetime) -> int:
    """Return claims that are two hours old and were neither saved nor used; returns how many.

    The seat keeps its account and code until it is given to somebody else (`people.seats`). If its
    holder begins to judge before that, the seat is claimed again here; a judgment saved while the
    first statement runs is found by the next sweep.
    """
    seats = Seat.objects.filter(kind=Seat.Kind.OPEN, saved_at=None)
    seats.filter(build_in_use_filter(), claimed_at=None, returns__gt=0).update(claimed_at=now)
    unused = seats.filter(~build_in_use_filter(), claimed_at__lte=now - UNUSED_AFTER)
    # Closes the race of two sweeps: a statement that waited for a row re-checks the row's own
    # columns, but not the conditions on other tables.
    due = seats.filter(pk__in=list(unused.values_list("pk", flat=True)))
    due = due.filter(claimed_at__lte=now - UNUSED_AFTER)
    return due.update(claimed_at=None, returns=F("returns") + 1)


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

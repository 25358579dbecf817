"""What is known of a contributor in a word: reads, does not read, unclear, or not rated.

By P(reads) and the 90% interval of R, from three controls on. Of eight simulated crowds of 1,000
(bench/trust_world.py), of those with three controls, 0.05% of the honest, 23% of random and all of
one-sided clickers do not read, and 77%, 0.5% and none read; the others are unclear.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import models
from django.db.models import Case as Choose
from django.db.models import F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from arena.events.models import Event
from arena.judging.models import Case
from leaderboard.models import Reliability, ReliabilityFit
from leaderboard.trust.reliability import LIMIT

MIN_CONTROLS = 3
"""Below, a contributor is not rated."""
MIN_JUDGMENTS = 20
"""The same where nobody has answered a control, so that all rests on agreement."""
MIN_READS, MIN_LOWER = 0.9, 0.5
"""Reads: P(reads) and the lower limit of R are at least this."""
MAX_READS, MAX_UPPER = 0.25, 0.5
"""Does not read: P(reads) and the upper limit of R are at most this."""


class ReadingState(models.IntegerChoices):
    """In the order in which a list has them."""

    DOES_NOT_READ = 1, _("Does not read")
    UNCLEAR = 2, _("Unclear")
    READS = 3, _("Reads")
    NOT_RATED = 4, _("Not rated")


def state_expression(event: Event, path: str = "") -> Choose:
    """A contributor's state in a query of an event's contributors or reliabilities; path: from
    there to the reliability, with its underscores."""
    has_controls = ReliabilityFit.objects.filter(event=event, controls__gt=0).exists()
    known = (
        Q(**{f"{path}controls__gte": MIN_CONTROLS})
        if has_controls
        else Q(**{f"{path}judgments__gte": MIN_JUDGMENTS})
    )
    reach = LIMIT * F(f"{path}overall_error")
    reads = Q(**{f"{path}reads__gte": MIN_READS, f"{path}overall__gte": MIN_LOWER + reach})
    clicks = Q(**{f"{path}reads__lte": MAX_READS, f"{path}overall__lte": MAX_UPPER - reach})
    return Choose(
        When(known & reads, then=Value(ReadingState.READS.value)),
        When(known & clicks, then=Value(ReadingState.DOES_NOT_READ.value)),
        When(known, then=Value(ReadingState.UNCLEAR.value)),
        default=Value(ReadingState.NOT_RATED.value),
        output_field=models.IntegerField(),
    )


@dataclass(frozen=True)
class Reviewed:
    """What staff see of a contributor on public pages; case: an open one, or None."""

    state: ReadingState
    case: UUID | None


def find_reviewed(event: Event, enrollments: Sequence[int]) -> dict[int, Reviewed]:
    """The states of these contributors and the first open case of each, by primary key."""
    named = Reliability.objects.filter(event=event, enrollment__in=enrollments)
    states = dict(named.annotate(state=state_expression(event)).values_list("enrollment", "state"))
    waiting = Case.objects.waiting().filter(event=event, enrollment__in=enrollments)
    cases = dict(waiting.order_by("-pk").values_list("enrollment", "uuid"))
    return {
        key: Reviewed(ReadingState(states.get(key, ReadingState.NOT_RATED)), cases.get(key))
        for key in enrollments
    }

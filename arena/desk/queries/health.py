"""The figures of the desk: how an event is doing, each with the list behind it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncHour

from arena.events.models import Control, Event, Matchup
from arena.judging.models import Answer, Assignment, Flag, Judgment
from arena.questions import KINDS

HOURS_SHOWN = 24


@dataclass(frozen=True)
class Health:
    """The figures of an event on the overview page of its desk."""

    judged: int
    last_hour: int
    # Contributors, and those who judged in the last hour; the excluded ones are in neither.
    enrolled: int
    active: int
    excluded: int
    # Judgments that ordinary matchups have and want.
    taken: int
    wanted: int
    leases: int
    flags: int
    controls: int
    control_judgments: int
    # Share of control answers that got full credit; null before the first.
    pass_rate: float | None
    hourly: list["HourlyCount"]

    @property
    def last_day(self) -> int:
        """Judgments of the last 24 hours."""
        return sum(hour.judgments for hour in self.hourly)

    @property
    def coverage(self) -> float:
        """The share of wanted judgments that are there, in per cent."""
        return 100 * self.taken / self.wanted if self.wanted else 0.0


@dataclass(frozen=True)
class HourlyCount:
    """Judgments in one hour, with the height of its bar in per cent of the tallest."""

    start: datetime
    judgments: int
    height: float


def measure_health(event: Event, now: datetime) -> Health:
    """The event's figures at this moment."""
    standing = Judgment.objects.standing().filter(event=event)
    counting = event.enrollments.not_excluded()
    recent = standing.filter(judged_at__gt=now - timedelta(hours=1))
    matchups = Matchup.objects.serving().filter(event=event)
    ordinary = matchups.filter(role=Matchup.Role.ORDINARY).aggregate(
        count=Count("pk"), open=Sum("open_slots")
    )
    wanted = ordinary["count"] * event.overlap
    # Slots that somebody holds are neither open nor filled.
    held = Assignment.objects.live().filter(matchup__in=matchups.filter(role=Matchup.Role.ORDINARY))
    credits = control_credits(event)
    return Health(
        judged=standing.count(),
        last_hour=recent.count(),
        enrolled=counting.count(),
        active=counting.filter(pk__in=recent.values("enrollment")).count(),
        excluded=event.enrollments.count() - counting.count(),
        taken=max(0, wanted - (ordinary["open"] or 0) - held.count()),
        wanted=wanted,
        leases=leases_of(event, now).count(),
        flags=open_flags(event).count(),
        controls=matchups.filter(role=Matchup.Role.CONTROL).count(),
        control_judgments=credits.total(),
        pass_rate=credits[1.0] / credits.total() if credits else None,
        hourly=hourly_judgments(event, now),
    )


def hourly_judgments(event: Event, now: datetime) -> list[HourlyCount]:
    """Judgments of the last 24 hours, hour by hour, empty ones included."""
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS_SHOWN - 1)
    judgments = Judgment.objects.standing().filter(event=event, judged_at__gte=first)
    counts = dict(
        judgments.annotate(hour=TruncHour("judged_at"))
        .values("hour")
        .annotate(count=Count("pk"))
        .values_list("hour", "count")
    )
    tallest = max(counts.values(), default=0) or 1
    hours = [first + timedelta(hours=index) for index in range(HOURS_SHOWN)]
    return [
        HourlyCount(hour, counts.get(hour, 0), 100 * counts.get(hour, 0) / tallest)
        for hour in hours
    ]


def leases_of(event: Event, now: datetime) -> QuerySet[Assignment]:
    """Assignments that are leased to somebody who may still answer them."""
    live = Assignment.objects.filter(
        state=Assignment.State.SHOWN, enrollment__event=event, lease_until__gt=now
    )
    return live if event.takes_answer(now) else live.none()


def open_flags(event: Event) -> QuerySet[Flag]:
    """Flags that nobody has resolved, the oldest first."""
    flags = Flag.objects.waiting().filter(assignment__enrollment__event=event)
    return flags.select_related("assignment__matchup__record", "assignment__enrollment").order_by(
        "created_at", "pk"
    )


def control_credits(event: Event, judgments: QuerySet[Judgment] | None = None) -> Counter[float]:
    """How often answers to controls got which credit: of these judgments, or of all that count."""
    return sum(credits_by_matchup(event, judgments).values(), Counter())


def credits_by_matchup(
    event: Event, judgments: QuerySet[Judgment] | None = None
) -> dict[int, Counter[float]]:
    """How often answers got which credit, for each control in force, by its matchup's primary
    key."""
    if judgments is None:
        judgments = Judgment.objects.counted().filter(event=event)
    kind = KINDS["preference"]
    in_force = Control.objects.filter(matchup__event=event, retired_at=None)
    answers = Answer.objects.filter(
        judgment__in=judgments,
        judgment__matchup__control__in=in_force,
        outcome__isnull=False,
    )
    keys = dict(in_force.values_list("matchup_id", "key"))
    outcomes = answers.values_list("judgment__matchup_id", "outcome").annotate(count=Count("pk"))
    credits: dict[int, Counter[float]] = {matchup: Counter() for matchup in keys}
    for matchup, outcome, count in outcomes.order_by():
        credit = kind.credit({"outcome": outcome}, keys[matchup])
        if credit is not None:
            credits[matchup][credit] += count
    return credits

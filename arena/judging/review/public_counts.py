"""What the public is told of exclusions, reinstatements and appeals, read from the database.

Days are those of the event's time zone. Decisions are the source; exclusions from before decisions
were recorded are counted from their own rows. Late answers are no decision: they are a line of
their own, once the event is over (arena/judging/receipts.py says why), and until then every number
includes them (`exclusions.count_public`). Which reasons are named: public_reasons.py.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncDate

from arena.events.lifecycle.registration.changes import list_decided_alone
from arena.events.models import Act, Decision, Event
from arena.judging.models import Appeal, Exclusion, Judgment
from arena.judging.models.appeals import ANSWER_PERIOD
from arena.judging.models.exclusions import ExclusionQuerySet
from arena.judging.review.public_reasons import (
    DayOfReason,
    Kind,
    ReasonLine,
    Tally,
    count_by_day,
    tell_reasons,
    tell_reasons_of_all_days,
)

LATE = Exclusion.Reason.LATE
REINSTATING = (Act.REINSTATED, Act.APPEAL_GRANTED)
NOTHING = Tally()


@dataclass(frozen=True)
class DayCounts:
    """Everything of one day, over all reasons."""

    day: date
    excluded: Tally = NOTHING
    reinstated: Tally = NOTHING
    appealed: Tally = NOTHING
    granted: Tally = NOTHING
    declined: Tally = NOTHING


@dataclass(frozen=True)
class AppealCounts:
    """Appeals as they stand; by_decider: answered by whoever had decided, for want of others."""

    open: int
    overdue: int
    granted: int
    declined: int
    by_decider: int


@dataclass(frozen=True)
class LoneDecision:
    """A decision that takes two people, made by one, because the event has no other."""

    made_at: datetime
    act: str
    reason: str

    @property
    def label(self) -> str:
        """What was decided, in words."""
        return str(Act(self.act).label)

    @property
    def reason_label(self) -> str:
        """Its reason in words; empty where it has none."""
        return str(dict(Exclusion.Reason.choices).get(self.reason, ""))


@dataclass(frozen=True)
class Source:
    """Rows of one kind of act, and the names of the columns that say when, of whom and why;
    judgments: of how many judgments."""

    found: QuerySet[Any]
    moment: str
    person: str
    reason: str
    judgments: F | Value


OF_DECISION = ("contributor", "reason", F("judgments"))
OF_APPEAL = ("enrollment", "decision__reason", Value(0))


@dataclass(frozen=True)
class OlderRows:
    """Exclusions that rest on no decision; by_day: empty for late answers."""

    kind: Kind
    by_reason: dict[str, Tally]
    by_day: dict[date, Tally]


@dataclass(frozen=True)
class ExclusionCounts:
    """All of it: days newest first, lines as they were told; in_force: what is excluded now."""

    in_force: Tally
    appeals: AppealCounts
    days: list[DayCounts]
    lines: list[ReasonLine]
    alone: list[LoneDecision]

    @property
    def is_empty(self) -> bool:
        """Whether nothing has happened that could be told."""
        return not (self.days or self.lines or self.alone)


def count_exclusions(event: Event, now: datetime) -> ExclusionCounts:
    """Everything that the public is told, in a fixed number of statements."""
    today, rows, older = now.astimezone(event.zone()).date(), read_days(event), read_older(event)
    told = [(kind, *tell_reasons(kind, rows[kind], today)) for kind in Kind]
    told += [(one.kind, *tell_reasons_of_all_days(one.kind, one.by_reason)) for one in older]
    lines = [line for _kind, named, _rest in told for line in named]
    others: dict[Kind, Tally] = defaultdict(Tally)
    for kind, _named, rest in told:
        others[kind] += rest
    lines += [ReasonLine(kind, "", rest) for kind, rest in others.items() if rest]
    by_day = [(kind, row.day, row.tally) for kind in Kind for row in rows[kind]]
    by_day += [(one.kind, day, tally) for one in older for day, tally in one.by_day.items()]
    return ExclusionCounts(
        in_force=count_in_force(event),
        appeals=count_appeals(event, now),
        days=add_up(by_day),
        lines=lines,
        alone=list_alone(event),
    )


def add_up(by_day: Iterable[tuple[Kind, date, Tally]]) -> list[DayCounts]:
    """What happened on each day on which something did, newest first."""
    days: dict[date, dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
    for kind, day, tally in by_day:
        days[day][kind.value] += tally
    return [DayCounts(day, **days[day]) for day in sorted(days, reverse=True)]


def read_days(event: Event) -> dict[Kind, list[DayOfReason]]:
    """What was decided and appealed: by kind, then by day and reason, oldest first."""
    decisions, appeals = Decision.objects.filter(event=event), Appeal.objects.filter(event=event)
    # That a late answer counts after all would tell that it was late: see `read_older`.
    decisions = decisions.exclude(reason=LATE)
    excluded, reinstated = decisions.filter(act=Act.EXCLUDED), decisions.filter(act__in=REINSTATING)
    granted, declined = (
        appeals.filter(state=state) for state in (Appeal.State.GRANTED, Appeal.State.DECLINED)
    )
    sources = {
        Kind.EXCLUDED: Source(excluded, "made_at", *OF_DECISION),
        Kind.REINSTATED: Source(reinstated, "made_at", *OF_DECISION),
        Kind.APPEALED: Source(appeals, "opened_at", *OF_APPEAL),
        Kind.GRANTED: Source(granted, "answered_at", *OF_APPEAL),
        Kind.DECLINED: Source(declined, "answered_at", *OF_APPEAL),
    }
    return {kind: read_rows(event, source) for kind, source in sources.items()}


def read_rows(event: Event, source: Source) -> list[DayOfReason]:
    """Acts of one kind by day and reason."""
    # By its index, and without a date function, which takes SQLite longest.
    acts = source.found.order_by(source.moment).values_list(
        source.moment, source.person, source.reason, source.judgments
    )
    zone = event.zone()
    return count_by_day(
        (at.astimezone(zone).date(), who, why or "", judgments)
        for at, who, why, judgments in acts.iterator(chunk_size=5_000)
    )


def read_older(event: Event) -> list[OlderRows]:
    """Exclusions from before decisions were recorded; and late answers, with those that count
    after all, once the event is over."""
    rows = select_undecided(event)
    lifted_now = Decision.objects.filter(
        event=event, act__in=REINSTATING, made_at=OuterRef("lifted_at")
    )
    decided = rows.exclude(reason=LATE)
    lifted = decided.filter(~Exists(lifted_now), lifted_at__isnull=False)
    older = [
        OlderRows(kind, tally_by(found, F("reason")), tally_by(found, day_of(event, moment)))
        for kind, found, moment in (
            (Kind.EXCLUDED, decided, "created_at"),
            (Kind.REINSTATED, lifted, "lifted_at"),
        )
    ]
    late = rows.filter(reason=LATE) if event.is_over() else rows.none()
    reinstated = late.filter(lifted_at__isnull=False)
    return [
        *older,
        OlderRows(Kind.EXCLUDED, tally_by(late, F("reason")), {}),
        OlderRows(Kind.REINSTATED, tally_by(reinstated, F("reason")), {}),
    ]


def select_undecided(event: Event) -> ExclusionQuerySet:
    """Exclusions without a decision, with `subject`, whose they are, and `named`, how many standing
    judgments they name."""
    standing = Judgment.objects.standing().filter(enrollment=OuterRef("enrollment"))
    theirs = standing.order_by().values("enrollment").annotate(n=Count("pk")).values("n")
    return Exclusion.objects.filter(event=event, decision=None).annotate(
        subject=Coalesce("enrollment", "judgment__enrollment"),
        named=Case(
            When(enrollment=None, then=Value(1)),
            default=Coalesce(Subquery(theirs), 0),
            output_field=IntegerField(),
        ),
    )


def day_of(event: Event, moment: str) -> TruncDate:
    """The day of a moment in the event's time zone."""
    return TruncDate(moment, tzinfo=event.zone())


def tally_by(rows: QuerySet[Exclusion], group: Any) -> dict[Any, Tally]:
    """Exclusions by what `group` says of each."""
    found = rows.order_by().annotate(grouped=group).values("grouped")
    counted = found.annotate(
        judgments=Coalesce(Sum("named"), 0), people=Count("subject", distinct=True)
    )
    return {row["grouped"]: Tally(row["judgments"], row["people"]) for row in counted}


def count_in_force(event: Event) -> Tally:
    """What is excluded now, late answers apart."""
    in_force = Exclusion.objects.in_force()
    resting = in_force.filter(decision=OuterRef("pk"))
    decided = Decision.objects.filter(Exists(resting), event=event, act=Act.EXCLUDED)
    counted = decided.aggregate(
        judgments=Coalesce(Sum("judgments"), 0), people=Count("contributor", distinct=True)
    )
    older = tally_by(select_undecided(event).in_force().exclude(reason=LATE), Value(0))
    return sum(older.values(), Tally(counted["judgments"], counted["people"]))


def count_appeals(event: Event, now: datetime) -> AppealCounts:
    """The event's appeals as they stand."""
    is_open, state = Q(state=Appeal.State.OPEN), Appeal.State
    return AppealCounts(
        **Appeal.objects.filter(event=event).aggregate(
            open=Count("pk", filter=is_open),
            overdue=Count("pk", filter=is_open & Q(opened_at__lte=now - ANSWER_PERIOD)),
            granted=Count("pk", filter=Q(state=state.GRANTED)),
            declined=Count("pk", filter=Q(state=state.DECLINED)),
            by_decider=Count("pk", filter=Q(is_answered_by_decider=True)),
        )
    )


def list_alone(event: Event) -> list[LoneDecision]:
    """Decisions of one person that take two, newest first: told with their reason at once, since
    that is what watches over somebody who decides alone."""
    alone = list_decided_alone(event).values_list("made_at", "act", "reason")
    return [LoneDecision(*row) for row in alone]

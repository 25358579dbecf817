"""How contributors answer beside what they answer: pace, device events and sides, as hints.

A hint sorts a queue and never decides: nothing here excludes anybody or changes a number. Where
something was not measured (no JavaScript, an earlier page, a switched-off setting) or is too little
to say anything, there is no hint, and that there is none says nothing about a person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import exp, sqrt
from statistics import NormalDist, median, quantiles
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Case, Count, F, Q, QuerySet, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from arena.events.models import Enrollment, Event, Question
from arena.judging.behaviour import Behaviour, read_code
from arena.judging.models import Answer, Assignment, Judgment
from arena.model_rows import open_cursor

# Standard deviations below the event's mean log time at which answers are hinted at as fast.
PACE_DEVIATIONS = 3.0
# With fewer answers of one's own, or fewer other people, a pace says nothing.
MIN_ANSWERS_FOR_PACE = 10
MIN_OTHERS_FOR_PACE = 5
# Times outside of these seconds count as the nearer of them: a page may be left open.
SECONDS_BOUNDS = (0.1, 3600.0)
# One-sided: the interval of the share of left at this confidence leaves out one half.
SIDES_CONFIDENCE = 0.999

SECONDS_SQL = {
    "postgresql": "LEAST(GREATEST(CAST(EXTRACT(EPOCH FROM judgment.judged_at - assignment.shown_at)"
    " AS double precision), {0}), {1})",
    "sqlite": "MIN(MAX((julianday(judgment.judged_at) - julianday(assignment.shown_at)) * 86400.0,"
    " {0}), {1})",
}
# One row for each contributor who has answered here. Index judgment_ledger_once (event), then
# primary keys. Imported judgments have no assignment, and machines no pace of a person's.
PACE_SQL = """
WITH timed AS (
  SELECT judgment.enrollment_id, assignment.behaviour AS code, LN({seconds}) AS pace
  FROM judging_judgment judgment
  JOIN judging_assignment assignment ON assignment.id = judgment.assignment_id
  WHERE judgment.event_id = %s AND judgment.revision = 0
    AND judgment.origin IN ('screen', 'simulated')
    AND judgment.judged_at IS NOT NULL AND assignment.shown_at IS NOT NULL),
placed AS (
  SELECT enrollment_id, code, pace,
    ROW_NUMBER() OVER (PARTITION BY enrollment_id ORDER BY pace) AS place,
    COUNT(*) OVER (PARTITION BY enrollment_id) AS answers
  FROM timed)
SELECT enrollment_id, COUNT(*), SUM(pace), SUM(pace * pace),
  AVG(CASE WHEN place IN ((answers + 1) / 2, (answers + 2) / 2) THEN pace END),
  COUNT(code),
  SUM(CASE WHEN SUBSTR(code, 3, 1) <> '0' THEN 1 ELSE 0 END),
  SUM(CASE WHEN SUBSTR(code, 4, 1) <> '0' THEN 1 ELSE 0 END),
  SUM(CASE WHEN SUBSTR(code, 1, 2) = '00' THEN 1 ELSE 0 END)
FROM placed GROUP BY enrollment_id
"""


@dataclass(frozen=True)
class ErrorRate:
    """The share of honest people to whom a hint is given, and how that is known."""

    share: float
    measured: str | Promise

    @property
    def percent(self) -> float:
        """The share, in per cent."""
        return 100 * self.share


@dataclass(frozen=True)
class Hint:
    """A reason to look at a contributor sooner. `error` is None where nobody has measured it."""

    name: str
    error: ErrorRate | None


# `tests/judging/test_behaviour.py` counts the share out again.
SIDES_ERROR = ErrorRate(
    0.0014,
    _(
        "That is the most for people without any lean, counted out for each number of answers up to"
        " 2,000; a mild habit of one side makes it more."
    ),
)
PACE_HINT = Hint("pace", None)
SIDES_HINT = Hint("one_sided", SIDES_ERROR)


@dataclass(frozen=True)
class Pace:
    """Times from shown to answered, on the server's clock; each judgment's first answer alone."""

    answers: int
    # Natural-log seconds: their sum and that of their squares, and the median.
    total: float
    squares: float
    median_log: float

    @property
    def mean(self) -> float:
        """Mean log seconds."""
        return self.total / self.answers

    @property
    def spread(self) -> float:
        """Standard deviation of log seconds; 0 of one answer."""
        return sqrt(max(0.0, self.squares / self.answers - self.mean**2))

    @property
    def median(self) -> float:
        """The median in seconds."""
        return exp(self.median_log)


@dataclass(frozen=True)
class CrowdPace:
    """The pace of everybody who answers in the event; each person weighs alike."""

    people: int
    # Median seconds of a person: the fastest twentieth and quarter of people are below the first
    # two, half below the third, and so on.
    low: float
    quarter: float
    half: float
    three_quarters: float
    high: float


@dataclass(frozen=True)
class DeviceEvents:
    """Answers that came with a summary of how they were given, and how many of them had what."""

    answers: int
    with_paste: int
    with_focus_lost: int
    without_key_or_pointer: int

    @property
    def paste_share(self) -> float:
        """The share with a paste, in per cent."""
        return 100 * self.with_paste / self.answers

    @property
    def focus_share(self) -> float:
        """The share in which the page lost the focus, in per cent."""
        return 100 * self.with_focus_lost / self.answers

    @property
    def silent_share(self) -> float:
        """The share without any key or pointer event, in per cent."""
        return 100 * self.without_key_or_pointer / self.answers


@dataclass(frozen=True)
class PageTimes:
    """Medians of what the pages of one person saw, in seconds and counts."""

    until_first_event: float
    until_submitted: float
    hidden: float
    keys: float
    pointers: float


@dataclass(frozen=True)
class Sides:
    """Standing answers for a side, ties left out, and Wilson's interval of the share of left."""

    answers: int
    left: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share of left."""
        return self.left / self.answers

    @property
    def percents(self) -> tuple[float, float, float]:
        """The share and its interval, in per cent."""
        return 100 * self.share, 100 * self.low, 100 * self.high

    @property
    def is_one_sided(self) -> bool:
        """Whether the interval leaves out one half."""
        return not self.low <= 0.5 <= self.high


@dataclass(frozen=True)
class BehaviourSummary:
    """What is known of how one contributor answers; each part is None where nothing is."""

    # None where the event does not keep it, too.
    pace: Pace | None = None
    crowd: CrowdPace | None = None
    devices: DeviceEvents | None = None
    # None on a list as well: read for one person at a time.
    page_times: PageTimes | None = None
    sides: Sides | None = None
    pace_hint: Hint | None = None
    one_sided_hint: Hint | None = None

    @property
    def hints(self) -> list[Hint]:
        """The hints there are."""
        return [hint for hint in (self.pace_hint, self.one_sided_hint) if hint is not None]


def summarize_behaviour(enrollment: Enrollment) -> BehaviourSummary:
    """One contributor beside the event's crowd, in three statements."""
    event = enrollment.event
    found = summarize(event, Answer.objects.filter(judgment__enrollment=enrollment))
    summary = found.get(enrollment.pk, BehaviourSummary())
    if summary.devices is None:
        return summary
    return replace(summary, page_times=read_page_times(enrollment))


def behaviour_of_event(event: Event) -> dict[int, BehaviourSummary]:
    """Everybody who has answered in the event, by the enrollment's primary key: two statements."""
    return summarize(event, Answer.objects.filter(judgment__event=event))


def summarize(event: Event, answers: QuerySet[Answer]) -> dict[int, BehaviourSummary]:
    """Summaries by enrollment; sides of those whose answers these are."""
    rows = read_pace_rows(event) if event.keeps_behaviour else []
    paces = {row[0]: Pace(*row[1:5]) for row in rows}
    devices = {row[0]: DeviceEvents(*row[5:]) for row in rows if row[5]}
    crowd, hinted = describe_crowd(paces.values()), find_fast(paces)
    sides = count_sides(event, answers)
    return {
        pk: BehaviourSummary(
            pace=paces.get(pk),
            crowd=crowd,
            devices=devices.get(pk),
            sides=sides.get(pk),
            pace_hint=PACE_HINT if pk in hinted else None,
            one_sided_hint=SIDES_HINT if pk in sides and sides[pk].is_one_sided else None,
        )
        for pk in paces | sides
    }


def read_pace_rows(event: Event) -> list[tuple[Any, ...]]:
    """Rows of `PACE_SQL`."""
    seconds = SECONDS_SQL[connection.vendor].format(*SECONDS_BOUNDS)
    with open_cursor() as cursor:
        cursor.execute(PACE_SQL.format(seconds=seconds), [event.pk])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def describe_crowd(paces: Iterable[Pace]) -> CrowdPace | None:
    """Quantiles of people's median times; None where there are too few people."""
    medians = [pace.median for pace in paces]
    if len(medians) <= MIN_OTHERS_FOR_PACE:
        return None
    cuts = quantiles(medians, n=20, method="inclusive")
    return CrowdPace(len(medians), *(cuts[place - 1] for place in (1, 5, 10, 15, 19)))


def find_fast(paces: Mapping[int, Pace]) -> set[int]:
    """Those whose mean log time is more than three deviations below that of the others.

    The deviation is that of single answers, Σ_p E_p[(x - m)²] / P over the other people p, each of
    whom weighs alike: neither one's own answers nor anybody's volume set the pace. Many who are
    fast widen the deviation and hide one another; the crowd's quantiles still show them.
    """
    means = sum(pace.mean for pace in paces.values())
    squares = sum(pace.squares / pace.answers for pace in paces.values())
    others = len(paces) - 1
    if others < MIN_OTHERS_FOR_PACE:
        return set()
    found = set()
    for pk, pace in paces.items():
        mean = (means - pace.mean) / others
        spread = sqrt(max(0.0, (squares - pace.squares / pace.answers) / others - mean**2))
        is_fast = pace.mean < mean - PACE_DEVIATIONS * spread
        if is_fast and pace.answers >= MIN_ANSWERS_FOR_PACE:
            found.add(pk)
    return found


def count_sides(event: Event, answers: QuerySet[Answer]) -> dict[int, Sides]:
    """Sides taken in these answers to the event's first preference, where it is known which
    response stood left, by enrollment."""
    first = Question.objects.filter(event=event, kind="preference").order_by("position")
    standing = Judgment.objects.standing().filter(event=event)
    taken = answers.filter(
        judgment__in=standing, question__in=first.values("pk")[:1], first_on_left__isnull=False
    ).exclude(outcome=0)
    prefers_first = Case(When(outcome__gt=0, then=True), default=False, output_field=BooleanField())
    rows = (
        taken.annotate(prefers_first=prefers_first)
        .values("judgment__enrollment")
        .annotate(answers=Count("pk"), left=Count("pk", filter=Q(first_on_left=F("prefers_first"))))
        .order_by()
    )
    return {
        row["judgment__enrollment"]: Sides(
            row["answers"], row["left"], *estimate_share(row["left"], row["answers"])
        )
        for row in rows
    }


def estimate_share(count: int, total: int) -> tuple[float, float]:
    """Wilson's interval of a share at `SIDES_CONFIDENCE`.

    (p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n). Source: E. B. Wilson, JASA 22 (1927),
    209-212.
    """
    z = NormalDist().inv_cdf((1 + SIDES_CONFIDENCE) / 2)
    share, squared = count / total, z * z / total
    middle = (share + squared / 2) / (1 + squared)
    half = z * sqrt(share * (1 - share) / total + squared / (4 * total)) / (1 + squared)
    return middle - half, middle + half


def read_page_times(enrollment: Enrollment) -> PageTimes | None:
    """Medians over the summaries of one contributor; None where there are none."""
    mine = Assignment.objects.filter(enrollment=enrollment, behaviour__isnull=False)
    codes = mine.values_list("behaviour", flat=True)
    read: list[Behaviour] = [read_code(code) for code in codes if code]
    if not read:
        return None
    return PageTimes(
        until_first_event=median(each.first_seconds for each in read),
        until_submitted=median(each.total_seconds for each in read),
        hidden=median(each.hidden_seconds for each in read),
        keys=median(each.keys for each in read),
        pointers=median(each.pointers for each in read),
    )

"""How a contributor answers beside the crowd: sides, ties, pace, and when."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import pairwise

from django.db.models import Count, Q, Sum
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from arena.desk.queries.case_charts import (
    TimelineBar,
    draw_crowd_bars,
    draw_share,
    draw_timeline,
)
from arena.desk.queries.evidence import ControlAnswer
from arena.events.models import Enrollment
from arena.judging.models import Exclusion, Judgment
from leaderboard.models import Reliability

PACE_BOUNDS = (2, 5, 10, 20, 40, 80)
"""Seconds between the bins of pace."""
SIDES = (
    ("left", lazy("Left is better")),
    ("ties", lazy("Tie")),
    ("right", lazy("Right is better")),
)
MAX_HOURS, MAX_DAYS = 48, 62
"""A timeline is by the hour up to so many hours, by the day up to so many days, else by the
week."""


@dataclass(frozen=True)
class SideShare:
    """How often they and all others choose a side, or neither."""

    name: str | Promise
    count: int
    own: float
    crowd: float
    chart: SafeString


@dataclass(frozen=True)
class PaceBin:
    """How many people answer typically in so many seconds, and whether they are among them."""

    name: str
    people: int
    is_own: bool


@dataclass(frozen=True)
class PacePlot:
    """Everybody by their typical seconds an answer. seconds: theirs; slower: share of the others
    who are slower, None without others."""

    chart: SafeString
    bins: list[PaceBin]
    seconds: float
    slower: float | None


@dataclass(frozen=True)
class TimelineRow:
    """A bin of a timeline with what happened in it, in words."""

    when: str
    bar: TimelineBar
    exclusions: list[str]


@dataclass(frozen=True)
class CaseTimeline:
    """Their judgments over time. unit: hour, day or week; rows: the bins that are not empty;
    unknown: judgments without a time."""

    unit: str
    chart: SafeString
    rows: list[TimelineRow]
    unknown: int


def compare_sides(enrollment: Enrollment, known: Reliability | None) -> list[SideShare]:
    """Shares of left, ties and right beside those of all others; empty where sides are unknown."""
    if known is None:
        return []
    names = [name for name, _label in SIDES]
    others = Reliability.objects.filter(event=enrollment.event_id).exclude(pk=known.pk)
    sums = others.aggregate(**{name: Sum(name) for name in names})
    own = [int(getattr(known, name)) for name in names]
    crowd = [int(sums[name] or 0) for name in names]
    if not sum(own) or not sum(crowd):
        return []
    return [
        SideShare(
            label,
            count,
            count / sum(own),
            theirs / sum(crowd),
            draw_share(count / sum(own), theirs / sum(crowd)),
        )
        for (_name, label), count, theirs in zip(SIDES, own, crowd, strict=True)
    ]


def compare_pace(enrollment: Enrollment, known: Reliability | None) -> PacePlot | None:
    """Their typical seconds among everybody's; None where they are unknown."""
    if known is None or known.pace is None:
        return None
    cuts = [math.log(bound) for bound in PACE_BOUNDS]
    below = {
        f"below{bound}": Count("pk", filter=Q(pace__lt=math.log(bound))) for bound in PACE_BOUNDS
    }
    others = Count("pk", filter=~Q(pk=known.pk))
    slower = Count("pk", filter=Q(pace__gt=known.pace) & ~Q(pk=known.pk))
    timed = Reliability.objects.filter(event=enrollment.event_id, pace__isnull=False)
    found = timed.aggregate(**below, all=Count("pk"), others=others, slower=slower)
    steps = [0, *(found[name] for name in below), found["all"]]
    counts = [high - low for low, high in pairwise(steps)]
    own = sum(known.pace >= cut for cut in cuts)
    names = name_pace_bins()
    return PacePlot(
        draw_crowd_bars(counts, own, [_("%(n)s s") % {"n": bound} for bound in PACE_BOUNDS]),
        [PaceBin(name, n, i == own) for i, (name, n) in enumerate(zip(names, counts, strict=True))],
        math.exp(known.pace),
        found["slower"] / found["others"] if found["others"] else None,
    )


def name_pace_bins() -> list[str]:
    """What to call the bins."""
    first, last = PACE_BOUNDS[0], PACE_BOUNDS[-1]
    between = _("%(low)s to %(high)s s")
    return [
        _("under %(n)s s") % {"n": first},
        *(between % {"low": low, "high": high} for low, high in pairwise(PACE_BOUNDS)),
        _("%(n)s s and more") % {"n": last},
    ]


def view_timeline(enrollment: Enrollment, controls: Sequence[ControlAnswer]) -> CaseTimeline | None:
    """Their judgments over time, with controls and exclusions; None without any known time."""
    judged = Judgment.objects.standing().filter(enrollment=enrollment)
    times = list(judged.values_list("judged_at", flat=True))
    known = sorted(moment for moment in times if moment is not None)
    if not known:
        return None
    event = enrollment.event
    bins = list(make_bins(known[0], known[-1], event.zone()))
    unit = bins[0].unit

    def count(moments: Iterable[datetime | None]) -> list[int]:
        counts = [0] * len(bins)
        for moment in moments:
            if moment is not None:
                counts[find_bin(bins, moment)] += 1
        return counts

    excluded = list_exclusions(enrollment)
    bars = [
        TimelineBar(*numbers)
        for numbers in zip(
            count(known),
            count(one.said.judged_at for one in controls if one.passed),
            count(one.said.judged_at for one in controls if not one.passed),
            count(moment for moment, _words in excluded),
            strict=True,
        )
    ]
    named: list[list[str]] = [[] for _bin in bins]
    for moment, words in excluded:
        named[find_bin(bins, moment)].append(words)
    rows = [
        TimelineRow(one.name, bar, words)
        for one, bar, words in zip(bins, bars, named, strict=True)
        if bar.judgments or words
    ]
    last = len(bins) - 1
    labels = [((i + 0.5) / len(bins), bins[i].short) for i in sorted({0, last // 2, last})]
    return CaseTimeline(unit, draw_timeline(bars, labels), rows, len(times) - len(known))


def list_exclusions(enrollment: Enrollment) -> list[tuple[datetime, str]]:
    """When exclusions began and ended, of them as a whole and of single judgments, in words."""
    found = []
    for exclusion in enrollment.exclusions.order_by("created_at", "pk"):
        reason = {"reason": exclusion.get_reason_display()}
        found.append((exclusion.created_at, _("excluded: %(reason)s") % reason))
        if exclusion.lifted_at is not None:
            found.append((exclusion.lifted_at, _("reinstated")))
    single = Exclusion.objects.filter(judgment__enrollment=enrollment).order_by()
    for begun, number in single.values_list("created_at").annotate(n=Count("pk")):
        words = ngettext("%(n)s judgment excluded", "%(n)s judgments excluded", number)
        found.append((begun, words % {"n": number}))
    return sorted(found)


@dataclass(frozen=True)
class TimeBin:
    """A stretch of time that begins here, in the event's zone."""

    unit: str
    start: datetime
    name: str
    short: str


def make_bins(first: datetime, last: datetime, zone: tzinfo) -> Iterator[TimeBin]:
    """Hours, days or weeks from the first moment to the last."""
    if last - first <= timedelta(hours=MAX_HOURS):
        start = first.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        while start <= last:
            yield TimeBin("hour", start, date_format(start, "j M, H:i"), date_format(start, "H:i"))
            # In absolute time: an hour is one also where clocks change.
            start = (start.astimezone(UTC) + timedelta(hours=1)).astimezone(zone)
        return
    unit, days = ("day", 1) if last - first <= timedelta(days=MAX_DAYS) else ("week", 7)
    day = first.astimezone(zone).date()
    while day <= last.astimezone(zone).date():
        start = datetime.combine(day, time(), zone)
        yield TimeBin(unit, start, date_format(day, "j M Y"), date_format(day, "j M"))
        day += timedelta(days=days)


def find_bin(bins: Sequence[TimeBin], moment: datetime) -> int:
    """The bin of a moment; of one outside, the nearest."""
    return max(bisect_right(bins, moment, key=lambda one: one.start) - 1, 0)

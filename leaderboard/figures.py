"""The figures below the board: head-to-head, votes over time, rating over time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.utils.formats import date_format
from django.utils.safestring import SafeString

from arena.events.models import Event
from leaderboard.charts import Line, bars, lines
from leaderboard.models import Rating, Snapshot
from leaderboard.presenting import Choice, Row, Table, as_points, pairs_of
from leaderboard.ratings.bradley_terry import win_probability

SHOWN = 16
"""Models in the head-to-head table, unless all are asked for."""
SHADES = 10
CURVES = 6
MOMENTS = 60
"""Lines of the rating chart, and points of a line."""


@dataclass(frozen=True)
class Cell:
    """A row's model against a column's: expected wins in percent, and how they met."""

    percent: int
    shade: int
    votes: int


@dataclass(frozen=True)
class HeatRow:
    """A model against all others; None against itself."""

    row: Row
    cells: list[Cell | None]


@dataclass(frozen=True)
class HeatMap:
    """Every shown model against every other; total: how many could be shown."""

    rows: list[HeatRow]
    total: int

    @property
    def is_cut(self) -> bool:
        return len(self.rows) < self.total


def heat_map(snapshot: Snapshot, choice: Choice, table: Table, *, everybody: bool) -> HeatMap:
    """Expected wins by the ratings, and the votes there were, of the board's first scale."""
    rated = table.groups[0].rows if table.groups else []
    shown = rated if everybody else rated[:SHOWN]
    if len(shown) < 2:
        return HeatMap([], len(rated))
    met: dict[tuple[int, int], int] = {}
    for first, second, won, tied, lost in pairs_of(snapshot, choice):
        met[first, second] = met[second, first] = won + tied + lost
    keys = [row.rating.competitor_id for row in shown]
    expected = win_probability(np.array([row.rating.strength for row in shown], dtype=float))
    rows = []
    for i, row in enumerate(shown):
        cells = [
            None if i == j else cell(expected[i, j], met.get((keys[i], keys[j]), 0))
            for j in range(len(shown))
        ]
        rows.append(HeatRow(row, cells))
    return HeatMap(rows, len(rated))


def cell(share: float, votes: int) -> Cell:
    """One model against one other."""
    return Cell(round(100 * share), round(SHADES * share), votes)


@dataclass(frozen=True)
class Timeline:
    """Judgments over time: the chart, the same as (when, count), and those without a time."""

    unit: str
    chart: SafeString
    bins: list[tuple[str, int]]
    unknown: int


def timeline_of(snapshot: Snapshot, event: Event) -> Timeline:
    """The snapshot's judgments per hour, day or week."""
    kept = snapshot.details.get("timeline", {})
    counts, unit = kept.get("counts", []), kept.get("unit", "")
    if not counts:
        return Timeline("", SafeString(""), [], kept.get("unknown", 0))
    moments = list(moments_of(unit, kept["start"], len(counts), event))
    style = "D H:i" if unit == "hour" else "j M"
    chart = bars(counts, marks([date_format(moment, style) for moment in moments]))
    words = "j M Y, H:i" if unit == "hour" else "j M Y"
    named = [date_format(moment, words) for moment in moments]
    return Timeline(unit, chart, list(zip(named, counts, strict=True)), kept.get("unknown", 0))


def moments_of(unit: str, start: str, count: int, event: Event) -> Iterator[date | datetime]:
    """When each bin begins, in the event's time zone."""
    if unit == "hour":
        first = datetime.fromisoformat(start)
        for hours in range(count):
            yield (first + timedelta(hours=hours)).astimezone(event.zone())
        return
    for bins in range(count):
        yield date.fromisoformat(start) + timedelta(days=bins * (7 if unit == "week" else 1))


def marks(texts: Sequence[str]) -> list[tuple[float, str]]:
    """The first, the middle and the last of a text per bin, each below its bin."""
    last = len(texts) - 1
    return [((i + 0.5) / len(texts), texts[i]) for i in sorted({0, last // 2, last})]


@dataclass(frozen=True)
class History:
    """Ratings of the first few over the published snapshots: the chart, and from when to when."""

    chart: SafeString
    since: datetime
    until: datetime
    ends: list[tuple[str, float, float]]


def history_of(snapshot: Snapshot, choice: Choice, table: Table) -> History | None:
    """How the ratings of the best came about; None where too few snapshots were published."""
    rows = table.groups[0].rows[:CURVES] if table.groups else []
    moments = published_moments(snapshot)
    if len(moments) < 3 or len(rows) < 2:
        return None
    since, until = min(moments.values()), max(moments.values())
    if until <= since:
        return None
    curves = curves_of(choice, rows, moments)
    if not curves:
        return None
    style = "j M, H:i" if until - since < timedelta(days=3) else "j M"
    labels = [(0.0, date_format(since, style)), (1.0, date_format(until, style))]
    ends = [(line.name, line.points[0][1], line.points[-1][1]) for line in curves]
    return History(lines(curves, labels), since, until, ends)


def curves_of(choice: Choice, rows: Sequence[Row], moments: dict[int, datetime]) -> list[Line]:
    """The ratings of some competitors in some snapshots; of those with at least two."""
    since, until = min(moments.values()), max(moments.values())
    found: dict[int, list[tuple[float, float]]] = {}
    ratings = Rating.objects.filter(
        snapshot__in=moments,
        question=choice.question,
        category=choice.category,
        weighting=choice.weighting,
        competitor__in=[row.rating.competitor_id for row in rows],
        strength__isnull=False,
    ).order_by("snapshot")
    for key, where, strength in ratings.values_list("competitor", "snapshot", "strength"):
        place = (moments[where] - since) / (until - since)
        found.setdefault(key, []).append((place, as_points(strength or 0.0)))
    curves = (
        Line(row.rating.competitor.name, tuple(found.get(row.rating.competitor_id, ())))
        for row in rows
    )
    return [line for line in curves if len(line.points) > 1]


def published_moments(snapshot: Snapshot) -> dict[int, datetime]:
    """Some published snapshots up to this one, evenly chosen, with their times."""
    published: list[Any] = list(
        Snapshot.objects.published()
        .filter(event=snapshot.event_id, pk__lte=snapshot.pk)
        .values_list("pk", "published_at")
    )
    step = max(1, -(-len(published) // MOMENTS))
    return dict(published[::-step])

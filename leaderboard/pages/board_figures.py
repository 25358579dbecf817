"""The figures below the board: head-to-head, votes over time, rating over time.

Their numbers are gathered here and drawn in leaderboard/pages/svg_charts.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np
from django.utils.formats import date_format, number_format
from django.utils.safestring import SafeString

from arena.events.models import Event
from leaderboard.boards.columns import BoardRow
from leaderboard.boards.diagnostics import MAX_MODELS_TESTED, THOUSANDTHS
from leaderboard.boards.snapshot_details import JudgmentsOverTime, SnapshotDetails
from leaderboard.models import Rating, Snapshot
from leaderboard.pages.board import (
    BoardChoice,
    BoardTable,
    read_pairs,
    strength_to_points,
)
from leaderboard.pages.rounded_ratings import round_ratings
from leaderboard.pages.shown_board import ShownBoard
from leaderboard.pages.svg_charts import Line, draw_bars, draw_lines
from leaderboard.ratings import bradley_terry

MAX_HEAT_MAP_MODELS = 16
"""Models in the head-to-head table unless the visitor asks for all."""
SHADES = 10
ALPHA = 0.05
"""Significance level of the pairwise tests."""
MAX_CURVES = 6
MAX_MOMENTS = 60
"""Lines in the rating chart, and points per line."""


@dataclass(frozen=True)
class HeatCell:
    """A row's model against a column's: expected wins in percent, and how they met.

    apart: points between the two; p: Holm's, as text, "" where unknown; is_open: whether the test
    leaves open which of the two is better.
    """

    percent: int
    shade: int
    votes: int
    apart: float
    p: str
    is_open: bool


@dataclass(frozen=True)
class HeatRow:
    """A model's row of the heat map; None stands in its own column."""

    row: BoardRow
    cells: list[HeatCell | None]


@dataclass(frozen=True)
class HeatMap:
    """Models of one scale against each other; total: models on the scale, shown or not."""

    rows: list[HeatRow]
    total: int

    @property
    def is_cut(self) -> bool:
        return len(self.rows) < self.total


def build_heat_maps(
    details: SnapshotDetails, choice: BoardChoice, table: BoardTable, *, everybody: bool
) -> list[HeatMap]:
    """One heat map per scale: expected win rates, and numbers of votes."""
    met = {(i, j): won + tied + lost for i, j, won, tied, lost in read_pairs(details, choice)}
    p = adjusted_p_values(details, choice)
    maps = []
    for group in table.groups:
        shown = group.rows if everybody else group.rows[:MAX_HEAT_MAP_MODELS]
        if len(shown) > 1:
            maps.append(HeatMap(list(build_heat_rows(shown, met, p)), len(group.rows)))
    return maps


def build_heat_rows(
    shown: Sequence[BoardRow],
    met: dict[tuple[int, int], int],
    p: dict[tuple[int, int], float] | None,
) -> Iterator[HeatRow]:
    """Rows of a heat map, with the votes of each pair and Holm's p-value."""
    expected = bradley_terry.win_probability(
        np.array([row.rating.strength for row in shown], dtype=float)
    )
    for i, row in enumerate(shown):
        cells: list[HeatCell | None] = []
        for j, other in enumerate(shown):
            one, two = sorted([row.rating.competitor_id, other.rating.competitor_id])
            known = (
                p is not None
                and max(row.rating.rank or 0, other.rating.rank or 0) <= MAX_MODELS_TESTED
            )
            found = p.get((one, two), 0.0) if p is not None and known else None
            apart = (row.points or 0.0) - (other.points or 0.0)
            votes = met.get((one, two), 0)
            cells.append(None if i == j else build_cell(expected[i, j], votes, apart, found))
        yield HeatRow(row, cells)


def build_cell(share: float, votes: int, apart: float, p: float | None) -> HeatCell:
    """The cell of one model against another."""
    said, is_open = ("", False) if p is None else (format_p(p), p > ALPHA)
    return HeatCell(round(100 * share), round(SHADES * share), votes, apart, said, is_open)


def adjusted_p_values(
    details: SnapshotDetails, choice: BoardChoice
) -> dict[tuple[int, int], float] | None:
    """Holm's p-values by pair, 0 where not listed; None where the snapshot has none."""
    flat, keys = details.board(choice.key).p, details.competitors
    if flat is None:
        return None
    rows = zip(*(iter(flat),) * 3, strict=True)
    return {(keys[i], keys[j]): thousandths / THOUSANDTHS for i, j, thousandths in rows}


def format_p(p: float) -> str:
    """A p-value with three decimals, as "p = …" or "p < 0.001"."""
    if p < 1 / THOUSANDTHS:
        return f"p < {number_format(0.001, 3)}"
    return f"p = {number_format(p, 3)}"


@dataclass(frozen=True)
class Timeline:
    """Judgments over time: the chart, its bins as (when, count), and the number without a time."""

    unit: str
    chart: SafeString
    bins: list[tuple[str, int]]
    unknown: int


def timeline_of(kept: JudgmentsOverTime, event: Event) -> Timeline:
    """The snapshot's judgments per hour, day or week."""
    counts, unit, start = kept.counts, kept.unit, kept.start
    if not counts or unit is None or start is None:
        return Timeline("", SafeString(""), [], kept.unknown)
    moments = list(timeline_moments(unit, start, len(counts), event))
    style = "D H:i" if unit == "hour" else "j M"
    chart = draw_bars(counts, label_positions([date_format(moment, style) for moment in moments]))
    words = "j M Y, H:i" if unit == "hour" else "j M Y"
    named = [date_format(moment, words) for moment in moments]
    return Timeline(unit, chart, list(zip(named, counts, strict=True)), kept.unknown)


def timeline_moments(unit: str, start: str, count: int, event: Event) -> Iterator[date | datetime]:
    """When each bin begins, in the event's time zone."""
    if unit == "hour":
        first = datetime.fromisoformat(start)
        for hours in range(count):
            yield (first + timedelta(hours=hours)).astimezone(event.zone())
        return
    for bins in range(count):
        yield date.fromisoformat(start) + timedelta(days=bins * (7 if unit == "week" else 1))


def label_positions(texts: Sequence[str]) -> list[tuple[float, str]]:
    """Labels for the first, middle and last bin, with their positions."""
    last = len(texts) - 1
    return [((i + 0.5) / len(texts), texts[i]) for i in sorted({0, last // 2, last})]


@dataclass(frozen=True)
class History:
    """Ratings of the first few over the published snapshots: the chart, and from when to when."""

    chart: SafeString
    since: datetime
    until: datetime
    ends: list[tuple[str, float, float]]


def history_of(shown: ShownBoard) -> History | None:
    """Rating history of the top models; None with fewer than three published snapshots, and for a
    category whose board waits for batches of its own."""
    choice, table = shown.choice, shown.table
    rows = table.groups[0].rows[:MAX_CURVES] if table.groups else []
    moments = sample_publication_times(shown.snapshot)
    if len(moments) < 3 or len(rows) < 2 or (shown.is_rounded and choice.category):
        return None
    since, until = min(moments.values()), max(moments.values())
    if until <= since:
        return None
    curves = build_curves(shown, rows, moments)
    if not curves:
        return None
    style = "j M, H:i" if until - since < timedelta(days=3) else "j M"
    labels = [(0.0, date_format(since, style)), (1.0, date_format(until, style))]
    ends = [(line.name, line.points[0][1], line.points[-1][1]) for line in curves]
    return History(draw_lines(curves, labels), since, until, ends)


def build_curves(
    shown: ShownBoard, rows: Sequence[BoardRow], moments: dict[int, datetime]
) -> list[Line]:
    """One line per competitor with a rating in at least two of the snapshots."""
    since, until = min(moments.values()), max(moments.values())
    found: dict[int, list[tuple[float, float]]] = {}
    choice, wanted = shown.choice, {row.rating.competitor_id for row in rows}
    ratings = Rating.objects.filter(
        snapshot__in=moments,
        question=choice.question,
        category=choice.category,
        weighting=choice.weighting,
    ).order_by("snapshot")
    if not shown.is_rounded:
        ratings = ratings.filter(competitor__in=wanted, strength__isnull=False)
    for where, of_one in groupby(ratings, key=lambda rating: rating.snapshot_id):
        place = (moments[where] - since) / (until - since)
        listed = list(of_one)
        for rating in round_ratings(listed) if shown.is_rounded else listed:
            if rating.competitor_id in wanted and rating.strength is not None:
                points = strength_to_points(rating.strength)
                found.setdefault(rating.competitor_id, []).append((place, points))
    curves = (
        Line(row.rating.competitor.name, tuple(found.get(row.rating.competitor_id, ())))
        for row in rows
    )
    return [line for line in curves if len(line.points) > 1]


def sample_publication_times(snapshot: Snapshot) -> dict[int, datetime]:
    """Publication times of at most `MAX_MOMENTS` snapshots up to this one, evenly sampled."""
    published: list[Any] = list(
        Snapshot.objects.published()
        .filter(event=snapshot.event_id, pk__lte=snapshot.pk)
        .values_list("pk", "published_at")
    )
    step = max(1, -(-len(published) // MAX_MOMENTS))
    return dict(published[::-step])

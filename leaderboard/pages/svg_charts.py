"""Charts as SVG, drawn on the server: no script, no inline style, colours by class.

Positions are percentages of the drawing, which is as wide as its place on the page: text and dots
keep their size at every width. Every chart stands beside a table or a sentence that says the same,
and is therefore hidden from screen readers.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

TICK_STEPS = (1, 2, 5)
AXIS_MARGIN = 0.06
"""Share of an axis left free at either end."""
BASELINE = 86.0
"""Percent of the height at which bars and lines end; the labels are below."""
MAX_BAR_HEIGHT = 78.0
"""Percent of the height that the highest bar takes."""
MAX_BAR_WIDTH = 3.0
"""Percent of the width that a bar takes at most."""
LABEL_HEIGHT = 6.5
"""Percent of the height that a name takes."""


@dataclass(frozen=True)
class Axis:
    """A horizontal axis of points; `at` gives the place of a value as a percentage."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> str:
        """Where a value is drawn; beyond the ends at the end."""
        return format_percent(100 * self.share(value))

    def share(self, value: float) -> float:
        """Position of a value as a share of the axis, clipped to [0, 1]."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def holds(self, value: float) -> bool:
        """Whether a value is inside the axis."""
        return self.low <= value <= self.high


def fit_axis(values: Sequence[float], reaches: Sequence[float], most_ticks: int = 6) -> Axis:
    """An axis for values and the ends of their intervals.

    Intervals far wider than all values lie apart are cut off rather than squeezing the rest.
    """
    low, high = min(values), max(values)
    spread = max(high - low, 100.0)
    low = max(min([low, *reaches]), low - spread)
    high = min(max([high, *reaches]), high + spread)
    room = AXIS_MARGIN * max(high - low, 1.0)
    return add_ticks(low - room, high + room, most_ticks)


def add_ticks(low: float, high: float, most_ticks: int) -> Axis:
    """An axis between two ends with round numbers on it."""
    step = tick_step((high - low) / most_ticks)
    first = math.ceil(low / step)
    return Axis(low, high, tuple(n * step for n in range(first, math.floor(high / step) + 1)))


def tick_step(rough: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, 50 … not below a rough step."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next((step * power for step in TICK_STEPS if step * power >= rough * 0.999), 10 * power)


def draw_axis_labels(axis: Axis) -> SafeString:
    """The axis' numbers."""
    return draw_svg(
        "axis",
        (
            '<text x="{}" y="100%" dy="-10">{}</text>',
            ((axis.at(t), format_points(t)) for t in axis.ticks),
        ),
    )


def draw_whisker(
    axis: Axis,
    value: float,
    lower: float | None,
    upper: float | None,
    expected: float | None = None,
) -> SafeString:
    """One row of a dot-and-whisker plot, with the axis' lines running through, and one at what is
    expected of the value."""
    marks = [] if expected is None else [(axis.at(expected),)]
    reach = []
    if lower is not None and upper is not None:
        cut = "" if axis.holds(lower) and axis.holds(upper) else " cut"
        reach.append((cut, axis.at(lower), axis.at(upper)))
    return draw_svg(
        "whisker",
        ('<line class="tick" x1="{0}" x2="{0}" y1="0" y2="100%"/>', tick_positions(axis)),
        ('<line class="expected" x1="{0}" x2="{0}" y1="0" y2="100%"/>', marks),
        ('<line class="reach{}" x1="{}" x2="{}" y1="50%" y2="50%"/>', reach),
        ('<circle class="dot" cx="{}" cy="50%" r="4.5"/>', [(axis.at(value),)]),
    )


def tick_positions(axis: Axis) -> Iterable[tuple[str]]:
    """Positions of the axis' grid lines."""
    return ((axis.at(tick),) for tick in axis.ticks)


def draw_bars(counts: Sequence[int], labels: Sequence[tuple[float, str]]) -> SafeString:
    """Counts as bars from left to right; labels: (place in [0, 1], text) below them."""
    width, top = 100 / len(counts), max(counts)
    thick = min(0.8 * width, MAX_BAR_WIDTH)
    step = max(tick_step(top / 4), 1)
    levels = [
        (format_percent(BASELINE - MAX_BAR_HEIGHT * n * step / top), format_points(n * step))
        for n in range(1, math.floor(top / step) + 1)
    ]
    shapes = (
        (
            format_percent((i + 0.5) * width - thick / 2),
            format_percent(thick),
            format_percent(BASELINE - MAX_BAR_HEIGHT * n / top),
            format_percent(MAX_BAR_HEIGHT * n / top),
        )
        for i, n in enumerate(counts)
        if n
    )
    return draw_side_by_side(
        draw_levels(levels),
        draw_svg(
            "bars",
            ('<line class="tick" x1="0" x2="100%" y1="{0}" y2="{0}"/>', levels),
            ('<rect class="bar" x="{}" width="{}" y="{}" height="{}"/>', shapes),
            ('<text class="label {}" x="{}" y="100%" dy="-2">{}</text>', place_labels(labels)),
        ),
    )


def draw_levels(levels: Iterable[tuple[str, str]]) -> SafeString:
    """The numbers to the left of a drawing, at their heights."""
    return draw_svg("levels", ('<text x="100%" y="{}" dy="4">{}</text>', levels))


def draw_side_by_side(*drawings: SafeString) -> SafeString:
    """Drawings side by side: labels, plot, names."""
    return format_html('<div class="frame">{}</div>', format_html_join("", "{}", zip(drawings)))


def format_percent(value: float) -> str:
    """A length or place in a drawing."""
    return f"{value:.2f}%"


def place_labels(labels: Iterable[tuple[float, str]]) -> Iterable[tuple[str, str, str]]:
    """Class, place and text of each label; the outermost ones stay inside the drawing."""
    for place, text in labels:
        side = "start" if place < 0.05 else "end" if place > 0.95 else "middle"
        yield side, f"{100 * place:.2f}%", text


@dataclass(frozen=True)
class Line:
    """A line of a chart over time: its name, and (place in [0, 1], value) from left to right."""

    name: str
    points: tuple[tuple[float, float], ...]


def draw_lines(curves: Sequence[Line], labels: Sequence[tuple[float, str]]) -> SafeString:
    """Values over time, each line with its name at its end."""
    values = [value for line in curves for _, value in line.points]
    axis = fit_axis(values, [], most_ticks=5)
    levels = [(format_percent(to_height(axis, tick)), format_points(tick)) for tick in axis.ticks]
    segments = []
    for number, line in enumerate(curves):
        ends = [
            (format_percent(100 * x), format_percent(to_height(axis, y))) for x, y in line.points
        ]
        segments += [(number, *one, *next_) for one, next_ in pairwise(ends)]
    heights = spread_apart([to_height(axis, line.points[-1][1]) for line in curves], LABEL_HEIGHT)
    names = ((n, format_percent(y), curves[n].name) for n, y in enumerate(heights))
    return draw_side_by_side(
        draw_levels(levels),
        draw_svg(
            "lines",
            ('<line class="tick" x1="0" x2="100%" y1="{0}" y2="{0}"/>', levels),
            ('<line class="curve c{}" x1="{}" y1="{}" x2="{}" y2="{}"/>', segments),
            ('<text class="label {}" x="{}" y="100%" dy="-2">{}</text>', place_labels(labels)),
        ),
        draw_svg("names", ('<text class="name c{}" x="0" y="{}" dy="4">{}</text>', names)),
    )


def to_height(axis: Axis, value: float) -> float:
    """The y of a value in percent: low values at the bottom, above the labels."""
    return BASELINE * (1 - axis.share(value))


def spread_apart(places: Sequence[float], apart: float) -> list[float]:
    """Positions moved apart to a minimum distance, in the same order and inside the drawing."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + apart)
    limit = BASELINE
    for i in reversed(order):
        moved[i] = min(moved[i], limit)
        limit = moved[i] - apart
    return moved


Part = tuple[str, Iterable[tuple[object, ...]]]


def draw_svg(name: str, *parts: Part) -> SafeString:
    """A drawing of repeated shapes, each a template and the values it is repeated for."""
    shapes = format_html_join("", "{}", ((format_html_join("", *part),) for part in parts))
    return format_html('<svg class="chart {}" aria-hidden="true">{}</svg>', name, shapes)


def format_points(value: float) -> str:
    """A rounded number with thousands separators."""
    return number_format(round(value), force_grouping=True)

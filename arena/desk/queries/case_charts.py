"""Drawings of a case's evidence. Each stands beside a table or a sentence that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from leaderboard.pages.svg_charts import (
    BASELINE,
    MAX_BAR_HEIGHT,
    Axis,
    draw_svg,
    draw_whisker,
    format_percent,
    place_labels,
)

RELIABILITY_AXIS = Axis(-0.25, 1.65, (0.0, 0.5, 1.0, 1.5))
"""Of R: 0 is chance, 1 what most readers reach."""
MAX_TIMELINE_BAR, MAX_TIMELINE_HEIGHT = 4.0, 62.0
"""Percent of the width that a bar takes at most, and of the height: the marks are above."""
SHARE_AXIS = Axis(-0.02, 1.02, (0.0, 0.25, 0.5, 0.75, 1.0))


def draw_reliability(value: float, lower: float, upper: float) -> SafeString:
    """R with its limits."""
    return draw_whisker(RELIABILITY_AXIS, value, lower, upper)


def draw_reliability_axis() -> SafeString:
    """What two places of the axis mean, in words."""
    words = ((0.0, _("does not read")), (1.0, _("reads as others do")))
    places = ((RELIABILITY_AXIS.at(value), text) for value, text in words)
    return draw_svg("axis", ('<text x="{}" y="100%" dy="-4">{}</text>', places))


def draw_share(own: float, crowd: float) -> SafeString:
    """A share of their answers as a bar, and the crowd's as a mark across it."""
    own_width, mark = format_percent(100 * own), format_percent(100 * crowd)
    return draw_svg(
        "share",
        ('<rect class="whole" x="0" y="20%" width="{}" height="60%"/>', [("100%",)]),
        ('<rect class="own" x="0" y="20%" width="{}" height="60%"/>', [(own_width,)]),
        ('<line class="crowd" x1="{0}" x2="{0}" y1="0" y2="100%"/>', [(mark,)]),
    )


def draw_expectation(chosen: float, expected: float) -> SafeString:
    """How often a model is chosen (dot) and what the board expects (mark), with a line between."""
    dot, mark = SHARE_AXIS.at(chosen), SHARE_AXIS.at(expected)
    ticks = ((SHARE_AXIS.at(tick),) for tick in SHARE_AXIS.ticks)
    return draw_svg(
        "expectation",
        ('<line class="tick" x1="{0}" x2="{0}" y1="0" y2="100%"/>', ticks),
        ('<line class="reach" x1="{}" x2="{}" y1="50%" y2="50%"/>', [(dot, mark)]),
        ('<line class="crowd" x1="{0}" x2="{0}" y1="22%" y2="78%"/>', [(mark,)]),
        ('<circle class="dot" cx="{}" cy="50%" r="4.5"/>', [(dot,)]),
    )


def draw_crowd_bars(counts: Sequence[int], own: int | None, labels: Sequence[str]) -> SafeString:
    """How many people are in each bin, theirs marked; labels: of the bounds between bins."""
    width, top = 100.0 / len(counts), max([*counts, 1])
    bars = [
        (
            "own" if place == own else "",
            format_percent((place + 0.1) * width),
            format_percent(0.8 * width),
            format_percent(BASELINE - MAX_BAR_HEIGHT * count / top),
            format_percent(MAX_BAR_HEIGHT * count / top),
        )
        for place, count in enumerate(counts)
    ]
    places = [(((place + 1) / len(counts)), text) for place, text in enumerate(labels)]
    return draw_svg(
        "people-bars",
        ('<rect class="bar {}" x="{}" width="{}" y="{}" height="{}"/>', bars),
        ('<text class="label {}" x="{}" y="100%" dy="-2">{}</text>', place_labels(places)),
    )


@dataclass(frozen=True)
class TimelineBar:
    """What happened in one bin of a timeline. marks: of exclusions that began or ended in it."""

    judgments: int
    passed: int
    failed: int
    marks: int


def draw_timeline(bars: Sequence[TimelineBar], labels: Sequence[tuple[float, str]]) -> SafeString:
    """Judgments as bars; above them a dot where controls were passed, a cross where some failed,
    and a line where an exclusion began or ended."""
    width, top = 100.0 / len(bars), max([*(bar.judgments for bar in bars), 1])
    thick = min(0.8 * width, MAX_TIMELINE_BAR)
    shapes, marks, passed, failed = [], [], [], []
    for place, bar in enumerate(bars):
        middle = (place + 0.5) * width
        at, height = (format_percent(middle),), MAX_TIMELINE_HEIGHT * bar.judgments / top
        lengths = (middle - thick / 2, thick, BASELINE - height, height)
        shapes += [tuple(map(format_percent, lengths))] if bar.judgments else []
        marks += [at] if bar.marks else []
        passed += [at] if bar.passed else []
        failed += [at] if bar.failed else []
    return draw_svg(
        "timeline",
        ('<rect class="bar" x="{}" width="{}" y="{}" height="{}"/>', shapes),
        ('<line class="mark" x1="{0}" x2="{0}" y1="0" y2="86%"/>', marks),
        ('<circle class="passed" cx="{}" cy="5" r="3.5"/>', passed),
        ('<text class="failed" x="{}" y="24">×</text>', failed),
        ('<text class="label {}" x="{}" y="100%" dy="-2">{}</text>', place_labels(labels)),
    )

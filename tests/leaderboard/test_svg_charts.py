"""The geometry of the charts, and that nothing a name holds gets out of it."""

import re
from itertools import pairwise

import pytest

from leaderboard.pages.svg_charts import (
    Line,
    draw_bars,
    draw_lines,
    draw_whisker,
    fit_axis,
    spread_apart,
    tick_step,
)

STYLE = re.compile(r"style=|<script|on\w+=")


@pytest.mark.parametrize(
    ("rough", "step"),
    [(0.7, 1), (1, 1), (1.2, 2), (2.1, 5), (5.5, 10), (33, 50), (120, 200), (501, 1000)],
)
def test_steps_are_round(rough: float, step: float) -> None:
    assert tick_step(rough) == step


def test_an_axis_holds_every_value_and_every_interval() -> None:
    axis = fit_axis([900, 1100], [850, 1180])
    assert axis.low < 850
    assert axis.high > 1180
    assert axis.ticks[0] >= axis.low
    assert axis.ticks[-1] <= axis.high
    assert len(axis.ticks) <= 8
    assert axis.at(axis.low) == "0.00%"
    assert axis.at((axis.low + axis.high) / 2) == "50.00%"


def test_an_interval_far_wider_than_the_field_is_cut_and_says_so() -> None:
    axis = fit_axis([950, 1050], [940, 5000])
    assert axis.high < 1200
    assert 'class="reach cut"' in draw_whisker(axis, 1050, 940, 5000)
    assert axis.at(5000) == "100.00%"


def test_one_value_has_an_axis() -> None:
    axis = fit_axis([1000], [])
    assert axis.at(1000) == "50.00%"


def test_no_interval_no_whisker() -> None:
    axis = fit_axis([900, 1100], [])
    assert "reach" not in draw_whisker(axis, 1000, None, None)


def test_bars_stand_on_their_ground() -> None:
    drawn = draw_bars([1, 0, 4], [(0.5, "noon")])
    found = re.findall(r'<rect class="bar" x="\S+" width="\S+" y="(.+?)%" height="(.+?)%"', drawn)
    assert len(found) == 2  # nothing is drawn for nothing
    assert {round(float(y) + float(h), 2) for y, h in found} == {86.0}
    assert float(found[1][1]) == pytest.approx(4 * float(found[0][1]), abs=0.02)
    assert ">noon</text>" in drawn


def test_names_at_the_ends_of_lines_keep_apart() -> None:
    places = spread_apart([50.0, 50.5, 20.0, 85.0, 86.0], 6.5)
    ordered = sorted(places)
    assert all(b - a >= 6.49 for a, b in pairwise(ordered))
    assert max(places) <= 86.0
    assert places[2] == 20.0
    assert places[0] < places[1]


def test_what_a_name_holds_stays_text() -> None:
    line = Line("<script>alert(1)</script>", ((0.0, 1000.0), (1.0, 1010.0)))
    drawn = draw_lines([line, line], [(0.0, "<b>"), (1.0, "now")])
    assert "&lt;script&gt;" in drawn
    assert not STYLE.search(drawn)
    assert "<b>" not in drawn

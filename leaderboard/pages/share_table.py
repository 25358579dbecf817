"""Tables of shares, each with its interval and its plot on a common axis."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from leaderboard.pages.svg_charts import Axis, add_ticks, draw_axis_labels, draw_whisker

HALF = 0.5
"""What is expected of a share of two sides."""
MIN_SPAN = 20.0
"""Percent that an axis shows at least."""
ROOM = 0.06
"""Share of an axis left free at either end."""
MAX_TICKS = 4


@dataclass(frozen=True)
class LabelledShare:
    """A share of 1 and of what it is; expected: what it would be without bias, None where nothing
    is expected; votes: how many it is of, None where that is not said."""

    label: str
    share: float
    lower: float | None
    upper: float | None
    expected: float | None = None
    votes: int | None = None


@dataclass(frozen=True)
class ShareRow:
    """A row as text, with its plot; low, high: "" without limits."""

    label: str
    share: str
    low: str
    high: str
    votes: int | None
    plot: SafeString


@dataclass(frozen=True)
class ShareTable:
    """heading, limits: what heads the rows, and their limits; has_votes: whether to show votes."""

    heading: str
    rows: list[ShareRow]
    axis: SafeString
    limits: str
    has_votes: bool


def percent(share: float) -> str:
    """A share in percent, with one decimal."""
    return f"{format_rounded(100 * share)}%"


def format_rounded(value: float, decimals: int = 1) -> str:
    """A rounded number; Django's own formatting cuts digits off."""
    return str(number_format(round(value, decimals), decimals))


def build_share_table(
    heading: str, shares: Sequence[LabelledShare], limits: str = ""
) -> ShareTable | None:
    """The table; None without shares. limits: what they are, where not of the shares."""
    if not shares:
        return None
    axis = fit_share_axis(shares)
    return ShareTable(
        heading,
        [to_row(share, axis) for share in shares],
        draw_axis_labels(axis),
        limits or _("95% interval"),
        any(share.votes is not None for share in shares),
    )


def fit_share_axis(shares: Sequence[LabelledShare]) -> Axis:
    """An axis in percent for shares, their limits and what is expected of them."""
    ends = [
        100.0 * end
        for share in shares
        for end in (share.share, share.lower, share.upper, share.expected)
        if end is not None
    ]
    low, high = min(ends), max(ends)
    missing = max(MIN_SPAN - (high - low), 0.0)
    low, high = max(low - missing / 2, 0.0), min(high + missing / 2, 100.0)
    room = ROOM * (high - low)
    return add_ticks(low - room, high + room, MAX_TICKS)


def to_row(share: LabelledShare, axis: Axis) -> ShareRow:
    """A row of the table."""
    value, lower, upper, expected = (
        None if each is None else 100.0 * each
        for each in (share.share, share.lower, share.upper, share.expected)
    )
    assert value is not None
    return ShareRow(
        share.label,
        percent(share.share),
        "" if share.lower is None else percent(share.lower),
        "" if share.upper is None else percent(share.upper),
        share.votes,
        draw_whisker(axis, value, lower, upper, expected),
    )

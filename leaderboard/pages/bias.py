"""The bias panel of a board's page: its snapshot's figures as tables, plots and sentences."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from leaderboard.boards.bias_details import BiasPanel, ShareByPace, ShareEstimate
from leaderboard.boards.coarse_bias import MIN_SHARE_VOTES
from leaderboard.boards.snapshot_details import StyleCoefficient
from leaderboard.pages import bias_words as words
from leaderboard.pages.appearances import Appearances, describe_appearances
from leaderboard.pages.share_table import (
    HALF,
    LabelledShare,
    ShareTable,
    build_share_table,
    format_rounded,
)
from leaderboard.pages.shown_board import UNWEIGHTED, ShownBoard

WHOLE_SECONDS = 10
"""From here on seconds are shown without a decimal."""


@dataclass(frozen=True)
class Leaning:
    """One thing that votes lean to: what it means, and the shares that say so."""

    key: str
    title: str
    sentences: list[str]
    table: ShareTable | None


@dataclass(frozen=True)
class BiasFigures:
    """The panel as the page shows it; used, votes: of how many votes the leanings are;
    fewest: votes that a rounded share takes."""

    leanings: list[Leaning]
    appearances: Appearances | None
    used: int
    votes: int
    has_pace: bool
    fewest: int = MIN_SHARE_VOTES

    @property
    def is_sampled(self) -> bool:
        return self.used < self.votes


def bias_context(shown: ShownBoard, categories: Mapping[int, str]) -> dict[str, object]:
    """Context of the panel, which stands on unweighted boards over all records alone."""
    choice = shown.choice
    if choice.weighting != UNWEIGHTED or choice.category:
        return {}
    return {"has_bias": True, "bias": build_bias(shown, categories)}


def build_bias(shown: ShownBoard, categories: Mapping[int, str]) -> BiasFigures | None:
    """The panel; None where the snapshot has none. categories: names by primary key."""
    panel = shown.board.bias
    names = {row.rating.competitor_id: row.rating.competitor.name for row in shown.table.everybody}
    if panel is None or not names:
        return None
    style = shown.details.board(shown.choice.style_key).style
    coefficients = style.coefficients if style else ()
    worth = next((each for each in coefficients if each.name == "length"), None)
    leanings = list_shares(panel, worth, is_rounded=shown.is_rounded)
    if panel.top or not shown.is_rounded:
        leanings.append(describe_contributors(panel))
    return BiasFigures(
        leanings,
        describe_appearances(panel, names, categories)
        if panel.sides or not shown.is_rounded
        else None,
        panel.used,
        panel.votes,
        panel.pace is not None,
    )


def list_shares(
    panel: BiasPanel, worth: StyleCoefficient | None, *, is_rounded: bool
) -> list[Leaning]:
    """Side, length and ties; of rounded figures those alone that there are."""
    pace = panel.pace
    left, longer, ties = (pace.left, pace.longer, pace.ties) if pace else (None, None, None)
    titles = _("Preference for a side"), _("Preference for length"), _("Ties")
    columns = _("Left response"), _("Longer response"), _("Ties")
    said = (
        words.describe_left(panel.left),
        words.describe_longer(panel.longer, worth),
        words.describe_ties(panel.ties),
    )
    rows = (
        list_by_pace(panel, panel.left, left, HALF),
        list_by_pace(panel, panel.longer, longer, HALF),
        list_by_pace(panel, panel.ties, ties, None),
    )
    changes = (words.describe_change(by_pace) for by_pace in (left, longer, ties))
    parts = zip(("left", "longer", "ties"), titles, said, changes, columns, rows, strict=True)
    return [
        Leaning(
            key,
            title,
            [sentence for sentence in (meaning, change) if sentence],
            build_share_table(column, shares),
        )
        for key, title, meaning, change, column, shares in parts
        if shares or not is_rounded
    ]


def list_by_pace(
    panel: BiasPanel,
    overall: ShareEstimate | None,
    by_pace: ShareByPace | None,
    expected: float | None,
) -> list[LabelledShare]:
    """A share of all votes, and of each third of them."""
    estimates = [(_("All votes"), overall)]
    if by_pace and panel.pace:
        labels = (
            _("Fastest third, up to %s s") % format_seconds(panel.pace.fast_seconds),
            _("Middle third"),
            _("Slowest third, over %s s") % format_seconds(panel.pace.slow_seconds),
        )
        estimates += zip(labels, by_pace.thirds, strict=True)
    return [
        LabelledShare(label, each.share, each.lower, each.upper, expected, each.answers)
        for label, each in estimates
        if each
    ]


def format_seconds(seconds: float) -> str:
    """Seconds, with a decimal where they are few."""
    return format_rounded(seconds, 0 if seconds >= WHOLE_SECONDS else 1)


def describe_contributors(panel: BiasPanel) -> Leaning:
    """How much of the votes the most active made, beside what equal activity would give."""
    shares = [
        LabelledShare(
            _("Most active") if top.contributors == 1 else _("%s most active") % top.contributors,
            top.share,
            top.lower,
            top.upper,
            top.equal,
        )
        for top in panel.top
    ]
    return Leaning(
        "contributors",
        _("Who the votes come from"),
        [words.describe_concentration(panel.top, panel.contributors)],
        build_share_table(_("Contributors"), shares, _("95%, if all were equally active")),
    )

"""How often models appear in the votes, for the bias panel: by side, opponent and category."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from leaderboard.boards.bias_details import BiasPanel
from leaderboard.pages import bias_words as words
from leaderboard.pages.share_table import (
    HALF,
    LabelledShare,
    ShareTable,
    build_share_table,
    percent,
)
from leaderboard.trust.appearances import TOLERANCE

MAX_ROWS = 16
"""Models in each table: those furthest from what is expected."""
Names = Mapping[int, str]


@dataclass(frozen=True)
class OpponentRow:
    """A model and the opponent whose share of its votes is furthest from equal ones, as text."""

    model: str
    opponent: str
    share: str
    low: str
    high: str


@dataclass(frozen=True)
class CategoryCell:
    """A category's share of a model's votes, as text; is_apart: whether its limits leave out what
    is expected."""

    share: str
    low: str
    high: str
    is_apart: bool


@dataclass(frozen=True)
class CategoryTable:
    """columns: each category's name and its share of the records; rows: models with their cells."""

    columns: list[tuple[str, str]]
    rows: list[tuple[str, list[CategoryCell]]]


@dataclass(frozen=True)
class Appearances:
    """What each table says, and the table; total: how many models there are."""

    sides_say: str
    sides: ShareTable | None
    opponents_say: str
    opponents: list[OpponentRow]
    expected_opponent: str
    categories_say: str
    categories: CategoryTable | None
    total: int

    @property
    def is_cut(self) -> bool:
        return self.total > MAX_ROWS


def describe_appearances(panel: BiasPanel, names: Names, categories: Names) -> Appearances:
    """The tables, with those models first that are furthest from what is expected."""
    expected = panel.expected_opponent or 0.0
    met = sorted(panel.opponents, key=lambda row: -abs(row.share - expected))
    furthest = None
    if met:
        worst = max(met, key=lambda row: is_apart(row.lower, expected, row.upper))
        furthest = names[worst.competitor], names[worst.opponent], worst.share, expected
    categories_say, mix = describe_categories(panel, names, categories)
    return Appearances(
        say_sides(panel, names),
        list_sides(panel, names),
        words.describe_opponents(panel.opponents_apart, furthest),
        [
            OpponentRow(
                names[row.competitor],
                names[row.opponent],
                percent(row.share),
                percent(row.lower),
                percent(row.upper),
            )
            for row in met[:MAX_ROWS]
        ],
        percent(expected),
        categories_say,
        mix,
        max(len(panel.models), len(panel.sides)),
    )


def say_sides(panel: BiasPanel, names: Names) -> str:
    """What the sides of all models say."""
    apart = [side for side in panel.sides if is_apart(side.lower, HALF, side.upper)]
    furthest = max(apart, key=lambda side: abs(side.share - HALF), default=None)
    named = (names[furthest.competitor], furthest.share) if furthest else None
    return words.describe_sides(len(panel.sides), len(apart), named)


def list_sides(panel: BiasPanel, names: Names) -> ShareTable | None:
    """How often each model stood left."""
    sides = sorted(panel.sides, key=lambda side: -abs(side.share - HALF))
    shares = [
        LabelledShare(names[side.competitor], side.share, side.lower, side.upper, HALF, side.votes)
        for side in sides[:MAX_ROWS]
    ]
    return build_share_table(_("Model"), shares)


def is_apart(lower: float, expected: float, upper: float) -> bool:
    """Whether limits leave out what is expected, by more than rounding."""
    return not lower - TOLERANCE <= expected <= upper + TOLERANCE


@dataclass(frozen=True)
class MixedShare:
    """One category in the votes of one model, with what is expected."""

    model: int
    category: int
    share: float
    lower: float
    upper: float
    expected: float

    @property
    def is_apart(self) -> bool:
        return is_apart(self.lower, self.expected, self.upper)

    @property
    def distance(self) -> float:
        return abs(self.share - self.expected)


def describe_categories(
    panel: BiasPanel, names: Names, categories: Names
) -> tuple[str, CategoryTable | None]:
    """What the categories of all models say, and the table."""
    by_model: dict[int, list[MixedShare]] = {model: [] for model in panel.models}
    for mix in panel.categories:
        figures = zip(panel.models, mix.shares, mix.lower, mix.upper, strict=True)
        for model, share, lower, upper in figures:
            found = MixedShare(model, mix.category, share, lower, upper, mix.expected)
            by_model[model].append(found)
    every = [share for row in by_model.values() for share in row]
    if not every:
        return words.describe_categories(0, None), None
    worst = max(every, key=lambda share: (share.is_apart, share.distance))
    said = words.describe_categories(
        sum(share.is_apart for share in every),
        (names[worst.model], categories[worst.category], worst.share, worst.expected),
    )
    furthest_first = sorted(
        by_model, key=lambda model: -max(each.distance for each in by_model[model])
    )
    rows = [
        (names[model], [to_cell(share) for share in by_model[model]])
        for model in furthest_first[:MAX_ROWS]
    ]
    columns = [(categories[mix.category], percent(mix.expected)) for mix in panel.categories]
    return said, CategoryTable(columns, rows)


def to_cell(share: MixedShare) -> CategoryCell:
    """A cell of the table."""
    return CategoryCell(
        percent(share.share), percent(share.lower), percent(share.upper), share.is_apart
    )

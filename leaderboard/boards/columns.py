"""The columns of a board, each declared once: the snapshot's rows, the page, both downloads, the
bundle and the schema follow from `COLUMNS`.

A column that is computed from what a row has needs an entry here and nothing else; one that is
stored says here how it is computed from the fit, and needs a field of `Rating` with its migration.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leaderboard.boards.fit import STATUS_NAMES, FittedBoard
from leaderboard.boards.not_ranked import STATUS_HELP, explain_not_ranked
from leaderboard.boards.style_fit import StyleBoard
from leaderboard.models import Rating
from leaderboard.ratings import Status, elo

Text = str | Promise


@dataclass(frozen=True)
class FittedRow:
    """What a computed board has of one competitor: `index` is its place in the arrays.

    replay: the Elo of an unweighted board, None for others.
    """

    board: FittedBoard | StyleBoard
    index: int
    replay: elo.Elo | None

    @property
    def won(self) -> int:
        """Votes it won."""
        return int(self.board.tally[self.index, 0])

    @property
    def tied(self) -> int:
        """Its ties."""
        return int(self.board.tally[self.index, 1])

    @property
    def lost(self) -> int:
        """Votes it lost."""
        return int(self.board.tally[self.index, 2])

    @property
    def votes(self) -> int:
        """All of its votes."""
        return self.won + self.tied + self.lost

    @property
    def elo_strength(self) -> float | None:
        """Its Elo in log-strength; None without votes or a replay."""
        if self.replay is None or not self.votes:
            return None
        return float(self.replay.strength[self.index])

    @property
    def component(self) -> int | None:
        """The number of its scale; None without votes."""
        component = int(self.board.fit.field.component[self.index])
        return component if component >= 0 else None

    @property
    def status(self) -> str:
        """Why it has no rank, or that it is provisional."""
        if self.board.provisional[self.index]:
            return Rating.Status.PROVISIONAL
        return STATUS_NAMES[Status(self.board.fit.field.status[self.index])]


@dataclass(frozen=True)
class BoardRow:
    """A stored row of a board, in points."""

    rating: Rating
    points: float | None
    lower: float | None
    upper: float | None
    elo: float | None
    plot: str = ""
    # Whether its figures are rounded and some left out (leaderboard/boards/coarse.py).
    is_rounded: bool = False

    @property
    def margin(self) -> float | None:
        """Half of the interval's width."""
        if self.upper is None or self.lower is None:
            return None
        return (self.upper - self.lower) / 2

    @property
    def win_rate(self) -> float | None:
        """Percentage of its votes won, a tie counting half; None without votes."""
        rating = self.rating
        if not rating.votes or self.is_rounded:
            return None
        return 100 * (rating.wins + rating.ties / 2) / rating.votes

    @property
    def why_not_ranked(self) -> str:
        """Why it has no rank."""
        return explain_not_ranked(self.rating)


@dataclass(frozen=True)
class BoardColumn:
    """One column.

    name: in the downloads; kind: of its values there; heading, help: for people; value: from a
    row, None where there is none; cell: how the page shows a value as a fact behind the rating,
    None for what it draws in its own way or leaves to the downloads; compute: what is stored of
    it, from the fit, None for a column that is not stored; field: the field of `Rating` that keeps
    that, which the bundle has, if its name differs; weightings: of whose boards the page shows it.
    """

    name: str
    kind: type
    heading: Text
    help: Text
    value: Callable[[BoardRow], Any]
    cell: Callable[[Any], str] | None = None
    compute: Callable[[FittedRow], Any] | None = None
    field: str = ""
    weightings: tuple[str, ...] = tuple(Rating.Weighting.values)

    @property
    def stored(self) -> str:
        """The field of `Rating` that keeps it; empty where none does."""
        return (self.field or self.name) if self.compute else ""

    def display(self, row: BoardRow) -> str:
        """The value as text for the page."""
        value = self.value(row)
        if value is None or self.cell is None:
            return ""
        if not row.is_rounded:
            return self.cell(value)
        return _("about %(count)s") % {"count": self.cell(value)} if value else str(_("few"))

    def has_values(self, rows: list[BoardRow]) -> bool:
        """Whether any of the rows has one."""
        return any(self.value(row) is not None for row in rows)


def stored_column(
    name: str,
    kind: type,
    heading: Text,
    help: Text,
    compute: Callable[[FittedRow], Any],
    **more: Any,
) -> BoardColumn:
    """A column that shows a field of `Rating` unchanged; `field` if its name differs."""
    field = more.get("field", name)
    return BoardColumn(
        name, kind, heading, help, lambda row: getattr(row.rating, field), compute=compute, **more
    )


def none_if_nan(value: float) -> float | None:
    """A float for the database; None for NaN."""
    return None if np.isnan(value) else float(value)


def format_whole(value: float) -> str:
    """A whole number with thousands separators."""
    return number_format(value, decimal_pos=0, use_l10n=True, force_grouping=True)


def format_share(value: float) -> str:
    """A share in percent, with one decimal."""
    return f"{number_format(100 * value, decimal_pos=1, use_l10n=True)}%"


def win_rate(row: BoardRow) -> float | None:
    """Share of its votes that a model won, a tie counting half."""
    return None if row.win_rate is None else row.win_rate / 100


COLUMNS = (
    stored_column(
        "rank",
        int,
        _("Rank"),
        _("1 + the number of models with a higher rating."),
        lambda row: int(row.board.places.rank[row.index]) or None,
    ),
    stored_column(
        "rank_low",
        int,
        _("Rank from"),
        _("1 + the number of models that are certainly better."),
        lambda row: int(row.board.places.best[row.index]) or None,
    ),
    stored_column(
        "rank_high",
        int,
        _("Rank to"),
        _("The number of ranked models minus those certainly worse."),
        lambda row: int(row.board.places.worst[row.index]) or None,
    ),
    stored_column(
        "rank_upper_bound",
        int,
        _("Rank (UB)"),
        _(
            "As in Chatbot Arena: 1 + the number of models whose whole interval is above this "
            "one’s."
        ),
        lambda row: int(row.board.places.upper_bound[row.index]) or None,
    ),
    stored_column(
        "class",
        int,
        _("Class"),
        _("Models whose intervals overlap that of the first in the class."),
        lambda row: int(row.board.places.group[row.index]) or None,
        field="tier",
    ),
    BoardColumn("model", str, _("Model"), _("Its name."), lambda row: row.rating.competitor.name),
    BoardColumn(
        "organization",
        str,
        _("Organization"),
        _("Its developer."),
        lambda row: row.rating.competitor.organization,
    ),
    BoardColumn(
        "licence",
        str,
        _("Licence"),
        _("The licence it is available under."),
        lambda row: row.rating.competitor.licence,
    ),
    BoardColumn(
        "rating",
        float,
        _("Rating"),
        _("In points. 1,000 is the average model; 400 points more mean odds of ten to one."),
        lambda row: row.points,
    ),
    BoardColumn(
        "lower",
        float,
        _("Interval from"),
        _("The lower end of the 95% interval, in points."),
        lambda row: row.lower,
        compute=lambda row: none_if_nan(row.board.lower[row.index]),
    ),
    BoardColumn(
        "upper",
        float,
        _("Interval to"),
        _("The upper end of the 95% interval, in points."),
        lambda row: row.upper,
        compute=lambda row: none_if_nan(row.board.upper[row.index]),
    ),
    BoardColumn(
        "elo",
        float,
        _("Elo"),
        _("One pass over the votes in order, in points. Only on the unweighted board."),
        lambda row: row.elo,
        format_whole,
        lambda row: row.elo_strength,
        weightings=(Rating.Weighting.RAW,),
    ),
    stored_column(
        "strength",
        float,
        _("Strength"),
        _("The rating as a natural logarithm, mean 0."),
        lambda row: none_if_nan(row.board.fit.strength[row.index]),
    ),
    BoardColumn(
        "win_rate",
        float,
        _("Win rate"),
        _("Share of its votes that it won, with ties counted as half."),
        win_rate,
        format_share,
    ),
    stored_column(
        "votes",
        int,
        _("Votes"),
        _("Number of votes with this model."),
        lambda row: row.votes,
        cell=format_whole,
    ),
    stored_column("wins", int, _("Wins"), _("Number of votes it won."), lambda row: row.won),
    stored_column("ties", int, _("Ties"), _("Number of ties."), lambda row: row.tied),
    stored_column("losses", int, _("Losses"), _("Number of votes it lost."), lambda row: row.lost),
    stored_column(
        "component",
        int,
        _("Scale"),
        _("Models with the same number can be compared; 0 is the largest group."),
        lambda row: row.component,
    ),
    stored_column(
        "status",
        str,
        _("Status"),
        STATUS_HELP,
        lambda row: row.status,
    ),
)


def fact_columns(weighting: str) -> list[BoardColumn]:
    """The columns that the page shows behind the rating."""
    return [column for column in COLUMNS if column.cell and weighting in column.weightings]


def stored_fields() -> tuple[str, ...]:
    """The fields of `Rating` behind the columns."""
    return tuple(column.stored for column in COLUMNS if column.stored)


def compute_fields(row: FittedRow) -> dict[str, Any]:
    """What `Rating` stores of a competitor's row, by field."""
    return {column.stored: column.compute(row) for column in COLUMNS if column.compute}

"""The columns of a board, each declared once: the page, both downloads, the bundle and the docs
follow from `COLUMNS`.

A column that is computed from what a row has needs an entry here and nothing else; one that is
stored needs a field of `Rating`, too, and its migration.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leaderboard.models import Rating
from leaderboard.pages.board import BoardRow

Text = str | Promise


@dataclass(frozen=True)
class BoardColumn:
    """One column.

    name: in the downloads; kind: of its values there; heading, help: for people; value: from a
    row, None where there is none; cell: how the page shows a value as a fact behind the rating,
    None for what it draws in its own way or leaves to the downloads; stored: the field of `Rating`
    that keeps it, which the bundle has; weightings: of whose boards the page shows it.
    """

    name: str
    kind: type
    heading: Text
    help: Text
    value: Callable[[BoardRow], Any]
    cell: Callable[[Any], str] | None = None
    stored: str = ""
    weightings: tuple[str, ...] = tuple(Rating.Weighting.values)

    def display(self, row: BoardRow) -> str:
        """The value as text for the page."""
        value = self.value(row)
        return "" if value is None or self.cell is None else self.cell(value)


def stored_column(name: str, kind: type, heading: Text, help: Text, **more: Any) -> BoardColumn:
    """A column that shows a field of `Rating` unchanged; `field` if its name differs."""
    field = more.pop("field", name)
    return BoardColumn(
        name, kind, heading, help, lambda row: getattr(row.rating, field), stored=field, **more
    )


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
    stored_column("rank", int, _("Rank"), _("1 + the number of models with a higher rating.")),
    stored_column(
        "rank_low", int, _("Rank from"), _("1 + the number of models that are certainly better.")
    ),
    stored_column(
        "rank_high",
        int,
        _("Rank to"),
        _("The number of ranked models minus those certainly worse."),
    ),
    stored_column(
        "rank_upper_bound",
        int,
        _("Rank (UB)"),
        _(
            "As in Chatbot Arena: 1 + the number of models whose whole interval is above this "
            "one’s."
        ),
    ),
    stored_column(
        "class",
        int,
        _("Class"),
        _("Models whose intervals overlap that of the first in the class."),
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
    ),
    BoardColumn(
        "upper",
        float,
        _("Interval to"),
        _("The upper end of the 95% interval, in points."),
        lambda row: row.upper,
    ),
    BoardColumn(
        "elo",
        float,
        _("Elo"),
        _("One pass over the votes in order, in points. Only on the unweighted board."),
        lambda row: row.elo,
        format_whole,
        stored="elo",
        weightings=(Rating.Weighting.RAW,),
    ),
    stored_column(
        "strength", float, _("Strength"), _("The rating as a natural logarithm, mean 0.")
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
        "votes", int, _("Votes"), _("Number of votes with this model."), cell=format_whole
    ),
    stored_column("wins", int, _("Wins"), _("Number of votes it won.")),
    stored_column("ties", int, _("Ties"), _("Number of ties.")),
    stored_column("losses", int, _("Losses"), _("Number of votes it lost.")),
    stored_column(
        "component",
        int,
        _("Scale"),
        _("Models with the same number can be compared; 0 is the largest group."),
    ),
    stored_column(
        "status", str, _("Status"), _("Why it is provisional or not ranked; usually empty.")
    ),
)


def fact_columns(weighting: str) -> list[BoardColumn]:
    """The columns that the page shows behind the rating."""
    return [column for column in COLUMNS if column.cell and weighting in column.weightings]


def stored_fields() -> tuple[str, ...]:
    """The fields of `Rating` behind the columns."""
    return tuple(column.stored for column in COLUMNS if column.stored)


def describe_columns(columns: Iterable[BoardColumn] = COLUMNS) -> str:
    """The columns as a Markdown table, for docs/exports.md."""
    lines = ["| column | type | meaning |", "|---|---|---|"]
    lines += [f"| `{c.name}` | {c.kind.__name__} | {c.help} |" for c in columns]
    return "\n".join(lines) + "\n"

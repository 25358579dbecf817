"""The rows of the board page: selected from a snapshot, ordered, and converted to points; which
board was chosen, and the links to the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from arena.errors import NotFoundError
from arena.events.models import Category, Event, Question
from leaderboard.boards.columns import BoardRow
from leaderboard.boards.not_ranked import NOT_RANKED
from leaderboard.boards.snapshot_details import SnapshotDetails, board_key
from leaderboard.models import Rating, Snapshot
from leaderboard.pages.rounded_ratings import round_ratings
from leaderboard.pages.svg_charts import Axis, draw_axis_labels, draw_whisker, fit_axis
from leaderboard.ratings import scale

Weighting = Rating.Weighting


@dataclass(frozen=True)
class BoardChoice:
    """The board a visitor selected; `default` is the question used where the address names none."""

    default: Question
    question: Question
    category: Category | None
    weighting: str

    @property
    def key(self) -> str:
        """Its name among the snapshot's details."""
        return board_key(
            self.question.pk, self.category.pk if self.category else None, self.weighting
        )

    @property
    def style_key(self) -> str:
        """The key of the style-controlled board, whose details may say why there is none."""
        return board_key(self.question.pk, None, Weighting.STYLE)

    @property
    def raw_key(self) -> str:
        """The key of the unweighted board, whose details hold the head-to-head counts."""
        return board_key(
            self.question.pk, self.category.pk if self.category else None, Weighting.RAW
        )

    def query(self, **more: str) -> str:
        """The query string for this board, without default values."""
        parts = {}
        if self.question != self.default:
            parts["question"] = self.question.name
        if self.category:
            parts["category"] = self.category.slug
        if self.weighting != Weighting.RAW:
            parts["weighting"] = self.weighting
        parts |= more
        return f"?{urlencode(parts)}" if parts else ""


@dataclass(frozen=True)
class Tier:
    """A class: rows whose intervals overlap that of its first (see `overlaps`)."""

    number: int | None
    rows: list[BoardRow]

    @property
    def leader(self) -> str:
        return self.rows[0].rating.competitor.name

    @property
    def overlaps(self) -> bool:
        """Whether all intervals overlap the first: the last class also takes all remaining rows."""
        low = self.rows[0].lower
        uppers = (row.upper if row.upper is not None else row.points for row in self.rows)
        return low is None or all(upper is not None and upper >= low for upper in uppers)


@dataclass(frozen=True)
class Group:
    """Competitors on one scale."""

    tiers: list[Tier]
    axis: SafeString

    @property
    def rows(self) -> list[BoardRow]:
        return [row for tier in self.tiers for row in tier.rows]


@dataclass(frozen=True)
class BoardTable:
    """A whole board: one group per scale, and the unranked."""

    groups: list[Group] = field(default_factory=list)
    unranked: list[BoardRow] = field(default_factory=list)

    @property
    def everybody(self) -> list[BoardRow]:
        """Every row, ranked ones first."""
        return [*(row for group in self.groups for row in group.rows), *self.unranked]

    @property
    def unranked_heading(self) -> str:
        """What heads the rows without a rank."""
        return str(NOT_RANKED)

    @property
    def is_provisional(self) -> bool:
        """Whether every ranked row is provisional: then the page says so once, not in every row."""
        rows = [row for group in self.groups for row in group.rows]
        return bool(rows) and all(row.rating.status == Rating.Status.PROVISIONAL for row in rows)


def choose_board(event: Event, wanted: dict[str, str]) -> BoardChoice:
    """The board named by the query parameters. Raises `NotFoundError`."""
    questions = {asked.name: asked for asked in event.questions.filter(kind="preference")}
    default = next(iter(questions.values()), None)
    question = questions.get(wanted["question"]) if "question" in wanted else default
    weighting = wanted.get("weighting", Weighting.RAW)
    slug = wanted.get("category")
    category = event.categories.filter(slug=slug).first() if slug else None
    if (
        not default
        or not question
        or weighting not in Weighting.values
        or (slug and category is None)
        or (slug and weighting == Weighting.STYLE)
    ):
        raise NotFoundError
    return BoardChoice(default, question, category, weighting)


def read_table(snapshot: Snapshot, choice: BoardChoice, *, is_rounded: bool = False) -> BoardTable:
    """The chosen board's rows, best first within each scale; rounded, without the figures that a
    single vote would show in (leaderboard/boards/coarse.py)."""
    ratings = snapshot.ratings.filter(
        question=choice.question, category=choice.category, weighting=choice.weighting
    ).select_related("competitor")
    found = round_ratings(list(ratings)) if is_rounded else ratings
    rows = [to_board_row(rating, is_rounded=is_rounded) for rating in found]
    rated = [row for row in rows if row.points is not None]
    rated.sort(key=lambda row: (row.rating.component, row.rating.rank, row.rating.competitor_id))
    scales = groupby(rated, key=lambda row: row.rating.component)
    unranked = [row for row in rows if row.points is None]
    unranked.sort(key=lambda row: (-(row.rating.votes or 0), row.rating.competitor.name))
    return BoardTable([group_by_tier(list(scale)) for _, scale in scales], unranked)


def to_board_row(rating: Rating, *, is_rounded: bool = False) -> BoardRow:
    """A rating in points."""
    points, lower, upper, elo = (
        None if value is None else strength_to_points(value)
        for value in (rating.strength, rating.lower, rating.upper, rating.elo)
    )
    return BoardRow(rating, points, lower, upper, elo, is_rounded=is_rounded)


def strength_to_points(strength: float) -> float:
    """A natural-log strength in points."""
    return float(scale.to_points(np.array(strength)))


def group_by_tier(rows: Sequence[BoardRow]) -> Group:
    """Rows of one scale with their plots on a common axis."""
    axis = fit_axis(
        [row.points for row in rows if row.points is not None],
        [end for row in rows for end in (row.lower, row.upper) if end is not None],
    )
    tiers = groupby((add_whisker(row, axis) for row in rows), key=lambda row: row.rating.tier)
    return Group([Tier(number, list(members)) for number, members in tiers], draw_axis_labels(axis))


def add_whisker(row: BoardRow, axis: Axis) -> BoardRow:
    """The row with its dot-and-whisker plot."""
    assert row.points is not None
    plot = draw_whisker(axis, row.points, row.lower, row.upper)
    return replace(row, plot=plot)


def filter_links(
    event: Event, choice: BoardChoice, details: SnapshotDetails, *, is_rounded: bool = False
) -> dict[str, list[dict[str, Any]]]:
    """The filters as links: label, query and whether it is the current one."""
    questions = event.questions.filter(kind="preference")
    weightings = available_weightings(choice, details, is_rounded=is_rounded)
    # Style is controlled over all records, not by category.
    within = Weighting.RAW if choice.weighting == Weighting.STYLE else choice.weighting
    return {
        "questions": [
            filter_link(choice, question.title, question=question) for question in questions
        ],
        "categories": [
            filter_link(choice, _("All"), category=None),
            *(
                filter_link(choice, item.name, category=item, weighting=within)
                for item in event.categories.all()
            ),
        ],
        "weightings": [
            filter_link(choice, Weighting(value).label, weighting=value) for value in weightings
        ]
        if len(weightings) > 1
        else [],
    }


def available_weightings(
    choice: BoardChoice, details: SnapshotDetails, *, is_rounded: bool
) -> list[str]:
    """Weightings for which the public has a board: rounded ones are unweighted."""
    if is_rounded:
        return [Weighting.RAW.value]
    found = [Weighting.RAW.value]
    for weighting in (Weighting.WEIGHTED, Weighting.STYLE):
        board = details.board(board_key(choice.question.pk, None, weighting))
        by_category = weighting != Weighting.STYLE
        if board.fit and (by_category or not choice.category):
            found.append(weighting.value)
    return found


def filter_link(choice: BoardChoice, label: Any, **change: Any) -> dict[str, Any]:
    """A link to the chosen board with one filter changed."""
    there = replace(choice, **change)
    return {"label": label, "query": there.query(), "is_current": there == choice}


def read_pairs(
    details: SnapshotDetails, choice: BoardChoice
) -> Iterator[tuple[int, int, int, int, int]]:
    """Head-to-head counts: two competitors' primary keys, wins, ties, wins of the second."""
    keys, flat = details.competitors, details.board(choice.raw_key).pairs or ()
    for i, j, won, tied, lost in zip(*(iter(flat),) * 5, strict=True):
        yield keys[i], keys[j], won, tied, lost

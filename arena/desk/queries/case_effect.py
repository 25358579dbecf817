"""What hangs on a case, in words: the board and the prize with and without its contributor."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from arena.events.models import Competitor
from arena.judging.models import Case
from leaderboard.boards.without import BoardWithout, PrizeWithout
from leaderboard.models import CaseEffect, Rating
from leaderboard.ratings import scale
from leaderboard.snapshots.case_effects import read_boards, read_prize

MAX_ROWS = 10
"""Models of a board that are shown: those that change places, and those that move most."""


@dataclass(frozen=True)
class MovedModel:
    """A model's ranks with and without them (None: not ranked), and the shift in points (None:
    no longer rated)."""

    name: str
    rank: int | None
    rank_without: int | None
    shift: float | None

    @property
    def changes_place(self) -> bool:
        """Whether its rank is another without them."""
        return self.rank != self.rank_without


@dataclass(frozen=True)
class EffectOnBoard:
    """One board: what it is called, a sentence on its first place, the models that move, and what
    they contribute to it."""

    label: str | Promise
    sentence: str
    rows: list[MovedModel]
    votes: int
    of: int


@dataclass(frozen=True)
class EffectOfCase:
    """The boards, a sentence on the prize, and when it was computed."""

    boards: list[EffectOnBoard]
    prize: str
    computed_at: datetime


def view_effect(case: Case | None) -> EffectOfCase | None:
    """What hangs on a case; None where it has not been computed."""
    effect: CaseEffect | None = getattr(case, "effect", None) if case else None
    if effect is None or effect.computed_at is None:
        return None
    boards, prize = read_boards(effect), read_prize(effect)
    names = read_names(boards.values())
    return EffectOfCase(
        [
            describe_board(weighting, boards[weighting], names)
            for weighting in (Rating.Weighting.RAW, Rating.Weighting.WEIGHTED)
            if weighting in boards
        ],
        describe_prize(prize) if prize else "",
        effect.computed_at,
    )


def read_names(boards: Iterable[BoardWithout]) -> dict[int, str]:
    """Names of the models, by primary key."""
    keys = {move.model for board in boards for move in board.moves}
    found = Competitor.objects.filter(pk__in=keys)
    return dict(found.values_list("pk", "name"))


def describe_board(weighting: str, board: BoardWithout, names: dict[int, str]) -> EffectOnBoard:
    """One board in words."""
    moved = sorted(
        board.moves,
        key=lambda move: (move.rank == move.rank_without, -abs(move.shift or 0.0)),
    )[:MAX_ROWS]
    in_order = [move for move in board.moves if move in moved]
    return EffectOnBoard(
        Rating.Weighting(weighting).label,
        describe_first_place(board, names),
        [
            MovedModel(
                names.get(move.model, "–"),
                move.rank,
                move.rank_without,
                None if move.shift is None else float(scale.spread_to_points(np.array(move.shift))),
            )
            for move in in_order
        ],
        board.votes,
        board.of,
    )


def describe_first_place(board: BoardWithout, names: dict[int, str]) -> str:
    """Whether anything about the first place changes without them."""
    first, without = (
        names.get(place.model, "–") if place.model is not None else None
        for place in (board.first, board.first_without)
    )
    if first is None:
        return _("Nobody is first on this board.")
    if without is None:
        return _("Without them nobody would be first.")
    if board.changes_first:
        return _("Without them %(without)s would be first, not %(first)s.") % {
            "first": first,
            "without": without,
        }
    if board.changes_separation and board.first.is_separated:
        return _(
            "%(first)s stays first without them, but would no longer be told apart from the second."
        ) % {"first": first}
    if board.changes_separation:
        return _(
            "%(first)s stays first without them, and would then be told apart from the second."
        ) % {"first": first}
    return _("%(first)s stays first without them.") % {"first": first}


def describe_prize(prize: PrizeWithout) -> str:
    """Where they stand for the prize."""
    if prize.place is None:
        return _("They have no score, so nothing about the prize hangs on them.")
    if prize.changes_first:
        return _("They are first among the contributors: without them somebody else would be.")
    return _(
        "They are number %(place)s of %(places)s contributors with a score: the first place stays "
        "as it is without them."
    ) % {"place": prize.place, "places": prize.places}

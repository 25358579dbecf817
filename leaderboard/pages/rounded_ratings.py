"""Stored ratings as the public sees them while a running event hides its controls."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from copy import copy
from typing import Any

import numpy as np

from leaderboard.boards.coarse import CoarseBoard, coarsen, round_counts
from leaderboard.boards.not_ranked import FEW_TO_ROUND
from leaderboard.models import Rating
from leaderboard.ratings import Floats, scale

COUNTS = ("votes", "wins", "ties", "losses")
RANKS = {"rank": "rank", "rank_low": "best", "rank_high": "worst", "rank_upper_bound": "best"}
"""Fields of a rating and the arrays of `CoarseBoard` that they come from."""


def round_ratings(ratings: Sequence[Rating]) -> list[Rating]:
    """Copies of one board's ratings, never to be saved, with rounded figures.

    No sequential Elo, which a single vote moves; on boards of a category no numbers of votes.
    """
    if not ratings:
        return []
    board = round_board(ratings)
    return [round_rating(rating, board, index) for index, rating in enumerate(ratings)]


def list_leaders(ratings: Iterable[Rating], rounded: Collection[int]) -> dict[int, list[str]]:
    """The names of the models in first place by event, each once.

    ratings: of boards over all records; rounded: the events whose boards are shown rounded. Where
    rounding has put all of a board's models level, nobody leads.
    """
    leaders: dict[int, list[str]] = defaultdict(list)
    boards = defaultdict(list)
    for rating in ratings:
        boards[rating.snapshot.event_id, rating.question_id].append(rating)
    for (event, _question), board in boards.items():
        shown = round_ratings(board) if event in rounded else board
        first = [rating.competitor.name for rating in shown if rating.rank == 1]
        if event not in rounded or len(first) < sum(1 for rating in shown if rating.rank):
            leaders[event] += first
    return leaders


def round_board(ratings: Sequence[Rating]) -> CoarseBoard:
    """The figures of one board's ratings, rounded; by their index."""
    columns = (read_floats(ratings, name) for name in ("strength", "lower", "upper"))
    numbers = [
        [rating.votes, -1 if rating.component is None else rating.component] for rating in ratings
    ]
    votes, component = np.array(numbers, dtype=np.int64).T
    return coarsen(*columns, votes, component)


def read_floats(ratings: Sequence[Rating], name: str) -> Floats:
    """A field of all ratings: float64 (n,), NaN where it is null."""
    return np.array([getattr(rating, name) for rating in ratings], dtype=np.float64)


def round_rating(rating: Rating, board: CoarseBoard, index: int) -> Rating:
    """One of the copies."""
    shown: Any = copy(rating)
    shown.elo = None
    for name, points in zip(
        ("strength", "lower", "upper"), (board.points, board.lower, board.upper), strict=True
    ):
        value = points[index]
        setattr(shown, name, None if np.isnan(value) else float(scale.to_strength(value)))
    for name, source in RANKS.items():
        setattr(shown, name, int(getattr(board, source)[index]) or None)
    shown.tier = int(board.group[index]) or None
    counts = np.array([getattr(rating, name) for name in COUNTS])
    for name, count in zip(COUNTS, round_counts(counts).tolist(), strict=True):
        setattr(shown, name, count if rating.category_id is None else None)
    if rating.strength is not None and shown.strength is None:
        shown.status = FEW_TO_ROUND
    return shown

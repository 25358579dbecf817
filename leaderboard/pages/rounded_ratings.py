"""Stored ratings as the public sees them while a running event hides its controls."""

from collections.abc import Sequence
from copy import copy

import numpy as np

from leaderboard.boards.coarse import CoarseBoard, coarsen, round_counts
from leaderboard.boards.not_ranked import FEW_TO_ROUND
from leaderboard.models import Rating
from leaderboard.ratings import Floats, scale

LIMITS = ("strength", "lower", "upper")
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


def round_board(ratings: Sequence[Rating]) -> CoarseBoard:
    """The figures of one board's ratings, rounded; by their index."""
    strength, lower, upper = (read_floats(ratings, name) for name in LIMITS)
    numbers = [
        [rating.votes, -1 if rating.component is None else rating.component] for rating in ratings
    ]
    votes, component = np.array(numbers, dtype=np.int64).T
    return coarsen(strength, lower, upper, votes, component)


def read_floats(ratings: Sequence[Rating], name: str) -> Floats:
    """A field of all ratings: float64 (n,), NaN where it is null."""
    return np.array([getattr(rating, name) for rating in ratings], dtype=np.float64)


def round_rating(rating: Rating, board: CoarseBoard, index: int) -> Rating:
    """One of the copies."""
    shown = copy(rating)
    shown.elo = None
    for name, points in zip(LIMITS, (board.points, board.lower, board.upper), strict=True):
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

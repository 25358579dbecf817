"""What a board would be without one contributor's votes, by fitting it again."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leaderboard.boards.diagnostics import centre_shift
from leaderboard.boards.fit import FittedBoard, fit_board
from leaderboard.ratings import Floats, Votes, compare

MAX_MOVES = 100
"""Models whose moves are kept, those that move most."""
SEPARATION_INFLUENCE = 0.5
"""Influence at least where first and second are told apart on one of the two boards alone."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """A model with and without somebody's votes: rank (None: not ranked), and the shift of its
    rating in log-strength, beside the mean of all (None: then not rated)."""

    model: int
    rank: int | None
    rank_without: int | None
    shift: float | None


@dataclass(frozen=True, kw_only=True)
class FirstPlace:
    """Who is first, by how much in log-strength (None: no second on the same scale), and whether
    Holm's test tells it from the second."""

    model: int | None
    lead: float | None
    is_separated: bool


@dataclass(frozen=True, kw_only=True)
class BoardWithout:
    """A board beside itself without somebody. votes: theirs; of: all; moves: by rank, at most
    `MAX_MOVES`."""

    votes: int
    of: int
    first: FirstPlace
    first_without: FirstPlace
    moves: tuple[Move, ...]

    @property
    def changes_first(self) -> bool:
        """Whether another model is first without them, or none."""
        return self.first.model != self.first_without.model

    @property
    def changes_separation(self) -> bool:
        """Whether first and second are told apart on one of the two boards alone."""
        return self.first.is_separated != self.first_without.is_separated

    @property
    def largest(self) -> Move | None:
        """The largest shift of a rating."""
        known = [move for move in self.moves if move.shift is not None]
        return max(known, key=lambda move: abs(move.shift or 0.0), default=None)

    @property
    def influence(self) -> float:
        """Influence on the first place, from 0 to 1: 1 where it changes; else the change of its
        lead as a share of the larger lead, and one half at least where first and second are told
        apart on one of the two boards alone."""
        if self.changes_first:
            return 1.0
        leads = (self.first.lead or 0.0, self.first_without.lead or 0.0)
        share = abs(leads[0] - leads[1]) / max(leads) if max(leads) > 0.0 else 0.0
        least = SEPARATION_INFLUENCE if self.changes_separation else 0.0
        return min(max(share, least), 1.0)


@dataclass(frozen=True, kw_only=True)
class PrizeWithout:
    """Where somebody stands among the contributors, by exact score. place: None without a score;
    places: how many have one; share: their score of the best one's, 0 without."""

    place: int | None
    places: int
    share: float

    @property
    def changes_first(self) -> bool:
        """Whether another contributor is first without them."""
        return self.place == 1

    @property
    def influence(self) -> float:
        """Influence on the prize, from 0 to 1: 1 where they are first."""
        return 1.0 if self.changes_first else min(max(self.share, 0.0), 1.0)


def leave_out(
    votes: Votes, board: FittedBoard, contributor: int, competitors: tuple[int, ...]
) -> BoardWithout:
    """The board of these votes, fitted already, beside that of all but one contributor's.

    Everything is computed again, intervals too, by their index as in `Votes.contributor`; the
    weights of the others' votes stay as they are. Raises `RatingError` where nothing converges.
    """
    assert votes.contributor is not None
    rest = np.flatnonzero(votes.contributor != contributor)
    without = fit_board(votes.take(rest))
    moved = without.fit.strength - board.fit.strength
    shift = centre_shift(moved[None, :], board.fit)[0]
    return BoardWithout(
        votes=len(votes) - len(rest),
        of=len(votes),
        first=describe_first(board, competitors),
        first_without=describe_first(without, competitors),
        moves=tuple(list_moves(board, without, shift, competitors)),
    )


def list_moves(
    board: FittedBoard, without: FittedBoard, shift: Floats, competitors: tuple[int, ...]
) -> Iterator[Move]:
    """Those that move most, by rank; a model that is no longer rated is among them."""
    rated = np.isfinite(board.fit.strength)
    size = np.where(np.isfinite(shift), np.abs(shift), np.where(rated, np.inf, -1.0))
    chosen = np.argsort(-size, kind="stable")[:MAX_MOVES]
    rank = board.places.rank.astype(np.int64)
    last = np.where(rank > 0, rank, rank.max(initial=0) + 1)
    for index in chosen[np.lexsort([chosen, last[chosen]])]:
        yield Move(
            model=competitors[index],
            rank=rank_of(board, index),
            rank_without=rank_of(without, index),
            shift=float(shift[index]) if np.isfinite(shift[index]) else None,
        )


def rank_of(board: FittedBoard, index: int) -> int | None:
    """A model's rank; None where it has none."""
    rank = int(board.places.rank[index])
    return rank if rank > 0 else None


def describe_first(board: FittedBoard, competitors: tuple[int, ...]) -> FirstPlace:
    """Who is first on the first scale, and how surely."""
    leader = board.fit.leader()
    if leader < 0:
        return FirstPlace(model=None, lead=None, is_separated=False)
    strength, group = board.fit.strength, board.fit.groups()[0]
    others = group[group != leader]
    if not len(others):
        return FirstPlace(model=competitors[leader], lead=None, is_separated=False)
    second = int(others[np.argmax(strength[others])])
    contrast = compare(board.fit, board.covariance)
    return FirstPlace(
        model=competitors[leader],
        lead=float(strength[leader] - strength[second]),
        is_separated=bool(contrast.better[leader, second]),
    )

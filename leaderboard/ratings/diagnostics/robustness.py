"""How few changed votes would displace the leader."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import expit

from ..compute.arrays import Floats, Ints
from ..compute.newton import gauge_weight, solve
from ..data.connectivity import STRENGTH_TOLERANCE, find_components
from ..data.counts import OUTCOMES, Counts
from ..models.bradley_terry import Fit, derivatives, newton, submatrix

MAX_CHALLENGERS = 5
"""How many competitors, next in rank to the leader, are tried."""
MAX_REFITS = 50
"""Maximum number of fits per challenger."""


class Change(StrEnum):
    """How a vote is changed."""

    DROP = "drop"
    """It is removed."""
    FLIP = "flip"
    """It is reversed; a tie becomes a win."""


@dataclass(frozen=True, slots=True, eq=False)
class Robustness:
    """The smallest number of changed votes found that brings a challenger level with the leader.

    votes: how many are enough, as checked by fitting again; fewer might be. None where none of the
    challengers can be brought level so. share: of all votes; challenger: who is then level or
    above; leader: who was first, -1 on an empty board.
    """

    votes: int | None
    share: float
    leader: int
    challenger: int
    change: Change


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Groups of like votes: y is i's score against j, w their mean weight, n their number."""

    i: Ints
    j: Ints
    y: Floats
    w: Floats
    n: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Board:
    """The first scale of a fit, competitors numbered from 0 within it."""

    cells: _Cells
    won: Floats
    strength: Floats
    prior: float
    change: Change


def unseat(
    counts: Counts, fit: Fit, change: Change = Change.DROP, challengers: int = MAX_CHALLENGERS
) -> Robustness:
    """Search for the least number of votes whose change unseats the leader.

    Greedy, for each of the next in rank: a change of δ in the score of a vote on i and j moves the
    gap between leader and challenger by about (a_i - a_j)·δ, a = L⁺·(e_leader - e_challenger) (an
    influence function; for arenas see Huang et al. 2025, arXiv 2508.11847). The votes that close it
    most go first, half as many as seem to be needed at a time, and the strengths are fitted again.
    """
    leader = fit.leader()
    best, unseated_by = None, -1
    if leader >= 0:
        group = fit.groups()[0]
        won, strength = submatrix(fit.wins, group), fit.strength[group]
        board = _Board(_cells(counts, fit, group), won, strength, fit.prior, change)
        first = int(np.searchsorted(group, leader))
        order = np.argsort(-strength, kind="stable")
        for challenger in order[order != first][:challengers]:
            found = _close_gap(board, first, int(challenger), best)
            if found is not None:
                best, unseated_by = found, int(group[challenger])
    share = np.nan if best is None else best / int(counts.votes.sum())
    return Robustness(best, share, leader, unseated_by, change)


def _cells(counts: Counts, fit: Fit, group: Ints) -> _Cells:
    i, j = np.triu_indices(len(group), 1)
    a, b = group[i], group[j]
    columns = []
    for outcome in range(OUTCOMES):
        n = counts.votes[outcome, a, b] + counts.votes[-1 - outcome, b, a]
        mass = counts.mass[outcome, a, b] + counts.mass[-1 - outcome, b, a]
        seen = np.flatnonzero(mass > 0)
        y = np.full(len(seen), fit.scores[outcome])
        columns.append((i[seen], j[seen], y, mass[seen] / n[seen], n[seen]))
    return _Cells(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def _close_gap(board: _Board, leader: int, challenger: int, limit: int | None) -> int | None:
    """Number of votes to change until the challenger is level; None for `limit` or more."""
    won, strength, left = board.won.copy(), board.strength, board.cells.n.copy()
    changed, most = 0, int(left.sum())
    for _ in range(MAX_REFITS):
        gap = float(strength[leader] - strength[challenger])
        if gap <= STRENGTH_TOLERANCE:
            return changed
        moves, gain = _change_effects(board, won, strength, leader, challenger)
        order = np.argsort(-gain, kind="stable")
        order = order[(gain[order] > 0.0) & (left[order] > 0)]
        batch = min(-(-_votes_needed(gain[order], left[order], gap) // 2), most)
        if batch == 0 or (limit is not None and changed + batch >= limit):
            return None
        taken = np.diff(np.minimum(np.cumsum(left[order]), batch), prepend=0)
        tried = _apply_changes(won, board.cells, order, taken * moves[:, order])
        refitted = _refit(tried, board.prior)
        closed = refitted is None or refitted[leader] - refitted[challenger] <= STRENGTH_TOLERANCE
        if closed and batch > 1:
            most = batch // 2  # perhaps fewer are enough
            continue
        if refitted is None:
            return None
        won, strength = tried, refitted
        left[order] -= taken
        changed += batch
    return None


def _change_effects(
    board: _Board, won: Floats, strength: Floats, leader: int, challenger: int
) -> tuple[Floats, Floats]:
    """Per cell: change of wins[i, j] and wins[j, i] per vote, and the gap it closes."""
    _, information = derivatives(strength, won + won.T, won.sum(1), board.prior)
    if board.prior <= 0:
        information += gauge_weight(information)
    contrast = np.zeros(len(won))
    contrast[leader], contrast[challenger] = 1.0, -1.0
    pull = solve(information, contrast)
    cells = board.cells
    slope = pull[cells.i] - pull[cells.j]
    if board.change is Change.FLIP:
        delta = np.where(slope > 0.0, -cells.y, 1.0 - cells.y)
        return np.stack([cells.w * delta, -cells.w * delta]), -slope * delta * cells.w
    delta = expit(strength[cells.i] - strength[cells.j]) - cells.y
    return np.stack([-cells.w * cells.y, cells.w * (cells.y - 1.0)]), -slope * delta * cells.w


def _votes_needed(gain: Floats, left: Ints, gap: float) -> int:
    """Estimated number of votes, largest gain first, that close the gap; at most all."""
    closed = np.cumsum(gain * left)
    if len(closed) == 0 or closed[-1] < gap:
        return int(left.sum())
    last = int(np.searchsorted(closed, gap))
    before = closed[last] - gain[last] * left[last]
    return int(left[:last].sum() + np.ceil((gap - before) / gain[last]))


def _apply_changes(won: Floats, cells: _Cells, order: Ints, moves: Floats) -> Floats:
    won, i, j = won.copy(), cells.i[order], cells.j[order]
    np.add.at(won, (i, j), moves[0])
    np.add.at(won, (j, i), moves[1])
    won[won < STRENGTH_TOLERANCE] = (
        0.0  # what rounding leaves of a pair that has lost all its votes
    )
    return won


def _refit(won: Floats, prior: float) -> Floats | None:
    """Strengths, or None where they are no longer all on one scale."""
    if prior <= 0 and not find_components(won).is_single_scale:
        return None
    return newton(won, prior)[0]

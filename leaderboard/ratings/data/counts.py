"""Votes folded to their sufficient statistics: exact integers that add and subtract."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ..compute.arrays import Floats, Ints, Mask
from ..compute.chunks import chunks
from ..compute.compiled import COMPILED, compiled
from ..compute.errors import RatingError
from .votes import MAX_OUTCOME, WEIGHT_UNIT, Votes

OUTCOMES = 2 * MAX_OUTCOME + 1
SIGN_SCORES: Floats = np.array([0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0])
"""Score of the first competitor by outcome -3 … 3: a win is a win, a tie is half of one."""
GRADED_SCORES: Floats = np.arange(OUTCOMES) / (OUTCOMES - 1)
"""Graded scores 0, 1/6, 1/3, 1/2, 2/3, 5/6, 1: "slightly better" moves less than "much better"."""

INT64_MAX = np.iinfo(np.int64).max
BLOCK_ROWS = 1 << 10
"""Rows per block of the compiled loop."""


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How often each outcome was seen for each ordered pair.

    votes: int64 (7, M, M), votes[o + 3, i, j] = number of votes with first i, second j, outcome o;
    weight: int64 (7, M, M), the sum of their weights in units of 2**-12, or None: all weigh 1;
    square: int64 (7, M, M), the sum of squared weights in units of 2**-24, or None.

    Counts of disjoint sets of votes add, and counts of a subset subtract, without any rounding.
    """

    votes: Ints
    weight: Ints | None = None
    square: Ints | None = None

    @property
    def competitors(self) -> int:
        """M, the number of competitors."""
        return len(self.votes[0])

    @property
    def mass(self) -> Floats | Ints:
        """Summed weights of each cell, (7, M, M)."""
        return self.votes if self.weight is None else self.weight / WEIGHT_UNIT

    @property
    def squared_mass(self) -> Floats | Ints:
        """Summed squared weights of each cell, (7, M, M)."""
        return self.votes if self.square is None else self.square / WEIGHT_UNIT**2

    def __add__(self, other: Self) -> "Counts":
        return self._combine(other, np.add, "sums too large to be exact")

    def __sub__(self, other: Self) -> "Counts":
        """Counts without those of `other`, whose votes must be among these."""
        return self._combine(other, np.subtract, "subtracted votes that were never counted")

    def _combine(
        self, other: "Counts", combine: Callable[[Ints, Ints], Ints], otherwise: str
    ) -> "Counts":
        """The combined tables. Raises RatingError for negative cells, which overflow gives too."""
        if self.votes.shape != other.votes.shape:
            raise RatingError("counts of different numbers of competitors")
        if (self.weight is None) != (other.weight is None):
            raise RatingError("weighted and unweighted counts do not mix")
        tables = [
            combine(mine, theirs)
            for mine, theirs in zip(self._tables(), other._tables(), strict=True)
        ]
        if any(table.min(initial=0) < 0 for table in tables):
            raise RatingError(otherwise)
        return Counts(*tables)

    def _tables(self) -> list[Ints]:
        return [t for t in (self.votes, self.weight, self.square) if t is not None]


def fold(votes: Votes) -> Counts:
    """Count votes per (outcome, first, second), in one pass and without sorting."""
    m, weight = votes.competitors, votes.weight
    if weight is not None and len(votes) * int(weight.max(initial=0)) ** 2 > INT64_MAX:
        raise RatingError("weights too large for exact sums")
    sums = np.zeros((1 if weight is None else 3, OUTCOMES * m * m), dtype=np.int64)
    if COMPILED and weight is None:
        # half as wide, more of the cells stay in the processor's cache
        cells = np.zeros(len(sums[0]), np.uint32 if len(votes) < 1 << 32 else np.int64)
        count_rows(cells, m, votes.outcome, votes.first, votes.second)
        sums[0] = cells
    else:
        count_columns(sums, votes)
    counts = Counts(*sums.reshape(len(sums), OUTCOMES, m, m))
    if np.einsum("oii->", counts.votes):
        raise RatingError("a vote compares a competitor with itself")
    return counts


@compiled
def count_rows(cells: Any, m: Any, outcome: Any, first: Any, second: Any) -> None:
    """Add unweighted votes to their cells ((outcome + 3)·M + first)·M + second, one at a time.

    The cells of some rows are computed before any is added to: that loop has no memory to wait for
    and is compiled to work on several rows at once.
    """
    cell = np.empty(BLOCK_ROWS, dtype=np.uint32)
    for start in range(0, len(outcome), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        o, i, j = outcome[rows], first[rows], second[rows]
        for v in range(len(o)):
            cell[v] = ((o[v] + MAX_OUTCOME) * m + i[v]) * m + j[v]
        for v in range(len(o)):
            cells[cell[v]] += 1


def count_columns(sums: Ints, votes: Votes) -> None:
    """Add votes, and their weights and squared weights, to the same cells, without a loop."""
    for part, cell in _cells(votes):
        np.add.at(sums[0], cell, 1)
        if votes.weight is not None:
            w = votes.weight[part]
            np.add.at(sums[1], cell, w)
            np.add.at(sums[2], cell, w * w)


def _cells(votes: Votes) -> Iterator[tuple[slice, Ints]]:
    """The cell of each vote, for some rows at a time."""
    for part in chunks(len(votes)):
        cell = votes.outcome[part].astype(np.int32)
        cell += MAX_OUTCOME
        cell *= votes.competitors
        cell += votes.first[part]
        cell *= votes.competitors
        cell += votes.second[part]
        yield part, cell.astype(np.int64)


def wins(counts: Counts, scores: Floats = SIGN_SCORES) -> Floats:
    """Wins of i over j, ties and graded outcomes as fractions: float64 (M, M).

    wins[i, j] = Σ w·y over votes with first i and second j, plus Σ w·(1-y) over those the other way
    round, where y = scores[outcome + 3]. wins + wins.T is the weight of each pair's comparisons.
    """
    check_scores(scores)
    ahead, behind = np.zeros((2, *counts.votes.shape[1:]))
    mass = counts.mass
    for outcome in np.flatnonzero(counts.votes.max((1, 2), initial=0)):
        score, cells = scores[outcome], mass[outcome]
        if score > 0.0:
            ahead += score * cells
        if score < 1.0:
            behind += (1.0 - score) * cells
    total: Floats = ahead + behind.T
    return total


def check_scores(scores: Floats) -> None:
    """Scores must be symmetric, y(o) + y(-o) = 1, and lie in [0, 1]. Raises RatingError."""
    if scores.shape != (OUTCOMES,) or not (abs(scores + scores[::-1] - 1.0) < 1e-8).all():
        raise RatingError("scores must have seven entries with y(o) + y(-o) = 1")
    if scores.min() < 0.0 or scores.max() > 1.0:
        raise RatingError("scores must lie between 0 and 1")


# Library API of the engine: the site does not use it.
def resize(counts: Counts, competitors: int) -> Counts:
    """The counts enlarged for competitors that joined later."""
    m = counts.competitors
    if competitors < m:
        raise RatingError("counts cannot lose competitors")
    grow = ((0, 0), (0, competitors - m), (0, competitors - m))
    if counts.weight is None or counts.square is None:
        return Counts(np.pad(counts.votes, grow))
    return Counts(*(np.pad(cells, grow) for cells in (counts.votes, counts.weight, counts.square)))


def effective_votes(counts: Counts, informative: Mask | None = None) -> Floats:
    """Effective number of votes of each competitor: float64 (M,).

    informative: bool (M, M), the pairs whose votes count, all if None.

    Kish's (Σw)² / Σw² (Survey Sampling, 1965, section 11.7) over the votes a competitor is in; the
    number of its votes where all weigh the same. 0 without votes or where all weights are zero.
    """
    total = _per_competitor(counts.mass, informative)
    if counts.weight is None:
        return total
    square = _per_competitor(counts.squared_mass, informative)
    return np.asarray(np.divide(total**2, square, out=np.zeros_like(total), where=square > 0))


def tally(counts: Counts) -> Ints:
    """Rows each competitor won, tied and lost, whatever their weight: int64 (M, 3)."""
    won = counts.votes[MAX_OUTCOME + 1 :].sum(0)
    tied = counts.votes[MAX_OUTCOME]
    lost = counts.votes[:MAX_OUTCOME].sum(0)
    return np.stack(
        [won.sum(1) + lost.sum(0), tied.sum(1) + tied.sum(0), lost.sum(1) + won.sum(0)], axis=1
    )


def _per_competitor(cells: Floats | Ints, informative: Mask | None) -> Floats:
    pair = cells.sum(0) if informative is None else cells.sum(0) * informative
    return np.asarray(pair.sum(0) + pair.sum(1), dtype=np.float64)

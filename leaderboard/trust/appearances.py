"""How often each model appeared on each side, beside each opponent and in each category."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leaderboard.ratings import Floats, Ids, Ints, Mask
from leaderboard.trust.shares import joint_quantile, wilson_limits

HALF = 0.5
TOLERANCE = 1e-9
"""Limits that miss an expectation by less than this hold it up to rounding."""


@dataclass(frozen=True, eq=False)
class JudgedMatchups:
    """Matchups with votes: first, second: int32 (u,), their models by index; votes: int64 (u,);
    models: how many there are."""

    first: Ids
    second: Ids
    votes: Ints
    models: int

    def take(self, rows: Ints) -> "JudgedMatchups":
        """Some of them."""
        return JudgedMatchups(self.first[rows], self.second[rows], self.votes[rows], self.models)

    @property
    def appearances(self) -> Ints:
        """How many votes each model is in: int64 (M,)."""
        return self.sum_by_model(self.votes)

    def sum_by_model(self, values: Ints) -> Ints:
        """Whole numbers by matchup, below 2⁵³ in all, summed for each model: int64 (M,)."""
        one, other = (np.bincount(side, values, self.models) for side in (self.first, self.second))
        return (one + other).astype(np.int64)

    def effective(self) -> Floats:
        """How many independent votes each model's are worth where votes on one matchup, which all
        show the same opponent and prompt, come together: n² / Σ n_u² (Kish 1965, Survey Sampling,
        section 11.7); float64 (M,), NaN without votes."""
        squares = self.sum_by_model(self.votes**2)
        n = self.appearances.astype(np.float64)
        found: Floats = np.divide(n**2, squares, out=np.full(len(n), np.nan), where=squares > 0)
        return found


@dataclass(frozen=True, eq=False)
class Shares:
    """Shares with what is expected of them: all float64 of one shape, NaN where there is none.

    lower, upper: Wilson's limits (JASA 22, 1927), which hold for all of these shares together with
    95% (Bonferroni), so that any that leaves out its expectation is a finding.
    """

    value: Floats
    lower: Floats
    upper: Floats
    expected: Floats

    @property
    def apart(self) -> Mask:
        """Bool: whether the limits leave out what is expected."""
        above, below = self.lower - self.expected, self.expected - self.upper
        return (above > TOLERANCE) | (below > TOLERANCE)


def compare_with_expected(value: Floats, n: Floats, expected: Floats | float) -> Shares:
    """Shares of n independent votes each beside what is expected of them."""
    known = np.isfinite(value)
    z = joint_quantile(int(np.count_nonzero(known)))
    lower, upper = wilson_limits(value, np.where(known, n, np.nan), z)
    return Shares(value, lower, upper, np.where(known, expected, np.nan))


def share_sides(left: Ints, right: Ints) -> Shares:
    """How often each model stood left, of the times that its side is known: (M,); expected ½.

    left, right: int64 (M,). Sides are drawn anew for every assignment, so that no two votes depend
    on each other in them.
    """
    n = (left + right).astype(np.float64)
    value = np.divide(left, n, out=np.full(len(n), np.nan), where=n > 0)
    return compare_with_expected(value, n, HALF)


def share_opponents(judged: JudgedMatchups) -> Shares:
    """How large a part of each model's votes (rows) is with each other one (columns): (M, M).

    Expected are equal shares among the models that have votes. NaN without votes, on the diagonal,
    and everywhere with fewer than three such models.
    """
    size = judged.models
    pair = judged.first.astype(np.int64) * size + judged.second
    met = np.bincount(pair, judged.votes, size * size).reshape(size, size)
    n = judged.appearances.astype(np.float64)
    there = n > 0
    others = int(np.count_nonzero(there)) - 1
    compared = there[:, None] & there & ~np.eye(size, dtype=bool) & (others > 1)
    value = np.full((size, size), np.nan)
    np.divide(met + met.T, n[:, None], out=value, where=compared)
    effective = np.broadcast_to(judged.effective()[:, None], value.shape)
    return compare_with_expected(value, effective, 1.0 / max(others, 1))


def share_categories(judged: JudgedMatchups, filed: Sequence[Ints], expected: Floats) -> Shares:
    """How large a part of each model's votes (rows) is in each category (columns): (M, C).

    filed: for each category the indices of the matchups whose record is in it; expected: float64
    (C,), the category's share of the records.
    """
    n = judged.appearances.astype(np.float64)
    value = np.full((judged.models, len(filed)), np.nan)
    for column, rows in enumerate(filed):
        within = judged.take(rows).appearances
        np.divide(within, n, out=value[:, column], where=n > 0)
    effective = np.broadcast_to(judged.effective()[:, None], value.shape)
    return compare_with_expected(value, effective, np.broadcast_to(expected, value.shape))


def find_furthest(shares: Shares) -> npt.NDArray[np.int64]:
    """In each row the column furthest from what is expected of it: int64 (M,), -1 where there is
    none; of several the first."""
    distance = np.abs(shares.value - shares.expected)
    has_any = np.isfinite(distance).any(1)
    filled = np.where(np.isfinite(distance), distance, -1.0)
    return np.where(has_any, filled.argmax(1) if shares.value.shape[1] else 0, -1)

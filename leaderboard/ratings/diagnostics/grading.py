"""The effect of graded scores, which count "much better" for more than "better"."""

from dataclasses import dataclass

import numpy as np

from ..compute.arrays import Floats, Ints
from ..data.connectivity import STRENGTH_TOLERANCE
from ..data.counts import GRADED_SCORES, SIGN_SCORES, Counts
from ..models import bradley_terry
from ..models.bradley_terry import Fit


@dataclass(frozen=True, slots=True, eq=False)
class ScoreComparison:
    """The same votes fitted with plain and with graded scores.

    plain, graded: the fits; slope: graded strengths per plain ones, least squares through 0 (below
    1 because "slightly better" counts as less than a win, which is no loss of information);
    tau: Kendall's τ-b of the two orders, NaN where all are level;
    moved: int64 (M,), places up (positive) or down under the graded scores, 0 for the unrated.
    All of the first scale only.
    """

    plain: Fit
    graded: Fit
    slope: float
    tau: float
    moved: Ints


def compare_scores(
    counts: Counts, scores: Floats = GRADED_SCORES, plain: Floats = SIGN_SCORES
) -> ScoreComparison:
    """Fit the votes with plain and with graded scores, and compare the two boards.

    Strengths of different scores are on different scales: never put both on one board.
    """
    a, b = bradley_terry.fit(counts, plain), bradley_terry.fit(counts, scores)
    both = np.isfinite(a.strength) & np.isfinite(b.strength) & (a.field.component == 0)
    x, y = a.strength[both], b.strength[both]
    moved = np.zeros(len(a.strength), dtype=np.int64)
    if both.sum() < 2 or min(np.ptp(x), np.ptp(y)) < STRENGTH_TOLERANCE:
        return ScoreComparison(a, b, np.nan, np.nan, moved)
    moved[both] = _places(x) - _places(y)
    x, y = x - x.mean(), y - y.mean()
    return ScoreComparison(a, b, float(x @ y / (x @ x)), kendall(x, y), moved)


def kendall(x: Floats, y: Floats) -> float:
    """Kendall's τ-b, ties in either order taken account of (Kendall 1945, Biometrika 33)."""
    a, b = _order(x), _order(y)
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def _places(strength: Floats) -> Ints:
    return np.asarray((_order(strength) < 0).sum(1))


def _order(strength: Floats) -> Floats:
    """1 where row is above column, -1 where below, 0 where both are level."""
    gap = strength[:, None] - strength
    return np.sign(gap) * (np.abs(gap) > STRENGTH_TOLERANCE)

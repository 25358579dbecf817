"""Differences of strengths, tested for every pair at once."""

from dataclasses import dataclass

import numpy as np

from ..compute.arrays import Floats, Mask
from ..data.connectivity import STRENGTH_TOLERANCE, Rated
from .intervals import Covariance, check_level, distribution


@dataclass(frozen=True, slots=True, eq=False)
class Contrasts:
    """All pairs; each field is (M, M), antisymmetric or symmetric, NaN where no scale is shared.

    difference: float64, strength of row minus strength of column, natural-log units;
    standard_error: float64 of that difference;
    p: float64, two-sided, of the difference being 0, for that pair alone;
    adjusted: float64, Holm's p for all pairs together;
    better: bool, row is better than column at family-wise level `alpha`;
    degrees_of_freedom: of Student's t, infinite for the normal distribution.
    """

    difference: Floats
    standard_error: Floats
    p: Floats
    adjusted: Floats
    better: Mask
    alpha: float
    degrees_of_freedom: float = np.inf


def compare(fit: Rated, covariance: Covariance, alpha: float = 0.05) -> Contrasts:
    """Test every difference: t = (s_i - s_j) / sqrt(V_ii + V_jj - 2·V_ij), two-sided.

    By Student's t with the degrees of freedom of the covariance. Nothing is claimed of a difference
    without any estimated variance, nor of competitors that are level: p is 1.
    Holm's correction (1979, Scandinavian J. Statistics 6, 65-70) keeps the chance of one or more
    false claims among all pairs of the board below alpha, whatever the tests' dependence.
    """
    check_level(alpha)
    difference = np.where(fit.same_scale, fit.strength[:, None] - fit.strength, np.nan)
    error = np.sqrt(covariance.variance_between)
    gap = np.abs(difference)
    p = np.where(np.isnan(difference), np.nan, 1.0)
    apart = np.triu((error > 0) & (gap > STRENGTH_TOLERANCE), 1)
    p[apart] = 2.0 * distribution(-gap[apart] / error[apart], covariance.degrees_of_freedom)
    p.T[apart] = p[apart]
    adjusted = _symmetric_holm(p)
    better = (adjusted <= alpha) & (difference > 0)
    return Contrasts(difference, error, p, adjusted, better, alpha, covariance.degrees_of_freedom)


def holm(p: Floats) -> Floats:
    """Holm's step-down adjusted p-values of k tests: float64 (k,)."""
    k = len(p)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(k, 0, -1))
    adjusted = np.empty(k)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _symmetric_holm(p: Floats) -> Floats:
    above = np.triu(~np.isnan(p), 1)
    adjusted = np.full_like(p, np.nan)
    adjusted[above] = holm(p[above])
    adjusted.T[above] = adjusted[above]
    np.fill_diagonal(adjusted, np.diag(p))
    return adjusted

"""Differences of strengths, tested for every pair at once."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from .graph import Rated
from .intervals import Covariance
from .votes import Floats, Mask


@dataclass(frozen=True, slots=True, eq=False)
class Contrasts:
    """All pairs; each field is (M, M), antisymmetric or symmetric, NaN where no scale is shared.

    difference: float64, strength of row minus strength of column, natural-log units;
    standard_error: float64 of that difference;
    p: float64, two-sided, of the difference being 0, for that pair alone;
    adjusted: float64, Holm's p for all pairs together;
    better: bool, row is better than column at family-wise level `alpha`.
    """

    difference: Floats
    standard_error: Floats
    p: Floats
    adjusted: Floats
    better: Mask
    alpha: float


def compare(fit: Rated, covariance: Covariance, alpha: float = 0.05) -> Contrasts:
    """Test every difference: z = (s_i - s_j) / sqrt(V_ii + V_jj - 2·V_ij), two-sided.

    Nothing is claimed of a difference without any estimated variance: p is 1.
    Holm's correction (1979, Scandinavian J. Statistics 6, 65-70) keeps the chance of one or more
    false claims among all pairs of the board below alpha, whatever the tests' dependence.
    """
    v = covariance.matrix
    d = np.diag(v)
    difference = np.where(fit.same_scale, fit.strength[:, None] - fit.strength, np.nan)
    variance = np.maximum(d[:, None] + d - 2.0 * v, 0.0)
    np.fill_diagonal(variance, np.where(np.isnan(d), np.nan, 0.0))
    error = np.sqrt(variance)
    z = np.divide(
        np.abs(difference), error, out=np.zeros_like(error), where=(error > 0) & (difference != 0)
    )
    p = np.where(np.isnan(difference), np.nan, 2.0 * ndtr(-z))
    adjusted = _symmetric_holm(p)
    return Contrasts(difference, error, p, adjusted, (adjusted <= alpha) & (difference > 0), alpha)


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

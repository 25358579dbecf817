"""Sandwich covariances of strengths, independent or clustered, and intervals from them.

With g_v = w_v·(y_v - p_v)·(e_i - e_j) the score of a vote v on i and j, and L the negative Hessian,

    V = L⁺ · (Σ_c G_c·G_cᵀ) · L⁺,    G_c = Σ_{v in c} g_v,

which stays right where a tie is worth half a win, where weights are no counts, and where the votes
of one cluster c depend on each other (Huber 1967; White 1982, Econometrica 50, 1-25; clustered:
Liang & Zeger 1986, Biometrika 73, 13-22). Covariances are of strengths measured from the mean of
their component; the difference of any two has variance V_ii + V_jj - 2·V_ij in any gauge.

A variance estimated from G clusters is itself uncertain, so that estimates over their standard
errors are taken to follow Student's t with G - 1 degrees of freedom, of the side with fewer
clusters (Cameron, Gelbach & Miller 2011; Cameron & Miller 2015, J. Human Resources 50(2), 317-372,
section VI.D), and the normal distribution where every vote is by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

import numpy as np
from scipy.linalg import lapack
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from ..compute.arrays import Floats
from ..compute.errors import RatingError
from ..compute.newton import gauge_weight
from ..compute.parallel import parallel_map
from ..data.connectivity import Rated
from ..data.counts import Counts
from ..data.votes import Votes
from ..models.bradley_terry import Fit, bread, submatrix, win_matrix
from .vote_scores import Residuals, cluster_meat, laplacian, on_scale, require_clusters, select

MIN_CLUSTERS = 30
"""Below this many clusters a clustered variance is too uncertain to correct another with."""
NEGLIGIBLE_SHARE = 1e-12
"""A variance below this share of its terms is 0 up to rounding."""


class Method(StrEnum):
    """Which votes may depend on each other."""

    INDEPENDENT = "independent"
    CONTRIBUTOR = "contributor"
    MATCHUP = "matchup"
    TWO_WAY = "two-way"
    LARGEST = "largest"
    PROMPT = "prompt"
    JUDGMENT = "judgment"
    BOOTSTRAP = "bootstrap"


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """Covariance of the strengths, each measured from the mean of its component.

    matrix: float64 (M, M), squared natural-log units; NaN for pairs that share no scale;
    method: what was computed; requested: what was asked for. Where the two differ `note` says why;
    clusters: how many clusters there are, for two-way and largest of contributors and of matchups;
    others: more such matrices, for the method `largest`: every variance is then the largest that
    any of them gives.
    """

    matrix: Floats
    method: Method
    requested: Method
    clusters: tuple[int, ...] = ()
    note: str = ""
    others: tuple[Floats, ...] = ()

    @property
    def variance(self) -> Floats:
        """Variance of each strength against the mean of its component: float64 (M,)."""
        # a variance of 0 may come out of rounding as -1e-20
        return np.asarray(np.max([np.diag(v) for v in self._matrices], axis=0)).clip(0.0)

    @property
    def standard_error(self) -> Floats:
        """Standard error of each strength against the mean of its component: float64 (M,)."""
        return np.sqrt(self.variance)

    @property
    def variance_between(self) -> Floats:
        """Variance of the difference of every two strengths: float64 (M, M)."""
        return np.asarray(np.max([_variance_of_differences(v) for v in self._matrices], axis=0))

    @property
    def degrees_of_freedom(self) -> float:
        """Degrees of freedom of Student's t; infinite where every vote is by itself: the normal."""
        return min(self.clusters) - 1.0 if self.clusters else np.inf

    def map_matrices(self, take: Callable[[Floats], Floats]) -> "Covariance":
        """The covariance with `take` applied to each matrix."""
        return replace(self, matrix=take(self.matrix), others=tuple(map(take, self.others)))

    @property
    def _matrices(self) -> tuple[Floats, ...]:
        return (self.matrix, *self.others)


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """lower, upper: float64 (M,), natural-log strength; level: the coverage aimed at."""

    lower: Floats
    upper: Floats
    level: float


def interval(fit: Rated, covariance: Covariance, level: float = 0.95) -> Interval:
    """strength ± t·se of each competitor by itself; for several at once see `compare`."""
    reach = two_sided(level, covariance.degrees_of_freedom) * covariance.standard_error
    return Interval(fit.strength - reach, fit.strength + reach, level)


def two_sided(level: float, freedom: float) -> float:
    """Two-sided critical value: half-width of an interval in standard errors."""
    check_level(level)
    return quantile(0.5 + level / 2.0, freedom)


def quantile(probability: float, freedom: float) -> float:
    """Quantile of Student's t; of the normal distribution for infinite degrees of freedom."""
    return float(ndtri(probability) if np.isinf(freedom) else stdtrit(freedom, probability))


def distribution(x: Floats, freedom: float) -> Floats:
    """P(T ≤ x) of Student's t; of the normal distribution for infinite degrees of freedom."""
    return np.asarray(ndtr(x) if np.isinf(freedom) else stdtr(freedom, x))


def check_level(level: float) -> None:
    """Raise RatingError unless a confidence level, power or error rate lies inside (0, 1)."""
    if not 0.0 < level < 1.0:
        raise RatingError(f"a level of {level} does not lie between 0 and 1")


def independent(counts: Counts, fit: Fit) -> Covariance:
    """Sandwich covariance with every vote by itself, from counts alone.

    The meat is the Laplacian of m_ij = Σ w²·(y - p_ij)² over the votes of each pair.
    """
    if counts.competitors != len(fit.strength):
        raise RatingError("counts of other competitors than those that were fitted")
    p = win_matrix(fit)
    pair = np.zeros_like(p)
    for score, cells, seen in zip(fit.scores, counts.squared_mass, counts.votes, strict=True):
        if seen.any():
            pair += cells * (score - p) ** 2
    pair[~fit.same_scale] = 0.0
    return _sandwich(fit, laplacian(pair + pair.T), Method.INDEPENDENT)


def clustered(votes: Votes, fit: Fit, method: Method) -> Covariance:
    """Sandwich covariance with the votes of a cluster depending on each other in whatever way.

    Multiplied by G/(G-1) for G clusters. Fewer than two clusters say nothing: RatingError.
    """
    votes = select(votes, on_scale(votes, fit))
    return _clustered(votes, Residuals(votes, fit), fit, method)


def two_way(votes: Votes, counts: Counts, fit: Fit) -> Covariance:
    """Contributors and matchups as clusters together: V = V_contributor + V_matchup - V_both.

    Cameron, Gelbach & Miller 2011, J. Business & Economic Statistics 29(2), 238-249, section 2.2:
    votes may depend on each other when they share the contributor or the matchup; what shares both
    is one judgment. Where the difference is not positive definite, or a side has fewer than 30
    clusters, every variance is the largest of the three, and the note says so: the matrix of G
    clusters has rank G - 1 at most and leaves some differences hardly any variance.
    """
    votes = select(votes, on_scale(votes, fit))
    residual = Residuals(votes, fit)
    side = partial(_clustered, votes, residual, fit)
    sides = parallel_map(side, (Method.CONTRIBUTOR, Method.MATCHUP))
    if votes.judgment is None:
        shared = independent(counts, fit)
    else:
        shared = _clustered(votes, residual, fit, Method.JUDGMENT)
    return combine(sides, shared, lambda matrix: has_positive_variances(matrix, fit))


def combine(
    sides: Sequence[Covariance], shared: Covariance, acceptable: Callable[[Floats], bool]
) -> Covariance:
    """The two-way covariance of two one-way ones and their shared part, or the largest of them."""
    matrix = sides[0].matrix + sides[1].matrix - shared.matrix
    clusters = sides[0].clusters + sides[1].clusters
    if min(clusters) < MIN_CLUSTERS:
        note = f"fewer than {MIN_CLUSTERS} clusters on a side"
    elif not acceptable(matrix):
        note = "the two-way matrix is not positive definite"
    else:
        return Covariance(matrix, Method.TWO_WAY, Method.TWO_WAY, clusters)
    parts = (*sides, shared)
    note = f"{note}: the largest of {', '.join(part.method for part in parts)}"
    first, *others = (part.matrix for part in parts)
    return Covariance(first, Method.LARGEST, Method.TWO_WAY, clusters, note, tuple(others))


# Library API of the engine: the site does not use it.
def hessian(fit: Fit) -> Floats:
    """Inverse information L⁺, float64 (M, M), NaN where no scale is shared; for comparison only.

    The covariance if the model holds, all votes are independent and none is a tie; ties counted as
    half wins vary less than the model says, and make it too wide.
    """
    return _mask_other_scales(bread(fit), fit)


def _clustered(votes: Votes, residual: Residuals, fit: Fit, method: Method) -> Covariance:
    meat, clusters = cluster_meat(votes, residual, method)
    require_clusters(clusters, method)
    return _sandwich(fit, meat * (clusters / (clusters - 1)), method, (clusters,))


def _sandwich(fit: Fit, meat: Floats, method: Method, clusters: tuple[int, ...] = ()) -> Covariance:
    return Covariance(_mask_other_scales(sandwich(bread(fit), meat), fit), method, method, clusters)


def sandwich(spread: Floats, meat: Floats) -> Floats:
    """L⁺·meat·L⁺, with rounding errors around 0 (where scores cancel in every cluster) removed."""
    matrix = spread @ meat @ spread.T
    model = np.sqrt(np.diag(spread))
    matrix[np.abs(matrix) <= NEGLIGIBLE_SHARE * np.outer(model, model)] = 0.0
    return matrix


def _variance_of_differences(matrix: Floats) -> Floats:
    d = np.diag(matrix)
    total = d[:, None] + d
    variance = total - 2.0 * matrix
    variance[variance <= NEGLIGIBLE_SHARE * total] = 0.0
    return variance


def _mask_other_scales(matrix: Floats, fit: Fit) -> Floats:
    return np.where(fit.same_scale, matrix, np.nan)


def has_positive_variances(matrix: Floats, fit: Rated) -> bool:
    """Whether every difference of strengths has a positive variance, in every component."""
    for group in fit.groups():
        part = submatrix(matrix, group)
        _, failed = lapack.dpotrf(part + gauge_weight(part))
        if failed:
            return False
    return True

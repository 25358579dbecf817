"""Style control: strengths adjusted for the length and formatting of responses.

logit P(first beats second) = s_first - s_second + x·γ, where x are the differences of `covariates`,
each divided by its weighted root mean square over the informative votes (Chatbot Arena,
lmsys.org/blog/2024-08-28-style-control). They are not centred: which competitor is called first
says nothing, and a mean would make it matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..compute.arrays import Floats
from ..compute.chunks import chunks
from ..compute.errors import NotEstimable, RatingError, Singular
from ..compute.newton import inverse, maximise
from ..compute.parallel import map_parts
from ..data.connectivity import Rated
from ..data.counts import SIGN_SCORES, fold
from ..data.votes import Votes
from ..inference.intervals import (
    Covariance,
    Method,
    combine,
    has_positive_variances,
    sandwich,
    two_sided,
)
from ..inference.vote_scores import (
    cluster_ids,
    cluster_scores,
    cross_product,
    informative,
    laplacian,
    require_clusters,
)
from ..models import bradley_terry
from .style_rows import RowTerms, StyleRows, sum_terms, win_chances

SAMPLE_VOTES_PER_PARAMETER = 500
"""Votes per parameter in a preliminary fit that gives the full fit its starting point."""
ROUGH_TOLERANCE = 0.05
"""Tolerance of the preliminary fit: less than its sampling error."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit(Rated):
    """Strengths adjusted for style, and the coefficients of the covariates.

    coefficient: float64 (d,), change of the log-odds when a covariate's difference grows by its
    `spread`, a root mean square, float64 (d,); NaN for a covariate that never differs;
    names: of the covariates; scores: score by outcome.
    """

    coefficient: Floats
    spread: Floats
    names: tuple[str, ...]
    scores: Floats
    converged: bool
    iterations: int


@dataclass(frozen=True, slots=True, eq=False)
class StyleCovariance:
    """Covariance of the strengths, and of the coefficients, (d, d)."""

    strength: Covariance
    coefficient: Covariance

    def limits(self, fit: Fit, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper limits of the coefficients, each by itself."""
        freedom = self.coefficient.degrees_of_freedom
        reach = two_sided(level, freedom) * self.coefficient.standard_error
        return fit.coefficient - reach, fit.coefficient + reach


def fit(votes: Votes, x: Floats, names: Sequence[str], scores: Floats = SIGN_SCORES) -> Fit:
    """Maximum-likelihood strengths and style coefficients together, by Newton's method.

    x: float64 (n, d), normalised differences of the two responses' covariates, first less second.
    Competitors without a finite Bradley-Terry strength stay unrated. Raises NotEstimable where
    covariates are collinear, with each other or with the competitors, and NotConverged.
    """
    x = np.asarray(x, dtype=np.float64)
    if x.shape != (len(votes), len(names)) or not _finite(x):
        raise RatingError(f"covariates must be finite, {len(votes)} by {len(names)}")
    plain = bradley_terry.fit(fold(votes), scores)
    votes, x = _select_informative(votes, x, plain)
    spread = _root_mean_square(votes, x)
    differs = spread > 0
    rows = StyleRows.from_votes(votes, x if differs.all() else x[differs], scores)
    gauge = _gauge(plain)
    # Coefficients are sought of x / spread, so that no unit of x matters to how they are found.
    unit = np.append(np.ones(votes.competitors), 1.0 / spread[differs])

    def anchored(at: Floats) -> tuple[Floats, Floats]:
        gradient, information = derivatives(at, rows, unit)
        information[: len(gauge), : len(gauge)] += gauge
        return gradient, information

    m = votes.competitors
    start = np.zeros(rows.size)
    start[:m] = np.where(np.isfinite(plain.strength), plain.strength, 0.0)
    try:
        at, iterations = maximise(_start_from_sample(start, rows, unit), anchored)
    except Singular as error:
        raise NotEstimable(f"cannot tell apart: {', '.join(names)}, competitors") from error
    strength = np.full(m, np.nan)
    for group in plain.groups():
        strength[group] = at[group] - at[group].mean()
    coefficient = np.full(len(names), np.nan)
    coefficient[differs] = at[m:]
    return Fit(strength, plain.field, coefficient, spread, tuple(names), scores, True, iterations)


def covariance(
    votes: Votes, x: Floats, fit: Fit, method: Method = Method.TWO_WAY
) -> StyleCovariance:
    """Sandwich covariance of strengths and coefficients; methods and fallback as in `intervals`."""
    m, differs = votes.competitors, fit.spread > 0
    votes, x = _select_informative(votes, np.asarray(x, dtype=np.float64), fit)
    rows = StyleRows.from_votes(votes, x if differs.all() else x[differs], fit.scores)
    at = np.zeros(rows.size)
    at[:m] = np.where(np.isfinite(fit.strength), fit.strength, 0.0)
    at[m:] = fit.coefficient[differs] / fit.spread[differs]
    residual = np.empty(len(rows))

    def informed(part: slice) -> RowTerms:
        for few, (scored, weight) in win_chances(at, rows, part):
            residual[few] = scored
            yield few, (weight,)

    sums = sum_terms(informed, 1, rows)
    bread = _bread(_matrix(sums.pair, sums.x, rows), fit)

    def one(by: Method) -> Covariance:
        meat, clusters = _meat(votes, rows, residual, by)
        return Covariance(sandwich(bread, meat), by, by, clusters)

    if method is Method.TWO_WAY:
        own = Method.INDEPENDENT if votes.judgment is None else Method.JUDGMENT
        whole = combine(
            [one(Method.CONTRIBUTOR), one(Method.MATCHUP)],
            one(own),
            lambda v: has_positive_variances(v[:m, :m], fit) and bool((np.diag(v)[m:] > 0).all()),
        )
    else:
        whole = one(method)

    def of_coefficients(matrix: Floats) -> Floats:
        coefficient = np.full((len(differs), len(differs)), np.nan)
        coefficient[np.ix_(differs, differs)] = matrix[m:, m:]
        return coefficient * np.outer(fit.spread, fit.spread)

    return StyleCovariance(
        whole.map_matrices(lambda matrix: np.where(fit.same_scale, matrix[:m, :m], np.nan)),
        whole.map_matrices(of_coefficients),
    )


def derivatives(at: Floats, rows: StyleRows, unit: Floats) -> tuple[Floats, Floats]:
    """Gradient (m+d,) and negative Hessian (m+d, m+d) of the log-likelihood at (s, γ) = at·unit.

    In `at`, whose unit each parameter is.
    """
    sums = sum_terms(lambda part: win_chances(at * unit, rows, part), 2, rows)
    gradient = np.append(_net_sums(sums.pair[0], rows), sums.x[0])
    information = _matrix(sums.pair[1:], sums.x[1:], rows)
    return gradient * unit, information * np.outer(unit, unit)


def _start_from_sample(start: Floats, rows: StyleRows, unit: Floats) -> Floats:
    """Starting point of a fit: the maximum for an evenly spaced sample of the votes.

    A normal prior of variance 1 around `start` determines parameters that the sample does not.
    """
    every = len(rows) // (SAMPLE_VOTES_PER_PARAMETER * max(rows.size, 1))
    if every < 8:  # it would cost about the pass over all votes that it spares
        return start
    few = rows.sample_runs(every)

    def drawn(at: Floats) -> tuple[Floats, Floats]:
        gradient, information = derivatives(at, few, unit)
        information[np.diag_indices_from(information)] += 1.0
        return gradient - (at - start), information

    return maximise(start, drawn, tolerance=ROUGH_TOLERANCE)[0]


def _matrix(pair: Floats, x: Floats, rows: StyleRows) -> Floats:
    """Σ q·z·zᵀ, (m+d, m+d), z = (e_first - e_second, x), of the sums of the terms q and q·x."""
    m = rows.competitors
    cells = pair[0].reshape(m, m)
    matrix = np.empty((rows.size, rows.size))
    matrix[:m, :m] = laplacian(cells + cells.T)
    for a, column in enumerate(pair[1:], start=m):
        matrix[:m, a] = matrix[a, :m] = _net_sums(column, rows)
    matrix[m:, m:] = x[1:]
    return matrix


def _select_informative(votes: Votes, x: Floats, fit: Rated) -> tuple[Votes, Floats]:
    """The informative votes, and their covariates: (d, n), C-ordered."""
    bear = informative(votes, fit)
    if not bear.all():
        votes, x = votes.take(bear), x[bear]
    return votes, np.ascontiguousarray(x.T)


def _finite(x: Floats) -> bool:
    return all(map_parts(lambda part: bool(np.isfinite(x[part]).all()), len(x)))


def _root_mean_square(votes: Votes, x: Floats) -> Floats:
    """Weighted root mean square of each covariate: float64 (d,)."""

    def squares(part: slice) -> Floats:
        few = x[:, part]
        if votes.weight is None:
            return np.asarray(np.einsum("av,av->a", few, few))
        return np.asarray(np.einsum("v,av,av->a", votes.weight[part].astype(np.float64), few, few))

    total: Floats = np.sum(map_parts(squares, len(votes)), axis=0)
    return np.sqrt(total / max(len(votes) if votes.weight is None else votes.weight.sum(), 1))


def _net_sums(cells: Floats, rows: StyleRows) -> Floats:
    """Net sum per competitor of sums by pair, (m·m,): plus for the first, minus for the second."""
    pair = cells.reshape(rows.competitors, rows.competitors)
    return np.asarray(pair.sum(1) - pair.sum(0))


def _gauge(fit: Rated) -> Floats:
    """A term that makes the strengths' information positive definite; see `gauge_weight`."""
    gauge = np.diag(np.isnan(fit.strength).astype(np.float64))
    for group in fit.groups():
        gauge[np.ix_(group, group)] = 1.0
    return gauge


def _bread(information: Floats, fit: Fit) -> Floats:
    gauge = _gauge(fit)
    information[: len(gauge), : len(gauge)] += gauge
    bread = inverse(information)
    for group in fit.groups():
        bread[group] -= bread[group].mean(0)
    bread[np.flatnonzero(np.isnan(fit.strength))] = 0.0
    return bread


def _meat(
    votes: Votes, rows: StyleRows, residual: Floats, by: Method
) -> tuple[Floats, tuple[int, ...]]:
    def squares(part: slice) -> RowTerms:
        return ((few, (residual[few] ** 2,)) for few in chunks(part.stop, part.start))

    if by is Method.INDEPENDENT:
        sums = sum_terms(squares, 1, rows)
        return _matrix(sums.pair, sums.x, rows), ()
    cluster, size = cluster_ids(votes, by)
    used = int(np.count_nonzero(np.bincount(cluster, minlength=size)))
    require_clusters(used, by)
    table = cluster_scores(votes, residual, cluster, size)
    pull = np.empty((size, len(rows.x)))
    for a, column in enumerate(rows.x):
        pull[:, a] = np.bincount(cluster, residual * column, size)
    m = rows.competitors
    meat = np.empty((rows.size, rows.size))
    meat[:m, :m] = cross_product(table)
    meat[:m, m:] = np.asarray(table.T @ pull)
    meat[m:, :m] = meat[:m, m:].T
    meat[m:, m:] = pull.T @ pull
    return meat * (used / (used - 1)), (used,)

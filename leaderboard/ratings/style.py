"""Style control: strengths with the pull of length and formatting taken out.

logit P(first beats second) = s_first - s_second + x·γ, where x are the differences of `covariates`,
each divided by its root mean square (Chatbot Arena, lmsys.org/blog/2024-08-28-style-control). They
are not centred: which competitor is called first says nothing, and a mean would make it matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np
from scipy.special import expit, ndtri

from . import bradley_terry
from .compiled import COMPILED, compiled
from .counts import SIGN, fold
from .errors import NotEstimable, RatingError, Singular
from .graph import Rated
from .intervals import Covariance, Method, combine, positive
from .newton import inverse, maximise
from .scores import bearing, cluster_ids, cluster_scores, laplacian, squared
from .votes import STRONGEST, UNIT, Floats, Votes


@dataclass(frozen=True, slots=True, eq=False)
class Fit(Rated):
    """Strengths at equal style, and what style is worth.

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
    """Covariance of the strengths, and of the coefficients: float64 (d, d)."""

    strength: Covariance
    coefficient: Floats

    def limits(self, fit: Fit, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper limits of the coefficients, each by itself."""
        reach = ndtri(0.5 + level / 2.0) * np.sqrt(np.diag(self.coefficient))
        return fit.coefficient - reach, fit.coefficient + reach


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The votes that bear, their x (n, d) in spreads, score y and weight w (n,)."""

    votes: Votes
    x: Floats
    y: Floats
    w: Floats

    @property
    def size(self) -> int:
        return self.votes.competitors + len(self.x.T)


def fit(votes: Votes, x: Floats, names: Sequence[str], scores: Floats = SIGN) -> Fit:
    """Maximum-likelihood strengths and style coefficients together, by Newton's method.

    x: float64 (n, d), normalised differences of the two responses' covariates, first less second.
    Competitors without a finite Bradley-Terry strength stay unrated. Raises NotEstimable where
    covariates are collinear, with each other or with the competitors, and NotConverged.
    """
    if x.shape != (len(votes), len(names)) or not np.isfinite(x).all():
        raise RatingError(f"covariates must be finite, {len(votes)} by {len(names)}")
    plain = bradley_terry.fit(fold(votes), scores)
    spread = np.sqrt(np.square(x).sum(0) / max(len(x), 1))
    differs = spread > 0
    rows = _rows(votes, x, plain, spread, scores)
    gauge = _gauge(plain, rows)
    known = np.isfinite(plain.strength)
    start = np.append(np.where(known, plain.strength, 0.0), np.zeros(differs.sum()))

    def anchored(at: Floats) -> tuple[Floats, Floats]:
        gradient, information = derivatives(at, rows)
        information += gauge
        return gradient, information

    try:
        at, iterations = maximise(start, anchored)
    except Singular as error:
        raise NotEstimable(f"cannot tell apart: {', '.join(names)}, competitors") from error
    strength = np.full(votes.competitors, np.nan)
    for group in plain.groups():
        strength[group] = at[group] - at[group].mean()
    coefficient = np.full(len(names), np.nan)
    coefficient[differs] = at[votes.competitors :]
    return Fit(strength, plain.field, coefficient, spread, tuple(names), scores, True, iterations)


def covariance(
    votes: Votes, x: Floats, fit: Fit, method: Method = Method.TWO_WAY
) -> StyleCovariance:
    """Sandwich covariance of strengths and coefficients; methods and fallback as in `intervals`."""
    rows = _rows(votes, x, fit, fit.spread, fit.scores)
    differs = fit.spread > 0
    at = np.append(np.where(np.isfinite(fit.strength), fit.strength, 0.0), fit.coefficient[differs])
    bread = _bread(at, rows, fit)
    residual, _ = _residuals(at, rows)

    def one(by: Method) -> Covariance:
        meat, clusters = _meat(rows, residual, by)
        return Covariance(bread @ meat @ bread.T, by, by, clusters)

    m = votes.competitors
    if method is Method.TWO_WAY:
        own = Method.INDEPENDENT if votes.judgment is None else Method.JUDGMENT
        whole = combine(
            [one(Method.CONTRIBUTOR), one(Method.MATCHUP)],
            one(own).matrix,
            lambda v: positive(v[:m, :m], fit) and bool((np.diag(v)[m:] > 0).all()),
        )
    else:
        whole = one(method)
    strength = np.where(fit.same_scale, whole.matrix[:m, :m], np.nan)
    coefficient = np.full((len(differs), len(differs)), np.nan)
    coefficient[np.ix_(differs, differs)] = whole.matrix[m:, m:]
    return StyleCovariance(
        Covariance(strength, whole.method, whole.requested, whole.clusters, whole.note), coefficient
    )


def derivatives(at: Floats, rows: _Rows) -> tuple[Floats, Floats]:
    """Gradient (m+d,) and negative Hessian (m+d, m+d) in (s, γ) of the log-likelihood."""
    m = rows.votes.competitors
    if not COMPILED:
        residual, weight = _residuals(at, rows)
        return _score(rows, residual), _information(rows, weight)
    gradient, pair, cross, own = sums(
        at[:m], at[m:], rows.votes.first, rows.votes.second, rows.x, rows.y, rows.w
    )
    return gradient, _assembled(pair, cross, own)


@compiled
def sums(strength: Any, slope: Any, first: Any, second: Any, x: Any, y: Any, w: Any) -> Any:  # noqa: PLR0917
    """One pass over the rows: gradient, and Σ w·p·(1-p) per pair, times x, and times x·xᵀ."""
    m, d = len(strength), len(slope)
    gradient = np.zeros(m + d)
    pair, cross, own = np.zeros((m, m)), np.zeros((m, d)), np.zeros((d, d))
    for v in range(len(first)):
        i, j = first[v], second[v]
        logit = strength[i] - strength[j]
        for a in range(d):
            logit += x[v, a] * slope[a]
        p = 1.0 / (1.0 + exp(-logit))
        r = w[v] * (y[v] - p)
        q = w[v] * p * (1.0 - p)
        gradient[i] += r
        gradient[j] -= r
        pair[i, j] += q
        for a in range(d):
            gradient[m + a] += r * x[v, a]
            qx = q * x[v, a]
            cross[i, a] += qx
            cross[j, a] -= qx
            for b in range(a + 1):
                own[a, b] += qx * x[v, b]
    return gradient, pair, cross, own


def _rows(votes: Votes, x: Floats, fit: Rated, spread: Floats, scores: Floats) -> _Rows:
    bear = bearing(votes, fit)
    if not bear.all():
        votes, x = votes.take(bear), x[bear]
    differs = spread > 0
    w = np.ones(len(votes)) if votes.weight is None else votes.weight / UNIT
    y = scores.take(votes.outcome + STRONGEST)
    return _Rows(votes, np.ascontiguousarray(x[:, differs] / spread[differs]), y, w)


def _residuals(at: Floats, rows: _Rows) -> tuple[Floats, Floats]:
    """w·(y - p) and w·p·(1 - p) of every row."""
    m, votes = rows.votes.competitors, rows.votes
    logit = at[:m].take(votes.first)
    logit -= at[:m].take(votes.second)
    logit += rows.x @ at[m:]
    p = expit(logit)
    return rows.w * (rows.y - p), rows.w * p * (1.0 - p)


def _score(rows: _Rows, residual: Floats) -> Floats:
    m, votes = rows.votes.competitors, rows.votes
    gain = np.bincount(votes.first, residual, m) - np.bincount(votes.second, residual, m)
    return np.append(gain, residual @ rows.x)


def _information(rows: _Rows, weight: Floats) -> Floats:
    """Σ weight·z·zᵀ over the rows, z = (e_first - e_second, x): float64 (m+d, m+d)."""
    m, votes = rows.votes.competitors, rows.votes
    pair = np.bincount(votes.first.astype(np.int64) * m + votes.second, weight, m * m)
    wx = rows.x * weight[:, None]
    cross = np.empty((m, wx.shape[1]))
    for a, column in enumerate(wx.T):
        cross[:, a] = np.bincount(votes.first, column, m) - np.bincount(votes.second, column, m)
    return _assembled(pair.astype(np.float64).reshape(m, m), cross, rows.x.T @ wx)


def _assembled(pair: Floats, cross: Floats, own: Floats) -> Floats:
    """The information from its blocks; of `own` the lower half is read."""
    m, d = cross.shape
    information = np.empty((m + d, m + d))
    information[:m, :m] = laplacian(pair + pair.T)
    information[:m, m:] = cross
    information[m:, :m] = cross.T
    information[m:, m:] = np.tril(own) + np.tril(own, -1).T
    return information


def _gauge(fit: Rated, rows: _Rows) -> Floats:
    """What makes the information positive definite and changes no estimate; see `newton.anchor`."""
    gauge = np.zeros((rows.size, rows.size))
    for group in fit.groups():
        gauge[np.ix_(group, group)] = rows.w.sum() / len(group) ** 2
    unrated = np.flatnonzero(np.isnan(fit.strength))
    gauge[unrated, unrated] = 1.0
    return gauge


def _bread(at: Floats, rows: _Rows, fit: Fit) -> Floats:
    _, information = derivatives(at, rows)
    bread = inverse(information + _gauge(fit, rows))
    for group in fit.groups():
        bread[group] -= bread[group].mean(0)
    bread[np.flatnonzero(np.isnan(fit.strength))] = 0.0
    return bread


def _meat(rows: _Rows, residual: Floats, by: Method) -> tuple[Floats, tuple[int, ...]]:
    if by is Method.INDEPENDENT:
        return _information(rows, residual**2), ()
    cluster, size = cluster_ids(rows.votes, by)
    used = int(np.count_nonzero(np.bincount(cluster, minlength=size)))
    if used < 2:
        raise RatingError(f"{used} {by} clusters: no variance can be estimated")
    table = cluster_scores(rows.votes, residual, cluster, size)
    pull: Floats = np.empty((size, len(rows.x.T)))
    for a, column in enumerate(rows.x.T):
        pull[:, a] = np.bincount(cluster, residual * column, size)
    m = rows.votes.competitors
    meat = np.empty((rows.size, rows.size))
    meat[:m, :m] = squared(table)
    meat[:m, m:] = np.asarray(table.T @ pull)
    meat[m:, :m] = meat[:m, m:].T
    meat[m:, m:] = pull.T @ pull
    return meat * (used / (used - 1)), (used,)

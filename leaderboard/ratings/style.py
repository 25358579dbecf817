"""Style control: strengths with the pull of length and formatting taken out.

logit P(first beats second) = s_first - s_second + x·γ, where x are the differences of `covariates`,
each divided by its root mean square, over the votes that bear and by their weight (Chatbot Arena,
lmsys.org/blog/2024-08-28-style-control). They are not centred: which competitor is called first
says nothing, and a mean would make it matter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import bradley_terry
from .compiled import COMPILED, compiled
from .counts import SIGN, fold
from .errors import NotEstimable, RatingError, Singular
from .graph import Rated
from .intervals import Covariance, Method, combine, positive, sandwich, two_sided
from .newton import inverse, maximise
from .scores import (
    bearing,
    cluster_ids,
    cluster_scores,
    laplacian,
    require_clusters,
    squared,
)
from .votes import STRONGEST, UNIT, Floats, Ints, Mask, Votes

CHUNK = 1 << 15
"""Rows worked on at a time: they stay in the processor's cache."""
SAMPLE = 500
"""Votes a parameter that a first fit reads where there are many, for the whole to start nearby."""
ROUGH = 0.05
"""A first fit ends with a step below this, which is less than its votes leave open."""
SATURATED = 700.0
"""Log-odds beyond this are certainty, and their exp() is not a float64."""


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
    """Covariance of the strengths, and of the coefficients, (d, d)."""

    strength: Covariance
    coefficient: Covariance

    def limits(self, fit: Fit, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper limits of the coefficients, each by itself."""
        reach = two_sided(level, self.coefficient.freedom) * self.coefficient.standard_error
        return fit.coefficient - reach, fit.coefficient + reach


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """What is read of the votes that bear.

    competitors: m; cell: int64 (n,), first·m + second, their cells in an (m, m) table; x: (d, n),
    the covariates that differ; y: (n,), scores; weight: (n,), or None where all weigh 1.
    """

    competitors: int
    cell: Ints
    x: Floats
    y: Floats
    weight: Floats | None

    @property
    def size(self) -> int:
        return self.competitors + len(self.x)

    def every(self, step: int) -> "_Rows":
        """One row of every so many."""
        weight = None if self.weight is None else self.weight[::step].copy()
        cell, x, y = self.cell[::step].copy(), self.x[:, ::step].copy(), self.y[::step].copy()
        return _Rows(self.competitors, cell, x, y, weight)


def fit(votes: Votes, x: Floats, names: Sequence[str], scores: Floats = SIGN) -> Fit:
    """Maximum-likelihood strengths and style coefficients together, by Newton's method.

    x: float64 (n, d), normalised differences of the two responses' covariates, first less second.
    Competitors without a finite Bradley-Terry strength stay unrated. Raises NotEstimable where
    covariates are collinear, with each other or with the competitors, and NotConverged.
    """
    if x.shape != (len(votes), len(names)) or not np.isfinite(x).all():
        raise RatingError(f"covariates must be finite, {len(votes)} by {len(names)}")
    plain = bradley_terry.fit(fold(votes), scores)
    votes, x = _bearing(votes, x, plain)
    spread = _root_mean_square(votes, x)
    differs = spread > 0
    rows = _rows(votes, x, differs, scores)
    gauge = _gauge(plain)

    def anchored(at: Floats) -> tuple[Floats, Floats]:
        gradient, information = derivatives(at, rows)
        information[: len(gauge), : len(gauge)] += gauge
        return gradient, information

    m = votes.competitors
    start = np.zeros(rows.size)
    start[:m] = np.where(np.isfinite(plain.strength), plain.strength, 0.0)
    try:
        at, iterations = maximise(_nearby(start, rows, spread[differs]), anchored)
    except Singular as error:
        raise NotEstimable(f"cannot tell apart: {', '.join(names)}, competitors") from error
    strength = np.full(m, np.nan)
    for group in plain.groups():
        strength[group] = at[group] - at[group].mean()
    coefficient = np.full(len(names), np.nan)
    coefficient[differs] = at[m:] * spread[differs]
    return Fit(strength, plain.field, coefficient, spread, tuple(names), scores, True, iterations)


def covariance(
    votes: Votes, x: Floats, fit: Fit, method: Method = Method.TWO_WAY
) -> StyleCovariance:
    """Sandwich covariance of strengths and coefficients; methods and fallback as in `intervals`."""
    m, differs = votes.competitors, fit.spread > 0
    votes, x = _bearing(votes, x, fit)
    rows = _rows(votes, x, differs, fit.scores)
    at = np.zeros(rows.size)
    at[:m] = np.where(np.isfinite(fit.strength), fit.strength, 0.0)
    at[m:] = fit.coefficient[differs] / fit.spread[differs]
    information, residual = _Information(rows), np.empty(len(rows.y))
    for part, residual[part], weight in _chances(at, rows):
        information.add(part, weight)
    bread = _bread(information.matrix(), fit)

    def one(by: Method) -> Covariance:
        meat, clusters = _meat(votes, rows, residual, by)
        return Covariance(sandwich(bread, meat), by, by, clusters)

    if method is Method.TWO_WAY:
        own = Method.INDEPENDENT if votes.judgment is None else Method.JUDGMENT
        whole = combine(
            [one(Method.CONTRIBUTOR), one(Method.MATCHUP)],
            one(own),
            lambda v: positive(v[:m, :m], fit) and bool((np.diag(v)[m:] > 0).all()),
        )
    else:
        whole = one(method)

    def of_coefficients(matrix: Floats) -> Floats:
        coefficient = np.full((len(differs), len(differs)), np.nan)
        coefficient[np.ix_(differs, differs)] = matrix[m:, m:]
        return coefficient * np.outer(fit.spread, fit.spread)

    return StyleCovariance(
        whole.mapped(lambda matrix: np.where(fit.same_scale, matrix[:m, :m], np.nan)),
        whole.mapped(of_coefficients),
    )


def derivatives(at: Floats, rows: _Rows) -> tuple[Floats, Floats]:
    """Gradient (m+d,) and negative Hessian (m+d, m+d) in (s, γ) of the log-likelihood."""
    m, d = rows.competitors, len(rows.x)
    pair, pull, information = tables(1, m), np.zeros(d), _Information(rows)
    for part, residual, weight in _chances(at, rows):
        add(pair, rows.cell[part], residual)
        pull += rows.x[:, part] @ residual
        information.add(part, weight)
    return np.append(_ahead(pair.reshape(m, m)), pull), information.matrix()


def _nearby(start: Floats, rows: _Rows, spread: Floats) -> Floats:
    """Where few of many votes put the maximum, one evenly taken of every so many.

    A normal prior of variance 1 about `start`, in strengths and in coefficients of x / spread,
    keeps those near that the few say nothing of.
    """
    every = len(rows.y) // (SAMPLE * max(rows.size, 1))
    if every < 8:  # it would cost about the pass over all votes that it spares
        return start
    few = rows.every(every)
    precision = np.append(np.ones(rows.competitors), spread**2)

    def drawn(at: Floats) -> tuple[Floats, Floats]:
        gradient, information = derivatives(at, few)
        information[np.diag_indices_from(information)] += precision
        return gradient - precision * (at - start), information

    return maximise(start, drawn, tolerance=ROUGH)[0]


class _Information:
    """Σ q·z·zᵀ over rows, z = (e_first - e_second, x), for weights q.

    Σ q and Σ q·x are kept per ordered pair, (d+1, m·m): a row adds to one cell of each.
    """

    def __init__(self, rows: _Rows) -> None:
        self.rows = rows
        self.pair = tables(len(rows.x) + 1, rows.competitors)
        self.own = np.zeros((len(rows.x), len(rows.x)))

    def add(self, part: slice, weight: Floats) -> None:
        x = self.rows.x[:, part]
        wx = x * weight
        self.own += wx @ x.T
        add(self.pair, self.rows.cell[part], weight, *wx)

    def matrix(self) -> Floats:
        m = self.rows.competitors
        pairs = self.pair.reshape(len(self.pair), m, m)
        matrix = np.empty((self.rows.size, self.rows.size))
        matrix[:m, :m] = laplacian(pairs[0] + pairs[0].T)
        for a, cells in enumerate(pairs[1:], start=m):
            matrix[:m, a] = matrix[a, :m] = _ahead(cells)
        matrix[m:, m:] = self.own
        return matrix


def tables(size: int, m: int) -> Floats:
    """Zeros (size, m·m): each table in one piece, or a pair's cells side by side for the loop."""
    return np.zeros((size, m * m), order="F" if COMPILED else "C")


def add(cells: Floats, at: Ints, *columns: Floats) -> None:
    """Add each column to its table, a row to the cell that it is `at`."""
    if COMPILED:
        add_rows(cells, at, columns)
    else:
        add_columns(cells, at, columns)


@compiled
def add_rows(cells: Any, at: Any, columns: Any) -> None:
    """All columns of a row, then the next row. A tuple's length is known when this is compiled."""
    for v in range(len(at)):
        c = at[v]
        for a in range(len(columns)):
            cells[a, c] += columns[a][v]


def add_columns(cells: Floats, at: Ints, columns: tuple[Floats, ...]) -> None:
    """The same a column at a time, without a loop over rows."""
    for table, column in zip(cells, columns, strict=True):
        np.add.at(table, at, column)


def _bearing(votes: Votes, x: Floats, fit: Rated) -> tuple[Votes, Floats]:
    """The votes that bear, and their covariates (d, n), each in one piece."""
    bear = bearing(votes, fit)
    if not bear.all():
        votes, x = votes.take(bear), x[bear]
    return votes, np.ascontiguousarray(x.T)


def _root_mean_square(votes: Votes, x: Floats) -> Floats:
    """Of each covariate, every vote by its weight: float64 (d,)."""
    if votes.weight is None:
        return np.asarray(np.sqrt(np.einsum("av,av->a", x, x) / max(len(votes), 1)))
    weight = votes.weight.astype(np.float64)
    return np.asarray(np.sqrt(np.einsum("v,av,av->a", weight, x, x) / max(weight.sum(), 1.0)))


def _rows(votes: Votes, x: Floats, differs: Mask, scores: Floats) -> _Rows:
    cell = votes.first.astype(np.int64)
    cell *= votes.competitors
    cell += votes.second
    y = scores.take(votes.outcome + STRONGEST)
    weight = None if votes.weight is None else votes.weight / UNIT
    return _Rows(votes.competitors, cell, x if differs.all() else x[differs], y, weight)


def _chances(at: Floats, rows: _Rows) -> Iterator[tuple[slice, Floats, Floats]]:
    """w·(y - p) and w·p·(1 - p), some rows at a time."""
    m = rows.competitors
    behind = (at[:m] - at[:m, None]).ravel()
    for start in range(0, len(rows.y), CHUNK):
        part = slice(start, start + CHUNK)
        logit = behind.take(rows.cell[part])
        logit -= at[m:] @ rows.x[:, part]
        p = 1.0 / (1.0 + np.exp(np.minimum(logit, SATURATED)))
        residual, weight = rows.y[part] - p, p * (1.0 - p)
        if rows.weight is not None:
            residual *= rows.weight[part]
            weight *= rows.weight[part]
        yield part, residual, weight


def _ahead(cells: Floats) -> Floats:
    """Sums of (m, m) pairs that are added to the first competitor and taken from the second."""
    gained: Floats = cells.sum(1) - cells.sum(0)
    return gained


def _gauge(fit: Rated) -> Floats:
    """What makes the information of the strengths positive definite; see `newton.anchor`."""
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
    votes: Votes, rows: _Rows, residual: Floats, by: Method
) -> tuple[Floats, tuple[int, ...]]:
    if by is Method.INDEPENDENT:
        squares = _Information(rows)
        for start in range(0, len(residual), CHUNK):
            part = slice(start, start + CHUNK)
            squares.add(part, residual[part] ** 2)
        return squares.matrix(), ()
    cluster, size = cluster_ids(votes, by)
    used = int(np.count_nonzero(np.bincount(cluster, minlength=size)))
    require_clusters(used, by)
    table = cluster_scores(votes, residual, cluster, size)
    pull = np.empty((size, len(rows.x)))
    for a, column in enumerate(rows.x):
        pull[:, a] = np.bincount(cluster, residual * column, size)
    m = rows.competitors
    meat = np.empty((rows.size, rows.size))
    meat[:m, :m] = squared(table)
    meat[:m, m:] = np.asarray(table.T @ pull)
    meat[m:, :m] = meat[:m, m:].T
    meat[m:, m:] = pull.T @ pull
    return meat * (used / (used - 1)), (used,)

"""The rows that a fit with covariates reads, and sums of terms over them.

Each row has terms, such as its residual. They are summed by ordered pair of competitors, and
multiplied by each covariate. numpy adds one term at a time for all rows, compiled loops all terms
row by row, with several threads for many rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compute.arrays import Floats, Ints
from ..compute.chunks import CHUNK_ROWS, chunks
from ..compute.compiled import COMPILED, compiled
from ..compute.parallel import map_parts
from ..data.votes import MAX_OUTCOME, WEIGHT_UNIT, Votes

RUN_ROWS = 1 << 6
"""Adjacent rows per run of a sample of rows."""
MAX_LOG_ODDS = 700.0
"""Maximum log-odds: exp() of more is not a float64."""
BLOCK_ROWS = 1 << 11
"""Rows per block of the compiled loop."""

RowTerms = Iterator[tuple[slice, tuple[Floats, ...]]]
"""Slices of rows with their terms (n,), in buffers that the next slice overwrites."""


@dataclass(frozen=True, slots=True, eq=False)
class StyleRows:
    """The columns of votes that a fit with covariates reads.

    competitors: m; cell: int64 (n,), first·m + second, their cells in an (m, m) table; x: (d, n),
    covariates; y: (n,), scores; weight: (n,), or None where all weigh 1.
    """

    competitors: int
    cell: Ints
    x: Floats
    y: Floats
    weight: Floats | None

    @classmethod
    def from_votes(cls, votes: Votes, x: Floats, scores: Floats) -> "StyleRows":
        """The rows of votes with covariates x (d, n), each in one piece."""
        cell, y = np.empty(len(votes), dtype=np.int64), np.empty(len(votes))

        def fill(part: slice) -> None:
            np.multiply(votes.first[part], votes.competitors, out=cell[part], dtype=np.int64)
            cell[part] += votes.second[part]
            scores.take(votes.outcome[part] + MAX_OUTCOME, out=y[part], mode="clip")

        map_parts(fill, len(votes))
        weight = None if votes.weight is None else votes.weight / WEIGHT_UNIT
        return cls(votes.competitors, cell, x, y, weight)

    def __len__(self) -> int:
        return len(self.y)

    @property
    def size(self) -> int:
        """Number of parameters, m + d."""
        return self.competitors + len(self.x)

    def sample_runs(self, step: int) -> "StyleRows":
        """Every `step`-th run of adjacent rows; single rows would touch as much memory as all."""
        starts = np.arange(0, len(self) - RUN_ROWS, RUN_ROWS * step)
        rows = np.add.outer(starts, np.arange(RUN_ROWS)).ravel()
        weight = None if self.weight is None else self.weight[rows]
        x = self.x.take(rows, axis=1)
        return StyleRows(self.competitors, self.cell[rows], x, self.y[rows], weight)


@dataclass(frozen=True, slots=True, eq=False)
class StyleSums:
    """Sums of k terms, and of the last term times each of the d covariates.

    pair: (k + d, m·m), their sums by ordered pair; x: (k + d, d), the sums of them times x.
    """

    pair: Floats
    x: Floats

    @classmethod
    def zeros(cls, terms: int, rows: StyleRows) -> "StyleSums":
        """Zeros; in Fortran order for the compiled loop, which adds all terms of a pair at once."""
        size = terms + len(rows.x)
        pair = np.zeros((size, rows.competitors**2), order="F" if COMPILED else "C")
        return cls(pair, np.zeros((size, len(rows.x))))

    def add(self, cell: Ints, terms: tuple[Floats, ...], x: Floats) -> None:
        """Add the terms of some rows to their cells."""
        if COMPILED and len(x) > 0:
            add_rows(self.pair, self.x, cell, terms, tuple(x))
        else:
            add_columns(self.pair, self.x, cell, terms, x)


def sum_terms(made: Callable[[slice], RowTerms], terms: int, rows: StyleRows) -> StyleSums:
    """Sums over all rows of `terms` terms; made(part) gives those of a slice of rows."""

    def added(part: slice) -> StyleSums:
        sums = StyleSums.zeros(terms, rows)
        for few, columns in made(part):
            sums.add(rows.cell[few], columns, rows.x[:, few])
        return sums

    if not COMPILED:  # what numpy adds by index it adds with the interpreter's lock
        return added(slice(0, len(rows)))
    whole, *others = map_parts(added, len(rows), (terms + len(rows.x)) * rows.competitors**2)
    for other in others:
        whole.pair[:] += other.pair
        whole.x[:] += other.x
    return whole


def win_chances(at: Floats, rows: StyleRows, within: slice) -> RowTerms:
    """Residual w·(y - p) and weight w·p·(1 - p) of the rows, at the parameters `at`."""
    m = rows.competitors
    behind = (at[:m] - at[:m, None]).ravel()
    room = np.empty((3, CHUNK_ROWS))
    for few in chunks(within.stop, within.start):
        y = rows.y[few]
        logit, residual, weight = room[:, : len(y)]
        np.matmul(at[m:], rows.x[:, few], out=logit)
        fill_logits(behind, rows.cell[few], logit)
        fill_residuals(np.exp(logit, out=logit), y, residual, weight)
        if rows.weight is not None:
            residual *= rows.weight[few]
            weight *= rows.weight[few]
        yield few, (residual, weight)


def fill_logits(behind: Floats, cell: Ints, logit: Floats) -> None:
    """Replace logit by min(behind[cell] - logit, MAX_LOG_ODDS), in place."""
    if COMPILED:
        fill_logit_rows(behind, cell, logit)
    else:
        np.minimum(behind.take(cell) - logit, MAX_LOG_ODDS, out=logit)


@compiled
def fill_logit_rows(behind: Any, cell: Any, logit: Any) -> None:
    """`fill_logits` as a loop."""
    for v in range(len(cell)):
        logit[v] = min(behind[cell[v]] - logit[v], MAX_LOG_ODDS)


def fill_residuals(odds: Floats, y: Floats, residual: Floats, weight: Floats) -> None:
    """Write y - p to residual and p·(1 - p) to weight, with p = 1 / (1 + odds)."""
    if COMPILED:
        fill_residual_rows(odds, y, residual, weight)
    else:
        p = 1.0 / (1.0 + odds)
        np.subtract(y, p, out=residual)
        np.multiply(p, 1.0 - p, out=weight)


@compiled
def fill_residual_rows(odds: Any, y: Any, residual: Any, weight: Any) -> None:
    """`fill_residuals` as a loop."""
    for v in range(len(odds)):
        p = 1.0 / (1.0 + odds[v])
        residual[v] = y[v] - p
        weight[v] = p * (1.0 - p)


@compiled
def add_rows(pair: Any, own: Any, at: Any, terms: Any, x: Any) -> None:
    """Add row by row. Tuples, because their lengths are known at compile time."""
    k = len(terms)
    room = np.empty((k + len(x), BLOCK_ROWS))
    for start in range(0, len(at), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        cell = at[rows]
        weight = terms[k - 1][rows]
        for b in range(len(terms)):
            room[b, : len(cell)] = terms[b][rows]
        for a in range(len(x)):
            covariate = x[a][rows]
            for v in range(len(cell)):
                room[k + a, v] = weight[v] * covariate[v]
            for b in range(k + a + 1):
                own[b, a] += np.dot(room[b, : len(cell)], covariate)
        for v in range(len(cell)):
            c = cell[v]
            for b in range(k + len(x)):
                pair[b, c] += room[b, v]
    for a in range(len(x)):  # Σ weight·x·xᵀ is symmetric
        for b in range(a):
            own[k + a, b] = own[k + b, a]


def add_columns(pair: Floats, own: Floats, at: Ints, terms: tuple[Floats, ...], x: Floats) -> None:
    """The same with numpy, one term at a time."""
    columns = np.vstack([*terms, x * terms[-1]])
    own += columns @ x.T
    for table, column in zip(pair, columns, strict=True):
        np.add.at(table, at, column)

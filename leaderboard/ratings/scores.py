"""Scores g_v = w·(y - p)·(e_first - e_second) of the votes at a fit, summed over clusters."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_array, csr_array

from .bradley_terry import Fit, win_matrix
from .errors import RatingError
from .votes import STRONGEST, UNIT, Floats, Ids, Ints, Votes

ROWS = 1 << 20
"""Votes whose residuals are held at a time."""
DENSE = 1 << 24
"""Cells of the largest cluster by competitor table that is kept dense."""


def comparable(votes: Votes, fit: Fit) -> Votes:
    """The votes that bear on the fit: of positive weight, on two competitors of one scale."""
    same = fit.same_scale
    if not same.all():
        votes = votes.take(same[votes.first, votes.second])
    if votes.weight is not None and not votes.weight.all():
        votes = votes.take(votes.weight > 0)
    return votes


def cluster_meat(votes: Votes, fit: Fit, by: str) -> tuple[Floats, int]:
    """Σ_c G_c·G_cᵀ with G_c = Σ_{v in c} g_v: float64 (M, M), and the number of clusters c."""
    votes = comparable(votes, fit)
    cluster, size = cluster_ids(votes, by)
    used = int(np.count_nonzero(np.bincount(cluster, minlength=size)))
    pair_of = _only_pairs(votes, cluster, size)
    if pair_of is not None:
        return _meat_of_pairs(votes, fit, cluster, pair_of), used
    table = cluster_scores(votes, fit, cluster, size)
    if isinstance(table, csr_array):
        return (table.T @ table).toarray(), used
    return table.T @ table, used


def cluster_ids(votes: Votes, by: str) -> tuple[Ids | Ints, int]:
    """The named id column, renumbered where its ids lie far apart, and its largest id plus one."""
    cluster: Ids | Ints | None = getattr(votes, by)
    if cluster is None:
        raise RatingError(f"the votes have no {by} ids")
    if cluster.min(initial=0) < 0:
        raise RatingError(f"{by} ids must not be negative")
    if cluster.max(initial=0) > 4 * len(cluster):
        cluster = np.unique(cluster, return_inverse=True)[1].astype(np.int64)
    return cluster, int(cluster.max(initial=-1)) + 1


def cluster_scores(
    votes: Votes, fit: Fit, cluster: Ids | Ints, size: int
) -> Floats | csr_array[np.float64, tuple[int, int]]:
    """G: one row per cluster, one column per competitor; sparse where it would be large."""
    shape = (size, votes.competitors)
    if size * votes.competitors > DENSE:
        residual = np.concatenate([r for _, r, _ in residuals(votes, fit)])
        entries = np.concatenate([residual, -residual])
        rows = np.concatenate([cluster, cluster])
        columns = np.concatenate([votes.first, votes.second])
        return coo_array((entries, (rows, columns)), shape).tocsr()
    table = np.zeros(size * votes.competitors)
    for part, residual, _ in residuals(votes, fit):
        row = cluster[part].astype(np.int64) * votes.competitors
        np.add.at(table, row + votes.first[part], residual)
        np.subtract.at(table, row + votes.second[part], residual)
    return table.reshape(shape)


def residuals(votes: Votes, fit: Fit) -> Iterator[tuple[slice, Floats, Ints]]:
    """w·(y - p) of successive rows and their pair first·M + second; all rows comparable."""
    p = win_matrix(fit).ravel()
    for start in range(0, len(votes), ROWS):
        part = slice(start, start + ROWS)
        pair = votes.first[part].astype(np.int64)
        pair *= votes.competitors
        pair += votes.second[part]
        residual = fit.scores.take(votes.outcome[part] + STRONGEST)
        residual -= p.take(pair)
        if votes.weight is not None:
            residual *= votes.weight[part] / UNIT
        yield part, residual, pair


def _only_pairs(votes: Votes, cluster: Ids | Ints, size: int) -> Ints | None:
    """The pair each cluster is about, min·M + max, or None where some cluster has several."""
    pair = np.minimum(votes.first, votes.second).astype(np.int64)
    pair *= votes.competitors
    pair += np.maximum(votes.first, votes.second)
    pair_of = np.zeros(size, dtype=np.int64)
    pair_of[cluster] = pair
    return pair_of if (pair_of[cluster] == pair).all() else None


def _meat_of_pairs(votes: Votes, fit: Fit, cluster: Ids | Ints, pair_of: Ints) -> Floats:
    """The meat where a cluster's score is one number t_c: the Laplacian of Σ t_c² per pair."""
    m = votes.competitors
    total = np.zeros(len(pair_of))
    for part, residual, _ in residuals(votes, fit):
        np.negative(residual, out=residual, where=votes.first[part] > votes.second[part])
        np.add.at(total, cluster[part], residual)
    pair = np.bincount(pair_of, weights=total**2, minlength=m * m).reshape(m, m)
    pair += pair.T
    return np.diag(pair.sum(1)) - pair

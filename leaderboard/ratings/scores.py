"""Scores g_v = w·(y - p)·(e_first - e_second) of the votes at a fit, summed over clusters."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_array, csr_array

from .bradley_terry import Fit, win_matrix
from .errors import RatingError
from .graph import Rated
from .votes import STRONGEST, UNIT, Floats, Ids, Ints, Mask, Votes

ROWS = 1 << 15
"""Votes worked on at a time."""
NO_PAIR = -1
DENSE = 1 << 24
"""Cells of the largest cluster by competitor table that is kept dense."""

Sparse = csr_array[np.float64, tuple[int, int]]


def bearing(votes: Votes, fit: Rated) -> Mask:
    """Which votes bear on the fit: those of positive weight on two competitors of one scale."""
    bear = on_scale(votes, fit)
    return bear if votes.weight is None else bear & (votes.weight > 0)


def on_scale(votes: Votes, fit: Rated) -> Mask:
    """Which votes are on two competitors of one scale."""
    same = fit.same_scale
    return np.ones(len(votes), dtype=bool) if same.all() else same[votes.first, votes.second]


def comparable(votes: Votes, fit: Rated) -> Votes:
    """The votes that bear on the fit."""
    return chosen(votes, bearing(votes, fit))


def chosen(votes: Votes, mask: Mask) -> Votes:
    """The votes where the mask holds; where it always does, the same and no copy."""
    return votes if mask.all() else votes.take(mask)


def parts(votes: Votes) -> Iterator[slice]:
    """All rows, so many at a time that what is computed of them stays in the processor's cache."""
    return (slice(start, start + ROWS) for start in range(0, len(votes), ROWS))


def residuals(votes: Votes, fit: Fit) -> Floats:
    """w·(y - p) of votes on one scale each: float64 (n,)."""
    p = win_matrix(fit).ravel()
    residual = np.empty(len(votes))
    for part in parts(votes):
        pair = votes.first[part].astype(np.int64)
        pair *= votes.competitors
        pair += votes.second[part]
        np.subtract(fit.scores.take(votes.outcome[part] + STRONGEST), p.take(pair), residual[part])
        if votes.weight is not None:
            residual[part] *= votes.weight[part] / UNIT
    return residual


def cluster_meat(votes: Votes, residual: Floats, by: str) -> tuple[Floats, int]:
    """Σ_c G_c·G_cᵀ with G_c = Σ_{v in c} g_v: float64 (M, M), and the number of clusters c.

    Clusters without a vote that weighs anything do not count.
    """
    cluster, size = cluster_ids(votes, by)
    used = _used(votes, cluster, size)
    clusters = int(np.count_nonzero(used))
    pair_of = _only_pairs(votes, cluster, size)
    if pair_of is not None:
        return _meat_of_pairs(votes, residual, cluster, pair_of), clusters
    table = cluster_scores(votes, residual, cluster, size)
    # Who has no vote among these must not move a sum's last digit either.
    return squared(table if clusters == size else table[used]), clusters


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


def require_clusters(clusters: int, by: str) -> None:
    """One cluster, or none, says nothing about how much clusters differ."""
    if clusters < 2:
        raise RatingError(f"{clusters} {by} clusters: no variance can be estimated")


def cluster_scores(
    votes: Votes, residual: Floats, cluster: Ids | Ints, size: int
) -> Floats | Sparse:
    """G, one row per cluster and one column per competitor; sparse where it would be large."""
    m = votes.competitors
    if size * m > DENSE:
        entries = np.concatenate([residual, -residual])
        columns = np.concatenate([votes.first, votes.second])
        return coo_array((entries, (np.tile(cluster, 2), columns)), (size, m)).tocsr()
    table = np.zeros(size * m)
    for part in parts(votes):
        row = cluster[part].astype(np.int64) * m
        np.add.at(table, row + votes.first[part], residual[part])
        np.subtract.at(table, row + votes.second[part], residual[part])
    return table.reshape(size, m)


def squared(table: Floats | Sparse) -> Floats:
    """Gᵀ·G, dense."""
    if isinstance(table, csr_array):
        return np.asarray((table.T @ table).toarray())
    return table.T @ table


def _used(votes: Votes, cluster: Ids | Ints, size: int) -> Mask:
    """Bool per cluster: whether it has a vote of positive weight."""
    used = np.zeros(size, dtype=bool)
    for part in parts(votes):
        ids = cluster[part]
        used[ids if votes.weight is None else ids[votes.weight[part] > 0]] = True
    return used


def _only_pairs(votes: Votes, cluster: Ids | Ints, size: int) -> Ids | None:
    """The pair each cluster is about, min·M + max, or None where some cluster has several."""
    pair_of = np.full(size, NO_PAIR, dtype=np.int32)
    for part in parts(votes):
        first, second, ids = votes.first[part], votes.second[part], cluster[part]
        pair = np.minimum(first, second) * np.int32(votes.competitors) + np.maximum(first, second)
        before = pair_of[ids]
        pair_of[ids] = pair
        if (pair_of[ids] != pair).any() or ((before != pair) & (before != NO_PAIR)).any():
            return None
    return pair_of


def _meat_of_pairs(votes: Votes, residual: Floats, cluster: Ids | Ints, pair_of: Ids) -> Floats:
    """The meat where a cluster's score is one number t_c: the Laplacian of Σ t_c² per pair."""
    m = votes.competitors
    total = np.zeros(len(pair_of))
    for part in parts(votes):
        signed = np.where(votes.first[part] < votes.second[part], residual[part], -residual[part])
        np.add.at(total, cluster[part], signed)
    told = pair_of != NO_PAIR
    pair = np.bincount(pair_of[told], weights=total[told] ** 2, minlength=m * m).astype(np.float64)
    pair = pair.reshape(m, m)
    return laplacian(pair + pair.T)


def laplacian(pair: Floats) -> Floats:
    """Σ_pairs a_ij·(e_i - e_j)·(e_i - e_j)ᵀ of symmetric (m, m) weights a."""
    return np.diag(pair.sum(1)) - pair

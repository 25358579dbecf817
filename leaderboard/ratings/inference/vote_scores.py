"""Score vectors g_v = w·(y - p)·(e_first - e_second) of votes at a fit, summed by cluster."""

from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from ..compute.arrays import Floats, Ids, Ints, Mask
from ..compute.chunks import chunks
from ..compute.compiled import COMPILED, compiled
from ..compute.errors import RatingError
from ..data.connectivity import Rated
from ..data.votes import MAX_OUTCOME, WEIGHT_UNIT, Votes
from ..models.bradley_terry import Fit, win_matrix

NO_PAIR = -1
MAX_DENSE_CELLS = 1 << 24
"""Maximum number of cells of a dense table of clusters by competitors."""

Sparse = csr_array[np.float64, tuple[int, int]]


def informative(votes: Votes, fit: Rated) -> Mask:
    """Bool per vote: of positive weight, and on two competitors of one scale."""
    bear = on_scale(votes, fit)
    return bear if votes.weight is None else bear & (votes.weight > 0)


def on_scale(votes: Votes, fit: Rated) -> Mask:
    """Bool per vote: on two competitors of one scale."""
    same = fit.same_scale
    return np.ones(len(votes), dtype=bool) if same.all() else same[votes.first, votes.second]


def select_informative(votes: Votes, fit: Rated) -> Votes:
    """The votes that inform the fit (see `informative`)."""
    return select(votes, informative(votes, fit))


def select(votes: Votes, mask: Mask) -> Votes:
    """The votes where the mask is true; no copy where it is true everywhere."""
    return votes if mask.all() else votes.take(mask)


class Residuals:
    """Residuals w·(y - p) of votes, computed for the requested slice of rows: float64.

    The whole of them is residuals[:]; a plain array (n,) can stand in for this.
    """

    def __init__(self, votes: Votes, fit: Fit) -> None:
        self.votes, self.scores, self.p = votes, fit.scores, win_matrix(fit).ravel()

    def __getitem__(self, part: slice) -> Floats:
        votes = self.votes
        pair = votes.first[part].astype(np.int64)
        pair *= votes.competitors
        pair += votes.second[part]
        residual = self.scores.take(votes.outcome[part] + MAX_OUTCOME)
        residual -= self.p.take(pair)
        if votes.weight is not None:
            residual *= votes.weight[part] / WEIGHT_UNIT
        return residual


def cluster_meat(votes: Votes, residual: Floats | Residuals, by: str) -> tuple[Floats, int]:
    """Σ_c G_c·G_cᵀ with G_c = Σ_{v in c} g_v: float64 (M, M), and the number of clusters c.

    Clusters without a vote that weighs anything do not count.
    """
    cluster, size = cluster_ids(votes, by)
    used = used_clusters(votes, cluster, size)
    clusters = int(np.count_nonzero(used))
    meat = _meat_of_pairs(votes, residual, cluster, size)
    if meat is None:
        table = cluster_scores(votes, residual, cluster, size)
        # Who has no vote among these must not move a sum's last digit either.
        meat = cross_product(table if clusters == size else table[used])
    return meat, clusters


def cluster_ids(votes: Votes, by: str) -> tuple[Ids | Ints, int]:
    """The ids in the named column (renumbered if they are sparse), and the largest plus one."""
    cluster: Ids | Ints | None = getattr(votes, by, None)
    if cluster is None:
        raise RatingError(f"the votes have no {by} ids")
    if cluster.min(initial=0) < 0:
        raise RatingError(f"{by} ids must not be negative")
    if cluster.max(initial=0) > 4 * len(cluster):
        cluster = np.unique(cluster, return_inverse=True)[1].astype(np.int64)
    return cluster, int(cluster.max(initial=-1)) + 1


def require_clusters(clusters: int, by: str) -> None:
    """Raise RatingError for fewer than two clusters: they show no variance between clusters."""
    if clusters < 2:
        raise RatingError(f"{clusters} {by} clusters: no variance can be estimated")


def cluster_scores(
    votes: Votes, residual: Floats | Residuals, cluster: Ids | Ints, size: int
) -> Floats | Sparse:
    """G, one row per cluster and one column per competitor; sparse where it would be large."""
    m = votes.competitors
    if size * m > MAX_DENSE_CELLS:
        entries = np.concatenate([residual[:], -residual[:]])
        columns = np.concatenate([votes.first, votes.second])
        return coo_array((entries, (np.tile(cluster, 2), columns)), (size, m)).tocsr()
    table, add = np.zeros((size, m)), add_score_rows if COMPILED else add_score_columns
    for part in chunks(len(votes)):
        score = residual[part]
        add(table, cluster[part], votes.first[part], score)
        add(table, cluster[part], votes.second[part], -score)
    return table


@compiled
def add_score_rows(table: Any, row: Any, column: Any, value: Any) -> None:
    """Add values to cells of a table, one at a time."""
    for v in range(len(value)):
        table[row[v], column[v]] += value[v]


def add_score_columns(table: Floats, row: Ids | Ints, column: Ids, value: Floats) -> None:
    """The same without a loop, in the same order."""
    np.add.at(table.ravel(), row.astype(np.int64) * table.shape[1] + column, value)


def cross_product(table: Floats | Sparse) -> Floats:
    """Gᵀ·G, dense."""
    if isinstance(table, csr_array):
        return np.asarray((table.T @ table).toarray())
    return table.T @ table


def used_clusters(votes: Votes, cluster: Ids | Ints, size: int) -> Mask:
    """Bool per cluster: whether it has a vote of positive weight."""
    used = np.zeros(size, dtype=bool)
    for part in chunks(len(votes)):
        ids = cluster[part]
        used[ids if votes.weight is None else ids[votes.weight[part] > 0]] = True
    return used


def _meat_of_pairs(
    votes: Votes, residual: Floats | Residuals, cluster: Ids | Ints, size: int
) -> Floats | None:
    """The meat where each cluster is about one pair, so that its score is one number t_c: the
    Laplacian of Σ t_c² per pair. None where some cluster is about several.
    """
    m = votes.competitors
    total, pair_of = np.zeros(size), np.full(size, NO_PAIR, dtype=np.int32)
    add = total_rows if COMPILED else total_columns
    for part in chunks(len(votes)):
        i, j, t = votes.first[part], votes.second[part], residual[part]
        pair = np.minimum(i, j) * np.int32(m) + np.maximum(i, j)
        if not add(total, pair_of, cluster[part], pair, np.where(i < j, t, -t)):
            return None
    told = pair_of != NO_PAIR
    squares = np.bincount(pair_of[told], weights=total[told] ** 2, minlength=m * m).astype(float)
    squares = squares.reshape(m, m)
    return laplacian(squares + squares.T)


@compiled
def total_rows(total: Any, pair_of: Any, cluster: Any, pair: Any, value: Any) -> Any:
    """Add values to their clusters' totals and note the clusters' pairs, one at a time; False, and
    the totals mean nothing any more, where some cluster has a second pair."""
    for v in range(len(value)):
        c = cluster[v]
        if pair_of[c] != pair[v]:
            if pair_of[c] != NO_PAIR:
                return False
            pair_of[c] = pair[v]
        total[c] += value[v]
    return True


def total_columns(
    total: Floats, pair_of: Ids, cluster: Ids | Ints, pair: Ids, value: Floats
) -> bool:
    """The same without a loop, in the same order."""
    before = pair_of[cluster]
    pair_of[cluster] = pair
    if (pair_of[cluster] != pair).any() or ((before != pair) & (before != NO_PAIR)).any():
        return False
    np.add.at(total, cluster, value)
    return True


def laplacian(pair: Floats) -> Floats:
    """Σ_pairs a_ij·(e_i - e_j)·(e_i - e_j)ᵀ of symmetric (m, m) weights a."""
    return np.diag(pair.sum(1)) - pair

"""How a board changes without one contributor."""

from dataclasses import dataclass

import numpy as np

from ..compute.arrays import Floats, Ints
from ..compute.chunks import chunks
from ..data.counts import Counts, fold
from ..data.votes import Votes
from ..inference.intervals import Method
from ..inference.vote_scores import Residuals, cluster_ids, cluster_scores, select_informative
from ..models import bradley_terry
from ..models.bradley_terry import Fit, bread

MAX_EXACT_REFITS = 10
"""For how many contributors the board is fitted again without them."""
BLOCK_CLUSTERS = 1 << 14
NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """Leave-one-out shifts of the strengths.

    ids: int64 (G,), the contributors; largest: float64 (G,), about how far leaving each out moves
    the strength that it moves most, natural-log units;
    most: int64 (k,), the ids with the largest of these, largest first; shift: float64 (k, M), what
    leaving each of them out does to every strength, by fitting again, NaN where one then has none;
    leader: int64 (k,), who is then first.
    """

    ids: Ints
    largest: Floats
    most: Ints
    shift: Floats
    leader: Ints


def leave_one_out(
    votes: Votes,
    counts: Counts,
    fit: Fit,
    by: Method = Method.CONTRIBUTOR,
    exact: int = MAX_EXACT_REFITS,
) -> Influence:
    """Every contributor's influence by one Newton step, and exactly for those who have the most.

    Without the votes of c the gradient at the fitted strengths is -G_c (see `intervals`), so that
    they move by about -L⁺·G_c (Pregibon 1981, Annals of Statistics 9, 705-724).
    """
    live = select_informative(votes, fit)
    cluster, size = cluster_ids(live, by)
    table = cluster_scores(live, Residuals(live, fit), cluster, size)
    column, ids = getattr(live, by), np.full(size, NOBODY, dtype=np.int64)
    for part in chunks(len(live)):
        ids[cluster[part]] = column[part]
    known = ids != NOBODY
    ids, table = ids[known], table[known]
    spread = bread(fit)
    largest = np.empty(len(ids))
    for start in range(0, len(ids), BLOCK_CLUSTERS):
        part = slice(start, start + BLOCK_CLUSTERS)
        largest[part] = np.abs(np.asarray(table[part] @ spread)).max(axis=1, initial=0.0)
    most = ids[np.argsort(-largest, kind="stable")[:exact]]
    shift, leader = np.empty((len(most), len(fit.strength))), np.empty(len(most), dtype=np.int64)
    for k, one in enumerate(most):
        without = bradley_terry.fit(
            counts - fold(votes.take(getattr(votes, by) == one)), fit.scores, fit.prior
        )
        shift[k], leader[k] = without.strength - fit.strength, without.leader()
    return Influence(ids, largest, most, shift, leader)

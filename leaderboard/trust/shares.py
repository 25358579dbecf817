"""Shares of answers with intervals, where answers of one contributor or on one matchup depend on
each other.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm
from scipy.stats import t as student

from leaderboard.ratings import Floats, Ints, Mask
from leaderboard.trust.gaps import Integers

CONFIDENCE = 0.95
Z = 1.959963984540054
"""Two-sided 95% of the normal distribution."""
NAN = float("nan")


@dataclass(frozen=True)
class Share:
    """A share of n answers, or a difference of two, with its 95% limits.

    NaN where it cannot be said: all three without answers, the limits alone where the answers come
    from fewer than two contributors or are on fewer than two matchups.
    """

    value: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True, eq=False)
class Clusters:
    """Sums over the clusters of one kind.

    products: float64 (2G, 2G), Σ_c x_c·x_cᵀ of the rows x_c = (answers by group, chosen ones by
    group), whole numbers below 2⁵³ and therefore exact in any order; used: bool (C, G), whether
    the cluster has answers in the group.
    """

    products: Floats
    used: Mask

    def count(self, groups: Ints) -> int:
        """How many clusters have an answer in one of the groups."""
        return int(np.count_nonzero(self.used[:, groups].any(1)))


@dataclass(frozen=True, eq=False)
class GroupedAnswers:
    """Answers that did or did not choose something, in G groups, by contributor and by matchup.

    answers, chosen: int64 (G,).
    """

    answers: Ints
    chosen: Ints
    ways: tuple[Clusters, ...]


def group_answers(
    chosen: Mask, group: npt.NDArray[np.int8], clusters: tuple[Integers, ...], groups: int
) -> GroupedAnswers:
    """The sums that shares and their limits follow from.

    chosen: bool (n,); group: int8 (n,), 0 … groups - 1; clusters: an int (n,) of ids from 0 on for
    each way in which answers depend on each other, such as contributor and matchup. No two answers
    share all of them.
    """
    cell = group.astype(np.int64) * 2 + chosen
    totals = np.bincount(cell, minlength=2 * groups).reshape(groups, 2)
    ways = tuple(sum_clusters(cell, cluster, groups) for cluster in clusters)
    return GroupedAnswers(totals.sum(1), totals[:, 1], ways)


def sum_clusters(cell: Ints, cluster: Integers, groups: int) -> Clusters:
    """The sums of one way of clustering; cell: int64 (n,), group times 2, plus 1 if chosen."""
    cells = 2 * groups
    if cluster.max(initial=0) > 4 * len(cluster):
        cluster = np.unique(cluster, return_inverse=True)[1]
    index = cluster.astype(np.int64) * cells + cell
    size = (int(cluster.max(initial=-1)) + 1) * cells
    counts = np.bincount(index, minlength=size).reshape(-1, groups, 2)
    answers = counts.sum(2)
    table = np.concatenate([answers, counts[:, :, 1]], 1).astype(np.float64)
    return Clusters(table.T @ table, answers > 0)


def estimate_share(grouped: GroupedAnswers, groups: Ints) -> Share:
    """The share p of chosen ones among the answers of some groups, with its limits.

    Wilson's limits (JASA 22, 1927) for as many answers as say equally much, n_e = p·(1 - p) / V,
    with Student's t in place of the normal quantile (Dean & Pagano 2015, Journal of Survey
    Statistics and Methodology 3, 484-503): they stay between 0 and 1. V: see `find_variance`. Where
    all answers are alike their spread says nothing, and n_e is the smaller number of clusters.
    """
    n, chosen = int(grouped.answers[groups].sum()), int(grouped.chosen[groups].sum())
    if n == 0:
        return Share(NAN, NAN, NAN, 0)
    share, fewest = chosen / n, min(way.count(groups) for way in grouped.ways)
    if fewest < 2:
        return Share(share, NAN, NAN, n)
    weight = np.zeros(2 * len(grouped.answers))
    weight[groups], weight[len(grouped.answers) + groups] = -share / n, 1.0 / n
    spread = share * (1.0 - share)
    variance = find_variance(grouped, weight, groups, spread / n)
    effective = np.array(spread / variance if spread > 0 else fewest)
    lower, upper = wilson_limits(np.array(share), effective, quantile(fewest))
    return Share(share, float(lower), float(upper), n)


def compare_shares(grouped: GroupedAnswers, one: Ints, other: Ints) -> Share:
    """The share in some groups less the share in others, with limits ± t·√V; n: answers of both."""
    totals = [int(grouped.answers[groups].sum()) for groups in (one, other)]
    if 0 in totals:
        return Share(NAN, NAN, NAN, sum(totals))
    weight, alone, shares = np.zeros(2 * len(grouped.answers)), 0.0, []
    for groups, n, sign in zip((one, other), totals, (1.0, -1.0), strict=True):
        share = int(grouped.chosen[groups].sum()) / n
        weight[groups] = -sign * share / n
        weight[len(grouped.answers) + groups] = sign / n
        alone += share * (1.0 - share) / n
        shares.append(share)
    both, difference = np.concatenate([one, other]), shares[0] - shares[1]
    fewest = min(way.count(both) for way in grouped.ways)
    if fewest < 2 or alone == 0:
        return Share(difference, NAN, NAN, sum(totals))
    reach = quantile(fewest) * float(np.sqrt(find_variance(grouped, weight, both, alone)))
    limits = max(difference - reach, -1.0), min(difference + reach, 1.0)
    return Share(difference, *limits, sum(totals))


def find_variance(grouped: GroupedAnswers, weight: Floats, groups: Ints, alone: float) -> float:
    """The variance of a sum of influences, clustered each way: V_1 + V_2 - V_alone, or the largest
    of these three where that is more.

    V_k = C/(C - 1)·Σ_c (Σ_{a in c} ψ_a)² over the C clusters of a kind, ψ_a what an answer moves
    the estimate by; V_alone with every answer by itself, since two share either their contributor
    or their matchup (Cameron, Gelbach & Miller 2011, Journal of Business & Economic Statistics 29,
    238-249). weight: float64 (2G,), so that a cluster moves the estimate by weight · x_c.
    """
    found = []
    for way in grouped.ways:
        clusters = way.count(groups)
        found.append(float(weight @ way.products @ weight) * clusters / (clusters - 1))
    return max(sum(found) - (len(found) - 1) * alone, *found, alone)


def quantile(clusters: int) -> float:
    """Student's two-sided 95% quantile with clusters - 1 degrees of freedom."""
    return float(student.ppf((1.0 + CONFIDENCE) / 2.0, clusters - 1))


def wilson_limits(share: Floats, n: Ints | Floats, z: float = Z) -> tuple[Floats, Floats]:
    """Wilson's two-sided limits of a share, 95% by default; n is at least 1."""
    middle = share + z * z / (2.0 * n)
    spread = z * np.sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n))
    scale = 1.0 + z * z / n
    return (middle - spread) / scale, (middle + spread) / scale


def joint_quantile(intervals: int) -> float:
    """The normal quantile with which so many intervals all hold with 95% (Bonferroni)."""
    return float(norm.ppf(1.0 - (1.0 - CONFIDENCE) / (2.0 * max(intervals, 1))))

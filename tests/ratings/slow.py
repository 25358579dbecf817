"""Second implementations: short, slow and written differently from the engine they check."""

import itertools
import math

import numpy as np

from leaderboard.ratings import SIGN_SCORES, Votes


def rows(votes: Votes) -> list[tuple[int, int, int, float]]:
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight / 4096
    return list(
        zip(
            votes.first.tolist(),
            votes.second.tolist(),
            votes.outcome.tolist(),
            weight.tolist(),
            strict=True,
        )
    )


def bradley_terry(
    votes: Votes, scores: np.ndarray = SIGN_SCORES, rounds: int = 20000
) -> np.ndarray:
    """Zermelo's iteration (1929), p_i ← W_i / Σ_j n_ij / (p_i + p_j), one competitor at a time."""
    m = votes.competitors
    won = [0.0] * m
    met: dict[tuple[int, int], float] = {}
    for i, j, outcome, w in rows(votes):
        y = scores[outcome + 3]
        won[i] += w * y
        won[j] += w * (1 - y)
        met[i, j] = met.get((i, j), 0.0) + w
        met[j, i] = met.get((j, i), 0.0) + w
    p = [1.0] * m
    for _ in range(rounds):
        before = list(p)
        for i in range(m):
            p[i] = won[i] / sum(n / (p[a] + p[b]) for (a, b), n in met.items() if a == i)
        mean = math.exp(sum(map(math.log, p)) / m)
        p = [x / mean for x in p]
        if max(abs(x - y) / y for x, y in zip(p, before, strict=True)) < 1e-14:
            break
    return np.log(p)


def design(votes: Votes) -> np.ndarray:
    x = np.zeros((len(votes), votes.competitors))
    x[np.arange(len(votes)), votes.first] = 1
    x[np.arange(len(votes)), votes.second] = -1
    return x


def sandwich(
    votes: Votes, strength: np.ndarray, cluster: np.ndarray | None, scores: np.ndarray = SIGN_SCORES
) -> np.ndarray:
    """Textbook cluster-robust logistic regression, row by row, with a pseudo-inverse."""
    x = design(votes)
    w = np.array([row[3] for row in rows(votes)])
    p = 1 / (1 + np.exp(-x @ strength))
    bread = np.linalg.pinv((x * (w * p * (1 - p))[:, None]).T @ x, rcond=1e-10)
    score = x * (w * (scores[votes.outcome + 3] - p))[:, None]
    if cluster is None:
        return bread @ (score.T @ score) @ bread
    meat = np.zeros_like(bread)
    used = [c for c in set(cluster.tolist()) if w[cluster == c].sum() > 0]
    for c in used:
        g = score[cluster == c].sum(0)
        meat += np.outer(g, g)
    return bread @ meat @ bread * len(used) / (len(used) - 1)


def elo(votes: Votes, k: float = 4.0, start: float = 1000.0) -> np.ndarray:
    """Elo in points, as it is usually written down."""
    rating = [start] * votes.competitors
    for i, j, outcome, w in rows(votes):
        expected = 1 / (1 + 10 ** ((rating[j] - rating[i]) / 400))
        y = 1.0 if outcome > 0 else 0.5 if outcome == 0 else 0.0
        rating[i] += w * k * (y - expected)
        rating[j] -= w * k * (y - expected)
    return np.array(rating)


def holm(p: list[float]) -> list[float]:
    """Adjusted p-values straight from the definition: max over j ≤ i of (k - j + 1)·p_(j)."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    return [
        min(1.0, max((len(p) - r) * p[order[r]] for r in range(order.index(i) + 1)))
        for i in range(len(p))
    ]


def has_finite_fit(votes: Votes, members: list[int]) -> bool:
    """Ford's condition by brute force: in every split both sides have beaten each other."""
    won = {
        pair
        for i, j, outcome, w in rows(votes)
        if w > 0
        for pair in ([(i, j)] if outcome > 0 else [(j, i)] if outcome < 0 else [(i, j), (j, i)])
    }
    return all(
        any((a, b) in won for a in side for b in set(members) - set(side))
        for size in range(1, len(members))
        for side in itertools.combinations(members, size)
    )


def davidson_log_likelihood(votes: Votes, strength: np.ndarray, log_tie: float) -> float:
    """Row by row, straight from Davidson's equation 2.2."""
    total = 0.0
    for i, j, outcome, w in rows(votes):
        a, b = math.exp(strength[i]), math.exp(strength[j])
        tie = math.exp(log_tie) * math.sqrt(a * b)
        chance = a if outcome > 0 else b if outcome < 0 else tie
        total += w * math.log(chance / (a + b + tie))
    return total


def logistic(x: np.ndarray, y: np.ndarray, w: np.ndarray, rounds: int = 50) -> np.ndarray:
    """Fractional logistic regression by Newton steps with a pseudo-inverse."""
    beta = np.zeros(x.shape[1])
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-x @ beta))
        information = (x * (w * p * (1 - p))[:, None]).T @ x
        beta = beta + np.linalg.pinv(information) @ (x.T @ (w * (y - p)))
    return beta


def pairs_of_ranking(ranking: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """(competitor, place) of one ranking as (first, second, outcome) of every pair."""
    return [
        (a, b, (place_b > place_a) - (place_b < place_a))
        for (a, place_a), (b, place_b) in itertools.combinations(ranking, 2)
    ]


def fewest_drops(votes: Votes, leader: int, most: int) -> int | None:
    """The least number of dropped votes after which another competitor is level or above."""
    everything = range(len(votes))
    for k in range(most + 1):
        for dropped in itertools.combinations(everything, k):
            left = [v for v in everything if v not in dropped]
            rest = votes.take(np.array(left))
            if not has_finite_fit(rest, list(range(votes.competitors))):
                continue
            strength = bradley_terry(rest, rounds=500)
            if max(s for i, s in enumerate(strength) if i != leader) >= strength[leader] - 1e-9:
                return k
    return None


def variance_drops(votes: Votes, prior: float) -> np.ndarray:
    """The summed variance from the mean, less that with one more vote on each pair, the information
    inverted anew for every pair; strengths by gradient steps on votes and pseudo-votes."""
    m, x = votes.competitors, design(votes)
    y = SIGN_SCORES[votes.outcome + 3]
    s = np.zeros(m)
    for _ in range(20000):
        p = 1 / (1 + np.exp(-x @ s))
        gradient = x.T @ (y - p) + prior * (0.5 - 1 / (1 + np.exp(-s)))
        s += gradient / (len(votes) / 2 + prior)
        if np.abs(gradient).max() < 1e-12:
            break
    odds = 1 / (1 + np.exp(-x @ s))
    own = 1 / (1 + np.exp(-s))
    information = x.T @ (x * (odds * (1 - odds))[:, None]) + np.diag(prior * own * (1 - own))
    centre = np.eye(m) - 1 / m
    drops = np.zeros((m, m))
    for i, j in itertools.permutations(range(m), 2):
        one = np.eye(m)[i] - np.eye(m)[j]
        p_ij = 1 / (1 + np.exp(s[j] - s[i]))
        more = information + p_ij * (1 - p_ij) * np.outer(one, one)
        before, after = np.linalg.inv(information), np.linalg.inv(more)
        drops[i, j] = np.trace(centre @ before @ centre) - np.trace(centre @ after @ centre)
    return drops

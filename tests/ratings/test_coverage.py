"""95% intervals hold the truth about 95% of the time, with and without overlap, on seeded votes."""

from collections.abc import Iterator

import numpy as np
import pytest

from leaderboard.ratings import (
    Covariance,
    Method,
    Votes,
    clustered,
    compare,
    fold,
    independent,
    interval,
    rank,
    two_way,
)
from leaderboard.ratings.inference.intervals import two_sided
from leaderboard.ratings.models import bradley_terry as bt

TRUTH = np.array([1.0, 0.6, 0.3, 0.1, -0.1, -0.4, -0.6, -0.9])
ROUNDS = 250


def crowd(
    seed: int, *, matchups: int, overlap: int, matchup_noise: float, taste: float, people: int = 80
) -> Iterator[Votes]:
    """Votes on matchups with their own noise, by people with their own taste, `ROUNDS` times.

    Two judgments of one matchup share its noise, and all of a person's share the person's taste.
    """
    m = len(TRUTH)
    pairs = np.array([(i, j) for i in range(m) for j in range(i)])
    for round_seed in np.random.SeedSequence(seed).spawn(ROUNDS):
        rng = np.random.default_rng(round_seed)
        pair = np.repeat(pairs[rng.integers(0, len(pairs), matchups)], overlap, axis=0)
        matchup = np.repeat(np.arange(matchups, dtype=np.int32), overlap)
        judge = np.argsort(rng.random((matchups, people)), axis=1)[:, :overlap].ravel()
        like = rng.normal(0, taste, (people, m))
        first, second = pair.T
        gap = TRUTH[first] - TRUTH[second] + like[judge, first] - like[judge, second]
        gap += np.repeat(rng.normal(0, matchup_noise, matchups), overlap)
        tie = rng.random(len(gap)) < 0.2
        won = rng.random(len(gap)) < 1 / (1 + np.exp(-gap))
        yield Votes(
            m,
            first.astype(np.int32),
            second.astype(np.int32),
            np.where(tie, 0, np.where(won, 1, -1)).astype(np.int8),
            contributor=judge.astype(np.int32),
            matchup=matchup,
        )


def estimand(noise: float) -> np.ndarray:
    """The strengths of an endless crowd: a fit of the expected wins, all pairs equally often."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    gap = (TRUTH[:, None] - TRUTH)[..., None] + noise * nodes
    p = (weights / (1 + np.exp(-gap))).sum(-1) / weights.sum()
    won = 0.1 + 0.8 * p
    np.fill_diagonal(won, 0)
    return bt.newton(won)[0]


def coverage(covariances: Iterator[tuple[bt.Fit, Covariance]], truth: np.ndarray) -> float:
    """Share of intervals, of strengths and of differences, that hold the truth."""
    held, pair = [], np.triu_indices(len(truth), 1)
    for fit, covariance in covariances:
        limits = interval(fit, covariance)
        held.append((limits.lower <= truth) & (truth <= limits.upper))
        contrast = compare(fit, covariance)
        miss = np.abs(contrast.difference - (truth[:, None] - truth))
        held.append(
            (miss <= two_sided(0.95, covariance.degrees_of_freedom) * contrast.standard_error)[pair]
        )
    return float(np.concatenate(held).mean())


def every(votes: list[Votes], method: Method) -> Iterator[tuple[bt.Fit, Covariance]]:
    for one in votes:
        counts = fold(one)
        fit = bt.fit(counts)
        if method is Method.TWO_WAY:
            yield fit, two_way(one, counts, fit)
        elif method is Method.INDEPENDENT:
            yield fit, independent(counts, fit)
        else:
            yield fit, clustered(one, fit, method)


def test_without_overlap_independent_and_two_way_intervals_are_right():
    votes = list(crowd(1, matchups=1200, overlap=1, matchup_noise=0, taste=0))
    for method in (Method.INDEPENDENT, Method.TWO_WAY):
        assert 0.93 < coverage(every(votes, method), estimand(0)) < 0.97


def test_with_overlap_votes_of_a_matchup_are_not_independent():
    votes = list(crowd(2, matchups=300, overlap=4, matchup_noise=1, taste=0))
    assert coverage(every(votes, Method.INDEPENDENT), estimand(1)) < 0.92
    for method in (Method.MATCHUP, Method.TWO_WAY):
        assert 0.93 < coverage(every(votes, method), estimand(1)) < 0.97


def test_with_overlap_and_taste_only_two_way_intervals_are_right():
    votes = list(crowd(3, matchups=300, overlap=4, matchup_noise=2, taste=1))
    truth = estimand(np.hypot(2, np.sqrt(2)))
    for method in (Method.INDEPENDENT, Method.CONTRIBUTOR):
        assert coverage(every(votes, method), truth) < 0.92
    assert 0.93 < coverage(every(votes, Method.TWO_WAY), truth) < 0.97


def test_rank_ranges_hold_every_true_rank_together():
    true_rank = 1 + (TRUTH[:, None] < TRUTH).sum(1)
    held, widths = [], []
    votes = list(crowd(4, matchups=1200, overlap=1, matchup_noise=0, taste=0))
    for fit, covariance in every(votes, Method.INDEPENDENT):
        places = rank(fit, compare(fit, covariance), interval(fit, covariance))
        held.append(((places.best <= true_rank) & (true_rank <= places.worst)).all())
        widths.append((places.worst - places.best).mean())
    assert np.mean(held) > 0.93
    assert np.mean(widths) < 4  # of 7: the ranges do say something


def level_board(seed: list[int], competitors: int, contributors: int, n: int) -> Votes:
    """Independent votes on competitors that are all equal, each on a matchup of its own."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, competitors, n)
    second = (first + rng.integers(1, competitors, n)) % competitors
    outcome = np.where(rng.random(n) < 0.2, 0, rng.choice([-1, 1], n))
    return Votes(
        competitors,
        first.astype(np.int32),
        second.astype(np.int32),
        outcome.astype(np.int8),
        contributor=rng.integers(0, contributors, n).astype(np.int32),
        matchup=np.arange(n, dtype=np.int32),
    )


@pytest.mark.parametrize(
    ("competitors", "contributors", "votes"),
    [(8, 2, 400), (8, 3, 400), (8, 5, 400), (8, 10, 400), (20, 10, 2000)],
)
def test_few_contributors_claim_nothing_that_is_not_so(competitors, contributors, votes):
    claimed, held = [], []
    for seed in range(100):
        board = level_board([seed, contributors], competitors, contributors, votes)
        [(fit, covariance)] = every([board], Method.TWO_WAY)
        limits = interval(fit, covariance)
        claimed.append(compare(fit, covariance).better.any())
        held.append(((limits.lower <= 0) & (limits.upper >= 0)).mean())
    assert np.mean(claimed) <= 0.05
    assert np.mean(held) >= 0.95


def test_a_few_dozen_contributors_keep_the_family_wise_promise():
    claimed = []
    for seed in range(200):
        [(fit, covariance)] = every([level_board([seed], 12, 60, 1200)], Method.TWO_WAY)
        assert covariance.method is Method.TWO_WAY
        claimed.append(compare(fit, covariance).better.any())
    assert np.mean(claimed) < 0.08  # three standard errors of 200 boards above 5% is 9.6%

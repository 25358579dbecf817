"""Bootstrap strengths against sandwich covariances and against refitting resampled rows."""

import numpy as np
import pytest

from leaderboard.ratings import Method, Votes, clustered, elo, fold, independent, quantise
from leaderboard.ratings import bradley_terry as bt
from leaderboard.ratings.bootstrap import resample_clusters, resample_sequences, resample_votes

from .make import make_votes, simulate


def test_every_round_is_the_maximum_for_what_was_drawn():
    votes, _ = simulate(1, competitors=5, votes=300, contributors=40)
    fit = bt.fit(fold(votes))
    rounds = resample_clusters(votes, fit, np.random.default_rng(1), Method.CONTRIBUTOR, 5)
    rng, people = np.random.default_rng(1), np.unique(votes.contributor)
    for strength in rounds.strengths:
        drawn = rng.choice(people, len(people))
        rows = np.concatenate([np.flatnonzero(votes.contributor == person) for person in drawn])
        assert np.allclose(strength, bt.fit(fold(votes.take(rows))).strength, atol=1e-6)
    assert rounds.clusters == (40,)


@pytest.mark.parametrize("weigh", [False, True])
def test_resampled_votes_spread_like_the_independent_sandwich(weigh):
    votes, _ = simulate(2, votes=4000)
    if weigh:
        weight = quantise(np.random.default_rng(2).integers(0, 4, len(votes)) / 2)
        votes = Votes(8, votes.first, votes.second, votes.outcome, weight)
    counts = fold(votes)
    fit = bt.fit(counts)
    rounds = resample_votes(counts, fit, np.random.default_rng(2), 1500)
    assert rounds.dropped == 0
    ratio = rounds.covariance().standard_error / independent(counts, fit).standard_error
    assert np.abs(ratio - 1).max() < 0.07
    assert np.abs(rounds.strengths.mean(0) - fit.strength).max() < 0.01


def test_resampled_contributors_spread_like_the_clustered_sandwich():
    votes, _ = simulate(3, votes=4000, contributors=200)
    bias = np.random.default_rng(3).normal(0, 1, (200, 8))
    lean = bias[votes.contributor, votes.first] - bias[votes.contributor, votes.second]
    outcome = np.where(lean > 0, 1, -1).astype(np.int8)
    votes = Votes(8, votes.first, votes.second, outcome, contributor=votes.contributor)
    fit = bt.fit(fold(votes))
    rounds = resample_clusters(votes, fit, np.random.default_rng(3), Method.CONTRIBUTOR, 1000)
    sandwich = clustered(votes, fit, Method.CONTRIBUTOR).standard_error
    assert np.abs(rounds.covariance().standard_error / sandwich - 1).max() < 0.1
    assert (sandwich > 1.3 * independent(fold(votes), fit).standard_error).all()


def test_percentile_limits_hold_the_estimate():
    votes, _ = simulate(4)
    fit = bt.fit(fold(votes))
    limits = resample_votes(fold(votes), fit, np.random.default_rng(4)).interval()
    assert (limits.lower < fit.strength).all()
    assert (fit.strength < limits.upper).all()


def test_rounds_without_finite_strengths_are_dropped_and_counted():
    rows = [(0, 1, 1), (1, 0, 1), (1, 2, 1), (2, 1, 1)]
    fit = bt.fit(fold(make_votes(3, rows)))
    rounds = resample_votes(fold(make_votes(3, rows)), fit, np.random.default_rng(5), 200)
    # each of the four votes must be drawn at least once: (1 - 1/e)^4 of the rounds
    assert len(rounds.strengths) + rounds.dropped == 200
    assert 0.08 < len(rounds.strengths) / 200 < 0.25
    assert np.isfinite(rounds.strengths).all()


def test_a_round_that_falls_into_two_scales_is_dropped():
    rows = [(0, 1, 0), (1, 2, 0), (2, 3, 0)]
    counts = fold(make_votes(4, rows))
    rounds = resample_votes(counts, bt.fit(counts), np.random.default_rng(6), 300)
    assert 0.18 < len(rounds.strengths) / 300 < 0.33  # (1 - 1/e)³ of them have all three ties
    assert not rounds.strengths.any()


def test_lopsided_rounds_are_left_to_newton():
    rows = [(0, 1, 1)] * 3000 + [(1, 0, 1)] * 4 + [(1, 2, 1)] * 5 + [(2, 1, 1)] * 5
    fit = bt.fit(fold(make_votes(3, rows)))
    rounds = resample_votes(fold(make_votes(3, rows)), fit, np.random.default_rng(6), 100)
    assert rounds.dropped < 20
    assert np.ptp(rounds.strengths[:, 0]) > 0.5


def test_the_same_generator_gives_the_same_rounds(monkeypatch):
    votes, _ = simulate(7)
    fit = bt.fit(fold(votes))
    one, two = (resample_votes(fold(votes), fit, np.random.default_rng(7), 9) for _ in range(2))
    assert np.array_equal(one.strengths, two.strengths)


def test_components_unrated_and_priors_are_resampled_too():
    votes, _ = simulate(8, competitors=4)
    rows = [*zip(votes.first, votes.second, votes.outcome, strict=True)]
    rows += [(i + 4, j + 4, outcome) for i, j, outcome in rows] + [(8, 0, 1), (8, 1, 1)]
    counts = fold(make_votes(9, rows))
    rounds = resample_votes(counts, bt.fit(counts), np.random.default_rng(8), 20)
    assert np.isnan(rounds.strengths[:, 8]).all()
    assert np.isfinite(rounds.strengths[:, :8]).all()
    finite = resample_votes(counts, bt.fit(counts, prior=1.0), np.random.default_rng(8), 20)
    assert finite.dropped == 0
    assert np.isfinite(finite.strengths).all()


def test_bootstrap_elo_replays_resampled_sequences():
    votes, _ = simulate(9, votes=500)
    rounds = resample_sequences(votes, np.random.default_rng(9), 3)
    rng = np.random.default_rng(9)
    for strength in rounds.strengths:
        drawn = votes.take(rng.integers(0, 500, 500))
        assert np.array_equal(strength, elo.replay(drawn).strength)
    assert resample_sequences(make_votes(2, []), rng, 2).strengths.tolist() == [[0, 0], [0, 0]]

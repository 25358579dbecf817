"""Bootstrap strengths against sandwich covariances and against fitting reweighted rows."""

import numpy as np
import pytest

from leaderboard.ratings import (
    Method,
    NotConverged,
    RatingError,
    Votes,
    clustered,
    fold,
    independent,
    quantise,
)
from leaderboard.ratings.inference import bootstrap
from leaderboard.ratings.inference.bootstrap import (
    resample_sequences,
    reweight_clusters,
    reweight_votes,
)
from leaderboard.ratings.models import bradley_terry as bt
from leaderboard.ratings.models import elo

from .make import make_votes, simulate


def test_every_round_is_the_maximum_for_what_was_drawn():
    votes, _ = simulate(1, competitors=5, votes=300, contributors=40)
    fit = bt.fit(fold(votes))
    rounds = reweight_clusters(votes, fit, np.random.default_rng(1), Method.CONTRIBUTOR, 5)
    drawn = np.random.default_rng(1).standard_exponential((40, 5))
    for strength, weight in zip(rounds.strengths, drawn.T, strict=True):
        weighted = Votes(
            5, votes.first, votes.second, votes.outcome, quantise(weight[votes.contributor] * 4096)
        )
        assert np.allclose(strength, bt.fit(fold(weighted)).strength, atol=1e-6)
    assert rounds.clusters == (40,)


@pytest.mark.parametrize("weigh", [False, True])
def test_reweighted_votes_spread_like_the_independent_sandwich(weigh):
    votes, _ = simulate(2, votes=4000)
    if weigh:
        weight = quantise(np.random.default_rng(2).integers(0, 4, len(votes)) / 2)
        votes = Votes(8, votes.first, votes.second, votes.outcome, weight)
    counts = fold(votes)
    fit = bt.fit(counts)
    rounds = reweight_votes(counts, fit, np.random.default_rng(2), 1500)
    ratio = rounds.covariance().standard_error / independent(counts, fit).standard_error
    assert np.abs(ratio - 1).max() < 0.07
    assert np.abs(rounds.strengths.mean(0) - fit.strength).max() < 0.01


def test_reweighted_contributors_spread_like_the_clustered_sandwich():
    votes, _ = simulate(3, votes=4000, contributors=200)
    bias = np.random.default_rng(3).normal(0, 1, (200, 8))
    lean = bias[votes.contributor, votes.first] - bias[votes.contributor, votes.second]
    outcome = np.where(lean > 0, 1, -1).astype(np.int8)
    votes = Votes(8, votes.first, votes.second, outcome, contributor=votes.contributor)
    fit = bt.fit(fold(votes))
    rounds = reweight_clusters(votes, fit, np.random.default_rng(3), Method.CONTRIBUTOR, 1000)
    sandwich = clustered(votes, fit, Method.CONTRIBUTOR).standard_error
    assert np.abs(rounds.covariance().standard_error / sandwich - 1).max() < 0.1
    assert (sandwich > 1.3 * independent(fold(votes), fit).standard_error).all()


def test_percentile_limits_hold_the_estimate():
    votes, _ = simulate(4)
    fit = bt.fit(fold(votes))
    limits = reweight_votes(fold(votes), fit, np.random.default_rng(4)).interval()
    assert (limits.lower < fit.strength).all()
    assert (fit.strength < limits.upper).all()


def test_every_round_has_finite_strengths_even_where_one_vote_holds_the_board_together():
    rows = [(0, 1, 1)] * 3000 + [(1, 0, 1)] + [(1, 2, 1)] * 5 + [(2, 1, 1)] * 5 + [(2, 3, 0)]
    counts = fold(make_votes(4, rows))
    rounds = reweight_votes(counts, bt.fit(counts), np.random.default_rng(6), 300)
    assert np.isfinite(rounds.strengths).all()
    assert np.allclose(rounds.strengths.mean(1), 0)
    assert np.ptp(rounds.strengths[:, 0]) > 2


def test_the_same_generator_gives_the_same_rounds():
    votes, _ = simulate(7)
    fit = bt.fit(fold(votes))
    one, two = (reweight_votes(fold(votes), fit, np.random.default_rng(7), 9) for _ in range(2))
    assert np.array_equal(one.strengths, two.strengths)


def test_components_unrated_and_priors_are_reweighted_too():
    votes, _ = simulate(8, competitors=4)
    rows = [*zip(votes.first, votes.second, votes.outcome, strict=True)]
    rows += [(i + 4, j + 4, outcome) for i, j, outcome in rows] + [(8, 0, 1), (8, 1, 1)]
    counts = fold(make_votes(9, rows))
    rounds = reweight_votes(counts, bt.fit(counts), np.random.default_rng(8), 20)
    assert np.isnan(rounds.strengths[:, 8]).all()
    assert np.isfinite(rounds.strengths[:, :8]).all()
    finite = reweight_votes(counts, bt.fit(counts, prior=1.0), np.random.default_rng(8), 20)
    assert np.isfinite(finite.strengths).all()


def test_rounds_that_do_not_converge_are_counted_and_left_out(monkeypatch):
    votes, _ = simulate(10, votes=500)
    counts = fold(votes)
    fit = bt.fit(counts)
    whole = reweight_votes(counts, fit, np.random.default_rng(10), 6)
    turns = iter(range(6))

    def stubborn(won, prior):
        if next(turns) == 2:
            raise NotConverged("no convergence")
        return bt.newton(won, prior)

    monkeypatch.setattr(bootstrap, "MAX_CHORD_LENGTH", 0.0)  # leaves every round to Newton's method
    monkeypatch.setattr(bootstrap, "newton", stubborn)
    rounds = reweight_votes(counts, fit, np.random.default_rng(10), 6)
    assert (whole.lost, rounds.lost) == (0, 1)
    assert np.allclose(rounds.strengths, np.delete(whole.strengths, 2, axis=0), atol=1e-6)
    assert np.isfinite(rounds.interval().lower).all()
    monkeypatch.setattr(bootstrap, "newton", raising)
    with pytest.raises(NotConverged, match="none of 6 rounds"):
        reweight_votes(counts, fit, np.random.default_rng(10), 6)


def raising(won, prior):
    raise NotConverged("no convergence")


def test_what_shows_no_spread_is_refused():
    votes, _ = simulate(11, votes=300, contributors=1)
    counts, rng = fold(votes), np.random.default_rng(11)
    fit = bt.fit(counts)
    with pytest.raises(RatingError, match="1 contributor clusters"):
        reweight_clusters(votes, fit, rng, Method.CONTRIBUTOR)
    for call in (
        lambda: reweight_votes(counts, fit, rng, 0),
        lambda: reweight_clusters(votes, fit, rng, Method.MATCHUP, 0),
        lambda: resample_sequences(votes, rng, 0),
    ):
        with pytest.raises(RatingError, match="0 rounds"):
            call()
    with pytest.raises(RatingError, match="level"):
        reweight_votes(counts, fit, rng, 5).interval(1.0)


def test_bootstrap_elo_replays_resampled_sequences():
    votes, _ = simulate(9, votes=500)
    rounds = resample_sequences(votes, np.random.default_rng(9), 3)
    rng = np.random.default_rng(9)
    for strength in rounds.strengths:
        drawn = votes.take(rng.integers(0, 500, 500))
        assert np.array_equal(strength, elo.replay(drawn).strength)
    assert resample_sequences(make_votes(2, []), rng, 2).strengths.tolist() == [[0, 0], [0, 0]]

"""Elo: the plain formula, checkpoints, zero sum."""

from dataclasses import replace

import numpy as np
import pytest

from leaderboard.ratings import GRADED_SCORES, SIGN_SCORES, RatingError, Votes, quantise
from leaderboard.ratings.data import scale
from leaderboard.ratings.models import elo

from . import slow
from .make import make_votes, simulate


def weighted(votes: Votes) -> Votes:
    weight = quantise(np.random.default_rng(0).uniform(0, 3, len(votes)))
    return Votes(votes.competitors, votes.first, votes.second, votes.outcome, weight)


@pytest.mark.parametrize("weigh", [False, True])
def test_points_equal_the_textbook_loop(weigh):
    votes, _ = simulate(1)
    votes = weighted(votes) if weigh else votes
    points = scale.to_points(elo.replay(votes).strength)
    assert np.allclose(points, slow.elo(votes), rtol=1e-12)


def test_the_loop_says_the_same_of_lists_and_of_arrays():
    votes = weighted(simulate(1)[0])
    columns = [
        np.zeros(8),
        votes.first,
        votes.second,
        votes.outcome,
        SIGN_SCORES,
        np.full(2000, 0.02),
    ]
    loop = getattr(elo.replay_rows, "__wrapped__", elo.replay_rows)
    from_lists = loop(*(column.tolist() for column in columns), 1)
    assert from_lists == elo.replay_rows(*columns, 1).tolist()


def test_the_worked_example_of_one_game():
    """Equal players, K = 32: the winner takes 16 points (Elo 1978)."""
    step = scale.step_from_points(32.0)
    points = scale.to_points(elo.replay(make_votes(2, [(0, 1, 1)]), step=step).strength)
    assert np.allclose(points, [1016, 984])


def test_weights_exchange_but_create_nothing():
    votes = weighted(simulate(2)[0])
    assert abs(elo.replay(votes).strength.sum()) < 1e-12


def test_a_replay_goes_on_from_a_checkpoint_to_the_last_digit():
    votes, _ = simulate(3)
    whole = elo.replay(votes)
    rows = np.arange(len(votes))
    first = elo.replay(votes.take(rows < 700))
    assert first.votes == 700
    second = elo.replay(votes.take(rows >= 700), since=first)
    assert np.array_equal(second.strength, whole.strength)
    assert second.votes == whole.votes == len(votes)


def test_a_competitor_may_join_after_the_checkpoint():
    first = elo.replay(make_votes(2, [(0, 1, 1)]))
    later = elo.replay(make_votes(3, [(2, 0, 1)]), since=first)
    assert later.strength[2] > 0
    with pytest.raises(RatingError, match="checkpoint"):
        elo.replay(make_votes(2, [(0, 1, 1)]), since=later)
    with pytest.raises(RatingError, match="checkpoint"):
        elo.replay(make_votes(2, [(0, 1, 1)]), since=first, step=1.0)


def test_a_checkpoint_goes_on_with_its_own_scores_alone():
    votes, _ = simulate(3, graded=True)
    first = elo.replay(votes, scores=GRADED_SCORES)
    elo.replay(votes, since=first, scores=GRADED_SCORES)
    with pytest.raises(RatingError, match="other scores"):
        elo.replay(votes, since=first)


def test_nobody_is_compared_with_oneself():
    with pytest.raises(RatingError, match="itself"):
        elo.replay(make_votes(2, [(0, 1, 1), (1, 1, 1)]))


def test_mirrored_votes_give_the_same_but_order_matters():
    votes, _ = simulate(4)
    mirrored = Votes(8, votes.second, votes.first, -votes.outcome)
    assert np.allclose(elo.replay(mirrored).strength, elo.replay(votes).strength, atol=1e-13)
    backwards = votes.take(np.arange(len(votes))[::-1])
    assert not np.allclose(elo.replay(backwards).strength, elo.replay(votes).strength)


def test_no_votes_leave_everybody_at_the_start():
    assert elo.replay(make_votes(3, [])).strength.tolist() == [0, 0, 0]


def test_absurd_weights_are_refused():
    with pytest.raises(RatingError, match="too large"):
        elo.replay(make_votes(2, [(0, 1, 1)], weight=quantise(np.array([1e6]))))


@pytest.mark.parametrize("step", [np.nan, np.inf, -1.0, 0.0, 1e4])
def test_a_step_that_means_nothing_is_refused(step):
    votes, _ = simulate(1)
    with pytest.raises(RatingError, match="step"):
        elo.replay(votes, step=step)
    broken = replace(elo.replay(votes), strength=np.full(8, np.nan))
    with pytest.raises(RatingError, match="finite"):
        elo.replay(votes, broken)

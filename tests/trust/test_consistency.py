"""Self-consistency: taste is told from noise, whatever the order of rows or models."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import rankdata

from bench.trust_world import AWARE, DISSENTER, HONEST, LEFT, World, draw_crowd
from leaderboard.trust.consistency import MIN_VOTES, PENALTY, self_consistency
from leaderboard.trust.gaps import UNKEYED, Matchups
from leaderboard.trust.reliability import Answers

KINDS = {HONEST: 0.4, DISSENTER: 0.25, AWARE: 0.2, LEFT: 0.15}


@pytest.fixture(scope="module")
def crowd():
    return draw_crowd(World(people=1_500, models=20, kinds=KINDS), 0)


def some_votes(outcomes, left=1, models=3, key=UNKEYED):
    """One person's votes on matchups of models (0, 1), (1, 2), (2, 0), (0, 1), …"""
    outcome, at = np.array(outcomes, dtype=np.int64), np.arange(len(outcomes))
    matchups = Matchups(at % 3, (at + 1) % 3, np.full(len(at), key), models)
    return Answers(0 * at, at, outcome, np.broadcast_to(left, len(at)), matchups, 1, 5)


def test_a_taste_of_ones_own_is_told_from_noise(crowd):
    found = self_consistency(crowd.answers)
    long = found.votes >= 60
    taste, noise = (found.z[long & (crowd.kind == kind)] for kind in (DISSENTER, AWARE))
    assert min(len(taste), len(noise)) > 20
    ranks = rankdata(np.concatenate([taste, noise]))[: len(taste)]
    above = ranks.sum() - len(taste) * (len(taste) + 1) / 2
    assert above / (len(taste) * len(noise)) > 0.78
    assert np.mean(found.z[long & (crowd.kind == HONEST)]) > 2.0


def test_without_a_taste_z_is_about_normal(crowd):
    """Noise, and always the left: neither predicts itself."""
    found = self_consistency(crowd.answers)
    for kind in (AWARE, LEFT):
        z = found.z[(found.votes >= MIN_VOTES) & (crowd.kind == kind)]
        assert abs(z.mean()) < 3.5 / np.sqrt(len(z))
        assert 0.7 < z.std() < 1.3


def test_it_is_a_ridge_fit_to_all_other_votes():
    """The prediction of each vote, fitted anew without it; and the variance over all signs."""
    rng = np.random.default_rng(0)
    votes = rng.integers(-2, 3, 36)
    left = np.tile([1, -1], 18)
    value = votes - (votes * left).mean() * left
    at = np.arange(36)
    design = np.eye(3)[at % 3] - np.eye(3)[(at + 1) % 3]

    def total(values):
        result = 0.0
        for i in at:
            rest = at != i
            inverse = np.linalg.inv(design[rest].T @ design[rest] + PENALTY * np.eye(3))
            result += values[i] * (design[i] @ inverse @ design[rest].T @ values[rest])
        return result

    flipped = [total(value * rng.choice([-1, 1], 36)) for _ in range(2_000)]
    assert np.mean(flipped) == pytest.approx(0.0, abs=4 * np.std(flipped) / np.sqrt(2_000))
    z = self_consistency(some_votes(votes, left)).z[0]
    assert z == pytest.approx(total(value) / np.std(flipped), rel=0.06)


def test_order_names_and_sides_change_nothing(crowd):
    answers = crowd.answers
    z = self_consistency(answers).z
    rows = np.random.default_rng(0).permutation(len(answers.outcome))
    assert self_consistency(answers.take(rows)).z.tobytes() == z.tobytes()
    renamed = replace(answers, contributor=answers.people - 1 - answers.contributor)
    assert np.allclose(self_consistency(renamed).z[::-1], z, atol=1e-9, equal_nan=True)
    matchups = answers.matchups
    mirrored = replace(
        answers,
        outcome=-answers.outcome,
        left=-answers.left,
        matchups=replace(matchups, first=matchups.second, second=matchups.first),
    )
    assert np.allclose(self_consistency(mirrored).z, z, atol=1e-9, equal_nan=True)


@pytest.mark.filterwarnings("error")
def test_too_few_votes_tell_nothing():
    found = self_consistency(some_votes([1] * (MIN_VOTES - 1)))
    assert (np.isnan(found.z[0]), found.votes[0]) == (True, MIN_VOTES - 1)
    assert not np.isnan(self_consistency(some_votes([1] * MIN_VOTES)).z[0])
    controls = self_consistency(some_votes([1] * 40, key=1))
    assert (np.isnan(controls.z[0]), controls.votes[0]) == (True, 0)
    assert self_consistency(some_votes([])).votes.tolist() == [0]
    assert self_consistency(some_votes([0] * 40)).z.tolist() == [0.0]

"""How often models appear: planted imbalances are found, and none where there is none."""

import numpy as np
import pytest

from leaderboard.trust.appearances import (
    JudgedMatchups,
    find_furthest,
    share_categories,
    share_opponents,
    share_sides,
)

MODELS = 6
PAIRS = np.array([(i, j) for i in range(MODELS) for j in range(i)], dtype=np.int32)


def draw(seed: int, chance: np.ndarray | None = None, matchups: int = 600) -> JudgedMatchups:
    """Matchups of pairs drawn at random, each with one to three votes."""
    rng = np.random.default_rng(seed)
    pair = PAIRS[rng.choice(len(PAIRS), matchups, p=chance)]
    return JudgedMatchups(pair[:, 0], pair[:, 1], rng.integers(1, 4, matchups), MODELS)


def test_balanced_sides_are_no_finding_and_a_model_that_stands_left_is() -> None:
    alarms = []
    for seed in range(300):
        left = np.random.default_rng(seed).binomial(200, 0.5, MODELS)
        alarms.append(share_sides(left, 200 - left).apart.any())
    assert np.mean(alarms) < 0.08
    left[2] = 140
    assert share_sides(left, 200 - left).apart.tolist() == [False, False, True, *[False] * 3]


def test_a_model_without_known_sides_has_no_share() -> None:
    shares = share_sides(np.array([3, 0]), np.array([5, 0]))
    assert shares.value[0] == 3 / 8
    assert np.isnan([shares.value[1], shares.lower[1], shares.expected[1]]).all()
    assert not shares.apart.any()


def test_opponents_in_equal_shares_are_no_finding() -> None:
    alarms = [share_opponents(draw(seed)).apart.any() for seed in range(200)]
    assert np.mean(alarms) < 0.08


def test_two_models_that_meet_too_often_are_found() -> None:
    chance = np.ones(len(PAIRS))
    chance[0] = 4  # models 1 and 0
    shares = share_opponents(draw(1, chance / chance.sum()))
    assert shares.apart[0, 1]
    assert shares.apart[1, 0]
    assert find_furthest(shares)[:2].tolist() == [1, 0]
    rows = shares.value[~np.isnan(shares.value)].reshape(MODELS, MODELS - 1)
    assert rows.sum(1) == pytest.approx(np.ones(MODELS))


def test_votes_on_one_matchup_count_for_less_than_on_many() -> None:
    many = JudgedMatchups(
        *(np.array(ids, np.int32) for ids in ([0] * 30, [1] * 30)), np.ones(30, np.int64), 2
    )
    one = JudgedMatchups(many.first[:1], many.second[:1], np.array([30]), 2)
    assert many.effective().tolist() == [30.0, 30.0]
    assert one.effective().tolist() == [1.0, 1.0]


def test_with_two_models_there_are_no_opponents_to_compare() -> None:
    judged = JudgedMatchups(np.array([0], np.int32), np.array([2], np.int32), np.array([9]), 3)
    shares = share_opponents(judged)
    assert np.isnan(shares.value).all()
    assert find_furthest(shares).tolist() == [-1, -1, -1]


def test_categories_are_compared_with_their_share_of_the_records() -> None:
    alarms = []
    for seed in range(200):
        judged, rng = draw(seed), np.random.default_rng(seed + 1000)
        filed = [np.flatnonzero(rng.random(600) < share) for share in (0.3, 0.1)]
        alarms.append(share_categories(judged, filed, np.array([0.3, 0.1])).apart.any())
    assert np.mean(alarms) < 0.08
    has_one = (judged.first == 1) | (judged.second == 1)
    filed = [np.flatnonzero(has_one & (rng.random(600) < 0.8))]
    shares = share_categories(judged, filed, np.array([0.3]))
    assert shares.apart[1, 0]
    assert shares.value[1, 0] > 0.7


def test_a_category_of_every_record_is_no_finding() -> None:
    judged = draw(1)
    shares = share_categories(judged, [np.arange(600), np.arange(0)], np.array([1.0, 0.0]))
    assert shares.value[:, 0].tolist() == [1.0] * MODELS
    assert not shares.apart.any()

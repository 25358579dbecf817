"""Shares with intervals: against a slow second computation, and how often they hold the truth."""

import numpy as np
import pytest

from leaderboard.trust.shares import (
    Share,
    compare_shares,
    estimate_share,
    group_answers,
    joint_quantile,
    quantile,
    wilson_limits,
)

ALL = np.arange(2)
ONE, OTHER = np.array([0]), np.array([1])


def make_answers(seed: int, n: int = 300, people: int = 12, matchups: int = 90):
    """Answers in two groups, none twice of one person on one matchup."""
    rng = np.random.default_rng(seed)
    cells = rng.choice(people * matchups, n, replace=False)
    taste = rng.normal(0, 0.8, people)
    who, matchup = cells // matchups, cells % matchups
    chosen = rng.random(n) < 1 / (1 + np.exp(-taste[who]))
    return chosen, rng.integers(0, 2, n).astype(np.int8), who, matchup


def slow_variance(influence: np.ndarray, *clusters: np.ndarray) -> float:
    """Two-way, cluster by cluster; influence: of each answer on the estimate."""
    found = []
    for ids in clusters:
        names = sorted(set(ids.tolist()))
        sums = [influence[ids == name].sum() for name in names]
        found.append(len(names) / (len(names) - 1) * sum(one * one for one in sums))
    alone = (influence**2).sum()
    return max(sum(found) - alone, *found, alone)


def test_a_share_and_its_limits_are_those_of_a_slow_computation() -> None:
    for seed in range(5):
        chosen, group, who, matchup = make_answers(seed)
        found = estimate_share(group_answers(chosen, group, (who, matchup), 2), ALL)
        share = chosen.mean()
        variance = slow_variance((chosen - share) / len(chosen), who, matchup)
        effective = np.array(share * (1 - share) / variance)
        fewest = min(len(set(who.tolist())), len(set(matchup.tolist())))
        limits = wilson_limits(np.array(share), effective, quantile(fewest))
        assert (found.value, found.n) == (share, len(chosen))
        assert (found.lower, found.upper) == pytest.approx([float(each) for each in limits])


def test_so_is_a_difference_of_two_groups() -> None:
    for seed in range(5):
        chosen, group, who, matchup = make_answers(seed)
        found = compare_shares(group_answers(chosen, group, (who, matchup), 2), ONE, OTHER)
        influence = np.zeros(len(chosen))
        shares = []
        for number, sign in ((0, 1), (1, -1)):
            part = group == number
            shares.append(chosen[part].mean())
            influence[part] = sign * (chosen[part] - shares[-1]) / part.sum()
        reach = quantile(len(set(who.tolist()))) * slow_variance(influence, who, matchup) ** 0.5
        assert found.value == pytest.approx(shares[0] - shares[1])
        assert (found.upper - found.lower) / 2 == pytest.approx(reach)


def test_rows_in_any_order_and_ids_of_any_numbers_give_the_same_digits() -> None:
    chosen, group, who, matchup = make_answers(1)
    before = group_answers(chosen, group, (who, matchup), 2)
    order = np.random.default_rng(2).permutation(len(chosen))
    renumbered = who[order] + 5, 1000 * matchup[order]
    after = group_answers(chosen[order], group[order], renumbered, 2)
    assert estimate_share(after, ALL) == estimate_share(before, ALL)
    assert compare_shares(after, ONE, OTHER) == compare_shares(before, ONE, OTHER)


def test_what_is_not_chosen_mirrors_what_is() -> None:
    chosen, group, who, matchup = make_answers(3)
    one, other = (
        estimate_share(group_answers(each, group, (who, matchup), 2), ALL)
        for each in (chosen, ~chosen)
    )
    mirrored = [1 - other.value, 1 - other.upper, 1 - other.lower]
    assert [one.value, one.lower, one.upper] == pytest.approx(mirrored)


def test_one_person_alone_has_a_share_without_limits_and_nobody_none() -> None:
    chosen, group, who, matchup = make_answers(4)
    alone = group_answers(chosen, group, (0 * who, np.arange(len(who))), 2)
    found = estimate_share(alone, ALL)
    assert found.value == chosen.mean()
    assert np.isnan([found.lower, found.upper]).all()
    nothing = group_answers(chosen[:0], group[:0], (who[:0], matchup[:0]), 2)
    for share in (estimate_share(nothing, ALL), compare_shares(nothing, ONE, OTHER)):
        assert share.n == 0
        assert np.isnan([share.value, share.lower, share.upper]).all()


def test_answers_that_are_all_alike_are_no_certainty() -> None:
    _chosen, group, who, matchup = make_answers(5)
    found = estimate_share(group_answers(group >= 0, group, (who, matchup), 2), ALL)
    assert (found.value, found.upper) == (1.0, pytest.approx(1.0))
    assert 0.5 < found.lower < 0.8  # of twelve people
    change = compare_shares(group_answers(group >= 0, group, (who, matchup), 2), ONE, OTHER)
    assert isinstance(change, Share)
    assert change.value == 0
    assert np.isnan(change.lower)


def test_limits_hold_the_truth_where_people_differ() -> None:
    """A crowd whose people each have a leaning of their own; the truth is one half."""
    held = []
    for seed in range(400):
        chosen, group, who, matchup = make_answers(seed, people=40)
        found = estimate_share(group_answers(chosen, group, (who, matchup), 2), ALL)
        held.append(found.lower <= 0.5 <= found.upper)
    assert 0.92 <= np.mean(held) <= 0.98


def test_joint_limits_are_wider_the_more_there_are() -> None:
    assert joint_quantile(1) == pytest.approx(1.959964)
    assert joint_quantile(20) == pytest.approx(3.023341)

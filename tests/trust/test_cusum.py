"""Jumps in the share of passes."""

import numpy as np
import pytest

from leaderboard.trust.cusum import MIN_BEFORE, THRESHOLD, find_jump


def slowly(passed: list[bool]) -> tuple[int, bool] | None:
    """The recursion of the docstring, answer by answer."""
    before = max(len(passed) // 2, MIN_BEFORE)
    usual = (1 + sum(passed[:before])) / (2 + before)
    levels = {True: 0.0, False: 0.0}
    for index in range(before, len(passed)):
        for rises, ratio in ((True, 4.0), (False, 0.25)):
            odds = usual / (1 - usual) * ratio
            share = odds / (1 + odds)
            step = share / usual if passed[index] else (1 - share) / (1 - usual)
            levels[rises] = max(0.0, levels[rises] + float(np.log(step)))
        if any(level >= THRESHOLD for level in levels.values()):
            return index, levels[True] >= THRESHOLD
    return None


@pytest.mark.parametrize("seed", range(20))
def test_a_slow_second_implementation_agrees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    passed = rng.random(200) < np.where(np.arange(200) < 120, 0.6, rng.choice([0.6, 0.98, 0.1]))
    found, slow = find_jump(passed), slowly(passed.tolist())
    assert (found and (found.at, found.rises)) == slow


def test_a_jump_is_found_both_ways_and_a_steady_share_raises_no_alarm() -> None:
    steady = np.arange(400) % 4 != 0
    assert find_jump(steady) is None
    for after, rises in ((True, True), (False, False)):
        jumped = steady.copy()
        jumped[250:] = after
        found = find_jump(jumped)
        assert found is not None
        assert found.rises is rises
        assert 250 <= found.at < 300


def test_false_alarms_are_rare() -> None:
    alarms = [
        find_jump(np.random.default_rng(seed).random(200) < 0.85) is not None for seed in range(300)
    ]
    assert np.mean(alarms) < 0.1


@pytest.mark.parametrize("answers", [0, 1, MIN_BEFORE])
def test_with_few_answers_nothing_is_said(answers: int) -> None:
    assert find_jump(np.ones(answers, dtype=bool)) is None

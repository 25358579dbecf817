"""Control κ: a worked example, and a slow second implementation."""

from random import Random

import numpy as np
import pytest

from leaderboard.trust.control import ControlAnswers, estimate_kappa, response_habits

CREDITS = np.array([[1.0, 0.0, 0.0], [0.25, 1.0, 0.25], [0.0, 0.0, 1.0]])


def test_a_worked_example() -> None:
    """Two people of two sided judgments and one tie each, both right, then both wrong on three."""
    contributor = np.array([0, 0, 0, 1, 1, 1])
    outcome = np.array([1, -1, 0, 1, -1, 0])
    left = np.array([1, 1, 1, 1, 1, 1])
    seen = response_habits(contributor, outcome, left, 2)
    np.testing.assert_array_equal(seen, [[1, 1, 1], [1, 1, 1]])
    answers = ControlAnswers(
        np.array([0, 0, 0, 1, 1, 1]),
        np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
        np.array([1, -1, 1, 1, -1, 1]),
        np.ones(6, dtype=int),
    )
    # Everybody answers a third each: by chance a key of a side earns 1/3 + .25/3 = 5/12.
    expected = 5 / 12
    scores = estimate_kappa(answers, seen, CREDITS)
    right = (3 * (1 - expected) + 1.275) / (3 * (1 - expected) + 1.7)
    wrong = (3 * (0 - expected) + 1.275) / (3 * (1 - expected) + 1.7)
    np.testing.assert_allclose(scores.kappa, [right, wrong])
    np.testing.assert_allclose(scores.standard_error, 0.6 / np.sqrt(5))


def test_below_two_controls_the_prior_rules() -> None:
    answers = ControlAnswers(np.array([1]), np.array([0.0]), np.array([1]), np.array([1]))
    scores = estimate_kappa(answers, np.ones((2, 3)), CREDITS)
    np.testing.assert_allclose(scores.kappa, 0.75)
    assert not scores.rated.any()
    assert scores.controls.tolist() == [0, 1]


def test_always_left_is_worth_less_than_a_reader() -> None:
    """Nine of ten keys stand left: who always says left is right on them, and by habit alone."""
    keys = np.array([1] * 9 + [-1])
    people = np.repeat([0, 1], 10)
    answers = ControlAnswers(
        people,
        np.array([1.0] * 9 + [0.0] + [1.0] * 10),
        np.tile(keys, 2),
        np.ones(20, dtype=int),
    )
    seen = np.array([[0.0, 0.0, 60.0], [24.0, 6.0, 30.0]])
    lazy, reader = estimate_kappa(answers, seen, CREDITS).kappa
    assert lazy < 0.5
    assert reader > 0.9


def slowly(answers: list[tuple[int, float, int, int]], seen: np.ndarray) -> list[float]:
    """The formula of the docstring, one answer after the other."""
    result = []
    share = seen.sum(0) / seen.sum()
    for person, counts in enumerate(seen):
        gained = possible = 0.0
        own = [answer for answer in answers if answer[0] == person]
        for _, credit, key, left in own:
            shown = [key * left] if left else [key, -key]
            chance = 0.0
            for where in shown:
                for y in (-1, 0, 1):
                    habit = (counts[y + 1] + 5 * share[y + 1]) / (counts.sum() + 5)
                    chance += habit * CREDITS[y + 1, where + 1] / len(shown)
            gained += credit - chance
            possible += 1 - chance
        result.append((gained + 1.275) / (possible + 1.7) if len(own) >= 2 else 0.75)
    return result


@pytest.mark.parametrize("seed", range(5))
def test_a_slow_second_implementation_agrees(seed: int) -> None:
    rng = Random(seed)
    seen = np.array([[rng.randrange(9) + 0.5 for _ in range(3)] for _ in range(6)])
    answers = [
        (
            rng.randrange(6),
            rng.choice([0.0, 0.25, 1.0]),
            rng.choice([-1, 0, 1]),
            rng.choice([-1, 0, 1]),
        )
        for _ in range(40)
    ]
    columns = [np.array(column) for column in zip(*answers, strict=True)]
    np.testing.assert_allclose(
        estimate_kappa(ControlAnswers(*columns), seen, CREDITS).kappa, slowly(answers, seen)
    )

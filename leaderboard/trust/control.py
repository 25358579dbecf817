"""Agreement with controls beyond chance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leaderboard.ratings import Floats, chunks

Integers = npt.NDArray[np.signedinteger]

HABIT_WEIGHT = 5.0
"""Pseudo-judgments with the population's response frequencies added to each contributor's own."""
PRIOR_AGREEMENT = 1.275
PRIOR_CONTROLS = 1.7
"""Prior of κ: without any control κ is 1.275 / 1.7 = .75."""
MIN_CONTROLS_FOR_KAPPA = 2
"""With fewer controls a contributor is not rated, and κ is the prior's."""


@dataclass(frozen=True, slots=True, eq=False)
class ControlScores:
    """kappa: float64 (U,), at most 1, may be negative; standard_error: float64 (U,);
    controls: int64 (U,), answers to controls; rated: bool (U,), enough of them."""

    kappa: Floats
    standard_error: Floats
    controls: npt.NDArray[np.int64]
    rated: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ControlAnswers:
    """n answers to controls.

    contributor: int (n,), 0 … U-1; credit: float64 (n,), agreement with the key in [0, 1];
    key: int (n,), -1, 0 or 1, positive where the first response is right; left: int (n,), 1 where
    the first response stood left, -1 where the second did, 0 where nobody knows.
    """

    contributor: Integers
    credit: Floats
    key: Integers
    left: Integers


def response_habits(
    contributor: Integers, outcome: Integers, left: Integers, people: int
) -> Floats:
    """How often each contributor answered right, tie and left: float64 (U, 3).

    Over all judgments (n,): outcome positive where the first response is better; left as in
    `ControlAnswers`. Where the sides are unknown, half a vote for each side.
    """
    seen, unsided = np.zeros(3 * people, dtype=np.int64), np.zeros(people, dtype=np.int64)
    for part in chunks(len(contributor)):
        who, side = contributor[part].astype(np.int64), np.sign(outcome[part])
        np.add.at(seen, who * 3 + (side * left[part] + 1), 1)
        np.add.at(unsided, who[(left[part] == 0) & (side != 0)], 1)
    table = seen.reshape(people, 3).astype(np.float64)
    half = unsided / 2.0
    table[:, 1] -= 2.0 * half  # counted as ties above
    table[:, 0] += half
    table[:, 2] += half
    return table


def estimate_kappa(answers: ControlAnswers, seen: Floats, credits: Floats) -> ControlScores:
    """Agreement of each contributor with controls, beyond that expected from response habits.

    kappa_u = (Σ_i (c_i - e_i) + 1.275) / (Σ_i (1 - e_i) + 1.7), over the controls i of u, where c_i
    is the credit and e_i = Σ_y m_u(y)·credits(y, key_i) the credit expected of somebody answering
    at random with u's own habits, m_u(y) = (n_uy + 5·p_y) / (n_u + 5), p_y the population's share
    of side y. The standard error is .6 / sqrt(n + 2), from simulation.

    seen: float64 (U, 3), see `response_habits`; credits: float64 (3, 3), credit of answering
    right, tie or left (rows) where right, tie or left (columns) is the key.
    """
    people = len(seen)
    total = seen.sum(0)
    share = total / total.sum() if total.sum() else np.full(3, 1 / 3)
    habit = (seen + HABIT_WEIGHT * share) / (seen.sum(1, keepdims=True) + HABIT_WEIGHT)
    by_chance = habit @ credits
    shown = answers.key * np.where(answers.left == 0, 1, answers.left) + 1
    mirrored = np.where(answers.left == 0, 2 - shown, shown)
    who = answers.contributor
    expected = (by_chance[who, shown] + by_chance[who, mirrored]) / 2.0
    gained = np.bincount(who, answers.credit - expected, minlength=people)
    possible = np.bincount(who, 1.0 - expected, minlength=people)
    controls = np.bincount(who, minlength=people)
    rated = controls >= MIN_CONTROLS_FOR_KAPPA
    value = (gained + PRIOR_AGREEMENT) / (possible + PRIOR_CONTROLS)
    return ControlScores(
        np.where(rated, value, PRIOR_AGREEMENT / PRIOR_CONTROLS),
        0.6 / np.sqrt(np.where(rated, controls, 0) + 2.0),
        controls,
        rated,
    )

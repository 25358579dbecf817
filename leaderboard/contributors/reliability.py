"""Weights of contributors' votes, by their agreement with controls."""

import numpy as np
import numpy.typing as npt

from arena.questions import KINDS
from leaderboard.ratings import quantise, take
from leaderboard.trust.control import ControlAnswers, ControlScores, estimate_kappa, response_habits
from leaderboard.trust.gaps import UNKEYED
from leaderboard.votes.table import Comparisons

SIDES = (-1, 0, 1)


def score_controls(data: Comparisons, question: int) -> ControlScores | None:
    """κ of each contributor on a question's controls, in the order of `Comparisons.enrollments`.

    None where no control was answered: then there is nothing to weigh by.
    """
    columns = data.columns
    key = take(key_signs(data, question), columns["matchup"])
    contributor, outcome, left = columns["contributor"], columns["outcome"], columns["left"]
    if len(data.questions) > 1:
        asked = columns["question"] == data.questions.index(question)
        key, contributor, outcome, left = (c[asked] for c in (key, contributor, outcome, left))
    rows = np.flatnonzero(key != UNKEYED)
    if len(rows) == 0:
        return None
    credits = credit_table()
    answers = ControlAnswers(
        contributor[rows], credits[np.sign(outcome[rows]) + 1, key[rows] + 1], key[rows], left[rows]
    )
    return estimate_kappa(
        answers, response_habits(contributor, outcome, left, len(data.enrollments)), credits
    )


def vote_weights(scores: ControlScores) -> npt.NDArray[np.int64]:
    """Each contributor's weight, κ clipped to [0, 1], in the engine's exact units."""
    return quantise(np.clip(scores.kappa, 0.0, 1.0))


def key_signs(data: Comparisons, question: int) -> npt.NDArray[np.int8]:
    """Sign of the key of each matchup on a question: int8 per matchup index, else `UNKEYED`."""
    signs = np.full(len(data.matchups), UNKEYED, dtype=np.int8)
    index, sign = data.keys(question).T
    signs[index] = sign
    return signs


def credit_table() -> npt.NDArray[np.float64]:
    """Credit of an answer (row: second better, tie, first better) against a key (column)."""
    preference = KINDS["preference"]
    table = [
        [preference.credit({"outcome": side}, {"sign": key}) or 0.0 for key in SIDES]
        for side in SIDES
    ]
    return np.array(table)

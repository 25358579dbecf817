"""Answers to controls against their keys: who passed, and κ."""

import numpy as np
import numpy.typing as npt

from arena.questions import KINDS
from leaderboard.contributors.answers import AnswerTable
from leaderboard.ratings import Floats
from leaderboard.trust.control import ControlAnswers, ControlScores, estimate_kappa, response_habits
from leaderboard.trust.gaps import UNKEYED
from leaderboard.votes.queries import IntegerTable

SIDES = (-1, 0, 1)


def credit_table() -> npt.NDArray[np.float64]:
    """Credit of an answer (row: second better, tie, first better) against a key (column)."""
    preference = KINDS["preference"]
    table = [
        [preference.credit({"outcome": side}, {"sign": key}) or 0.0 for key in SIDES]
        for side in SIDES
    ]
    return np.array(table)


def credit_answers(table: AnswerTable) -> Floats:
    """The credit of each answer, float64 (n,), NaN where it is to no control."""
    keyed = table.keys != UNKEYED
    side = np.sign(table.columns["outcome"]) - SIDES[0]
    credits = credit_table()[side, np.where(keyed, table.keys, 0) - SIDES[0]]
    return np.where(keyed, credits, np.nan)


def count_passed(table: AnswerTable) -> IntegerTable:
    """How many controls each contributor answered as expected: int64 (people,)."""
    passed = credit_answers(table) == 1.0
    return np.bincount(table.who[passed], minlength=len(table.enrollments))


def score_controls(table: AnswerTable) -> ControlScores:
    """κ of each contributor on controls; habits are those of all their answers."""
    columns, people = table.columns, len(table.enrollments)
    rows = np.flatnonzero(table.keys != UNKEYED)
    answers = ControlAnswers(
        table.who[rows], credit_answers(table)[rows], table.keys[rows], columns["left"][rows]
    )
    habits = response_habits(table.who, columns["outcome"], columns["left"], people)
    return estimate_kappa(answers, habits, credit_table())

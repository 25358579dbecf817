"""How much each contributor's votes weigh: for now by their agreement with controls alone."""

import numpy as np
import numpy.typing as npt
from django.db.models import BigIntegerField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from arena.events.models import Control
from arena.questions import KINDS
from leaderboard.arrays import integers
from leaderboard.comparisons import Comparisons
from leaderboard.ratings import quantise
from leaderboard.trust.control import ControlAnswers, ControlScores, habits, kappa

SIDES = (-1, 0, 1)
UNKEYED = 2


def control_scores(data: Comparisons, question: int) -> ControlScores | None:
    """Everybody's κ on a question's controls in use, in the order of `Comparisons.enrollments`.

    None where no control was answered: then there is nothing to weigh by.
    """
    keys = control_keys(data, question)
    keys = keys[np.isin(keys[:, 0], data.matchups, assume_unique=True)]
    sign_of = np.full(len(data.matchups), UNKEYED, dtype=np.int8)
    sign_of[np.searchsorted(data.matchups, keys[:, 0])] = keys[:, 1]
    columns = data.columns
    key = sign_of[columns["matchup"]]
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
    return kappa(answers, habits(contributor, outcome, left, len(data.enrollments)), credits)


def weights(scores: ControlScores) -> npt.NDArray[np.int64]:
    """Each contributor's weight, κ clipped to [0, 1], in the engine's exact units."""
    return quantise(np.clip(scores.kappa, 0.0, 1.0))


def control_keys(data: Comparisons, question: int) -> npt.NDArray[np.int64]:
    """Matchup and sign of each control in use, by ascending matchup: int64 (n, 2)."""
    controls = Control.objects.filter(
        matchup__event=data.event, question=question, retired_at=None
    ).order_by("matchup")
    sign = Cast(KT("key__sign"), BigIntegerField())
    return integers(controls.values_list("matchup", sign))


def credit_table() -> npt.NDArray[np.float64]:
    """Credit of an answer (row: second better, tie, first better) against a key (column)."""
    preference = KINDS["preference"]
    table = [
        [preference.credit({"outcome": side}, {"sign": key}) or 0.0 for key in SIDES]
        for side in SIDES
    ]
    return np.array(table)

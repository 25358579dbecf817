"""Elo ratings: one pass over the votes in the order they came."""

from dataclasses import dataclass, field
from math import exp
from typing import Any

import numpy as np

from ..compute.arrays import Floats
from ..compute.compiled import COMPILED, compiled
from ..compute.errors import RatingError
from ..data.counts import SIGN_SCORES, check_scores
from ..data.scale import step_from_points
from ..data.votes import MAX_OUTCOME, WEIGHT_UNIT, Votes

STEP = step_from_points(4.0)
"""The default step, K = 4 points, as a natural-log strength."""
MAX_ELO_STEP = 10.0
"""Maximum step of a single vote: a larger one means a mistaken weight."""


@dataclass(frozen=True, slots=True, eq=False)
class Elo:
    """Elo strengths after `votes` votes; also the checkpoint from which a replay goes on.

    strength: float64 (M,), natural-log strength, start 0 (the sum stays 0 up to rounding);
    step, scores: float64 (7,), what a vote moved.
    """

    strength: Floats
    votes: int
    step: float
    scores: Floats = field(default_factory=SIGN_SCORES.copy)


def replay(
    votes: Votes, since: Elo | None = None, step: float = STEP, scores: Floats = SIGN_SCORES
) -> Elo:
    """Elo strengths after the votes in row order, on from a checkpoint or from 0.

    For each vote p = 1 / (1 + exp(s_second - s_first)), d = step·w·(y - p); the first competitor
    gains d and the second loses it, so a weight changes how much is exchanged but creates nothing
    (Elo 1978, The Rating of Chessplayers; K = 4 as the Chatbot Arena used it).
    replay(b, since=replay(a)) equals replay(a then b) to the last digit, with the same step and
    scores, and is refused with others.
    """
    check_scores(scores)
    if not 0.0 < step <= MAX_ELO_STEP:
        raise RatingError(f"an Elo step of {step} is not positive, or means nothing")
    if (votes.first == votes.second).any():
        raise RatingError("a vote compares a competitor with itself")
    start = np.zeros(votes.competitors)
    if since is not None:
        if since.step != step or not np.array_equal(since.scores, scores):
            raise RatingError("the checkpoint has another step or other scores")
        if len(since.strength) > votes.competitors:
            raise RatingError("the checkpoint has more competitors")
        if not np.isfinite(since.strength).all():
            raise RatingError("the checkpoint has strengths that are not finite")
        start[: len(since.strength)] = since.strength
    if votes.weight is None:
        steps, stride = np.full(1, step), 0
    else:
        steps, stride = step / WEIGHT_UNIT * votes.weight, 1
        if steps.max(initial=0.0) > MAX_ELO_STEP:
            raise RatingError("a weight makes an Elo step too large to mean anything")
    columns: tuple[Any, ...] = (start, votes.first, votes.second, votes.outcome, scores, steps)
    if not COMPILED:  # lists are what plain Python indexes fastest
        columns = tuple(column.tolist() for column in columns)
    end = np.asarray(replay_rows(*columns, stride), dtype=np.float64)
    return Elo(end, len(votes) + (0 if since is None else since.votes), step, scores)


@compiled
def replay_rows(  # noqa: PLR0917
    strength: Any, first: Any, second: Any, outcome: Any, scores: Any, step: Any, stride: int
) -> Any:
    """The loop over votes, on lists or compiled on arrays; updates and returns `strength`."""
    k = 0
    for v in range(len(first)):
        i = first[v]
        j = second[v]
        d = step[k] * (
            scores[outcome[v] + MAX_OUTCOME] - 1.0 / (1.0 + exp(strength[j] - strength[i]))
        )
        strength[i] += d
        strength[j] -= d
        k += stride
    return strength

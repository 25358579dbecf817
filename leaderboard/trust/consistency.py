"""Self-consistency: whether a contributor's own answers predict each other.

Somebody honest whose taste is not the crowd's does well on controls and disagrees elsewhere, as
somebody does who answers only the controls with care. The former prefers the same models again.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leaderboard.ratings import Floats
from leaderboard.trust.gaps import UNKEYED, Integers
from leaderboard.trust.reliability import Answers

MIN_VOTES, MAX_VOTES = 30, 1_000
"""With fewer votes nobody's consistency is told; of more, so many are enough."""
PENALTY = 9.0
"""About the variance of an answer given its models, 1 + π²/3, over that of a strength, .7²."""


@dataclass(frozen=True, eq=False)
class Consistency:
    """z: float64 (U,), about normal with variance 1 where a contributor's answers are independent
    of each other, and the larger the better they predict each other; NaN below thirty votes.
    votes: int64 (U,), answers on two models of the event, on which it rests."""

    z: Floats
    votes: npt.NDArray[np.int64]


def self_consistency(answers: Answers) -> Consistency:
    """How well each contributor's other votes predict each of their votes.

    Of a contributor's votes v (outcomes, their lean to a side taken out) on two models x = e_first
    - e_second, a ridge fit to all but one predicts that one: with G = X(XᵀX + λI)⁻¹Xᵀ the
    prediction is Σ_{j≠i} G_ij·v_j / (1 - G_ii) (leave-one-out in closed form: Hastie, Tibshirani &
    Friedman 2009, "The Elements of Statistical Learning", section 7.10.1). T = Σ_i v_i times its
    prediction has mean 0 if each vote is as likely the other way round, whatever the others, and
    the variance Σ_{i<j} (H_ij + H_ji)²·v_i²·v_j², H being G / (1 - G_ii) without its diagonal;
    z = T / √variance. One fold for each vote: nothing is drawn, and the order of rows is no matter.

    Controls and matchups with a response that is nobody's are left out. Where all votes are ties,
    or all on different models, z is 0.
    """
    owned = (answers.matchups.first >= 0) & (answers.matchups.second >= 0)
    owned &= answers.matchups.key == UNKEYED
    ordered, _rows = answers.in_order()
    ordered = ordered.take(np.flatnonzero(owned[ordered.matchup]))
    votes = np.bincount(ordered.contributor, minlength=answers.people)
    z = np.full(answers.people, np.nan)
    starts = np.cumsum(votes) - votes
    for person in np.flatnonzero(votes >= MIN_VOTES):
        part = slice(starts[person], starts[person] + min(votes[person], MAX_VOTES))
        what = ordered.matchup[part]
        side = np.where(ordered.left[part] == 0, 1, ordered.left[part])
        outcome = ordered.outcome[part].astype(np.float64)
        value = outcome - (outcome * side).mean() * side
        first, second = answers.matchups.first[what], answers.matchups.second[what]
        z[person] = standardise(value, first, second)
    return Consistency(z, votes)


def standardise(value: Floats, first: Integers, second: Integers) -> float:
    """z of one contributor's votes."""
    models, index = np.unique(np.concatenate([first, second]), return_inverse=True)
    rows, size = np.arange(len(value)), len(models)
    design = np.zeros((len(value), size))
    design[rows, index[: len(value)]] = 1.0
    design[rows, index[len(value) :]] -= 1.0
    fit = np.linalg.solve(design.T @ design + PENALTY * np.eye(size), design.T)
    hat = design @ fit
    hat /= 1.0 - hat.diagonal()[:, None]
    np.fill_diagonal(hat, 0.0)
    terms = hat * np.outer(value, value)
    variance = ((terms + terms.T) ** 2).sum() / 2.0
    return float(terms.sum() / np.sqrt(variance)) if variance > 0.0 else 0.0

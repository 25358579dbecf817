"""Ranks on a board: rank, rank range, upper-bound rank and class."""

from dataclasses import dataclass

import numpy as np

from ..compute.arrays import Floats, Ids, Ints, Mask
from ..data.connectivity import STRENGTH_TOLERANCE, Rated
from ..models.bradley_terry import Fit
from .contrasts import Contrasts
from .intervals import Interval

MAX_CLASSES = 8
"""Maximum number of classes: all further competitors join the last."""
MIN_VOTES = 30.0
"""Effective votes below which a competitor is provisional."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """Ranks within each component: int32 (M,), 1 is best, 0 where there is no rank.

    rank: 1 + how many have a larger estimate; those that are level share one;
    best, worst: the rank range: 1 + how many are certainly better, and the size of the scale less
    how many are certainly worse, by contrasts that hold for all pairs together;
    upper_bound: the Chatbot Arena's "Rank (UB)", 1 + how many have a lower limit above this
    competitor's upper limit, of intervals for each by itself;
    group: the class, 1 is best (see `classes`).
    """

    rank: Ids
    best: Ids
    worst: Ids
    upper_bound: Ids
    group: Ids


def rank(fit: Rated, contrast: Contrasts, interval: Interval) -> Ranks:
    """Rank, rank range, Rank (UB) and class of every rated competitor, per component.

    With probability 1 - alpha, at least asymptotically, the range of every competitor holds its
    true rank, all together: a wrong range needs a wrong claim among the contrasts (as in Mogstad,
    Romano, Shaikh & Wilhelm 2024, Review of Economic Studies 91(1), 476-518, section 3).
    """
    rated = np.isfinite(fit.strength)
    same = fit.same_scale
    size = same.sum(1)
    above = same & (fit.strength > fit.strength[:, None] + STRENGTH_TOLERANCE)
    clear = same & (interval.lower > interval.upper[:, None])
    group = np.zeros(len(rated), dtype=np.int32)
    for members in fit.groups():
        group[members] = classes(
            fit.strength[members], interval.lower[members], interval.upper[members]
        )

    def to_ids(place: Ints) -> Ids:
        return np.where(rated, place, 0).astype(np.int32)

    return Ranks(
        rank=to_ids(1 + above.sum(1)),
        best=to_ids(1 + contrast.better.sum(0)),
        worst=to_ids(size - contrast.better.sum(1)),
        upper_bound=to_ids(1 + clear.sum(1)),
        group=group,
    )


def find_provisional(fit: Fit, min_votes: float = MIN_VOTES) -> Mask:
    """Rated competitors with fewer than `min_votes` effective votes on them: bool (M,)."""
    return np.isfinite(fit.strength) & (fit.effective_votes < min_votes)


def classes(strength: Floats, lower: Floats, upper: Floats, max_classes: int = MAX_CLASSES) -> Ids:
    """Class of each of m competitors, 1 is best: int32 (m,).

    Walking down from the best, the leader of a class fixes an anchor, its lower limit; whoever
    still reaches it with the upper limit joins, and the first who does not opens the next class.
    The anchor stays with the leader, so a chain of overlaps cannot stretch a class (the rule of
    ComparIA's tiers). With `max_classes` classes open, the last takes everybody left.
    """
    group = np.zeros(len(strength), dtype=np.int32)
    current, anchor = 0, np.inf
    for i in np.argsort(-strength, kind="stable"):
        if upper[i] < anchor and current < max_classes:
            current += 1
            anchor = lower[i]
        group[i] = current
    return group

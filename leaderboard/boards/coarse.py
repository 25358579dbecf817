"""A board in coarse figures: what the public sees while a running event hides its controls.

Colluders can make up a whole batch, so its size alone does not hide a single vote: the one vote
among their answers that can move a figure tells by moving it, or by not moving it, whether it was
to a control. So figures are rounded until a vote moves one of them once in a few dozen times.
Ranks and classes follow from what is rounded, and would give it away otherwise. `bench.trust`
measures what is left (`difference-boards`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leaderboard.ratings import Floats, Ids, Ints, classes, scale

COUNT_GRAIN = 100
"""Numbers of votes are rounded to multiples of this."""
MIN_SHOWN_VOTES = 50
"""With fewer, rounded votes a rating would have to be rounded to more than it says."""
GRAINS = np.array([1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0])
"""Ratings are rounded to multiples of one of these, in points."""
VOTES_PER_GRAIN = 40
"""Ratings are rounded to what so many votes, all one way, move them by."""
MEAN_INFORMATION = 0.25
"""Of one vote between equals, p (1 - p); its largest residual, of a win, is half a vote."""


@dataclass(frozen=True, eq=False)
class CoarseBoard:
    """Everything by competitor: float64 (M,) in points, NaN where there is no rating, or no
    interval; int32 (M,) ranks and classes as in `leaderboard.ratings.Ranks`, 0 without a rating.

    best, worst: 1 + how many have an interval wholly above, the number rated less how many have
    one wholly below.
    """

    points: Floats
    lower: Floats
    upper: Floats
    rank: Ids
    best: Ids
    worst: Ids
    group: Ids


def round_counts(counts: Ints) -> Ints:
    """Numbers of votes to the nearest multiple of `COUNT_GRAIN`: int64, of the same shape."""
    return (2 * counts + COUNT_GRAIN) // (2 * COUNT_GRAIN) * COUNT_GRAIN


def choose_grains(votes: Ints) -> Floats:
    """To how many points each rating is rounded: float64 (M,), NaN below `MIN_SHOWN_VOTES`.

    A vote moves a strength by its residual over the information of all n votes, at most
    ½ / (¼ n) between equals. votes: int64 (M,), rounded ones, so that the grain tells no more than
    they do; n is the least that they may be. The votes' own spread would not do in place of n: many
    ties make it as small as one likes.
    """
    least = votes - COUNT_GRAIN // 2
    shown = least >= MIN_SHOWN_VOTES
    most = 0.5 / (MEAN_INFORMATION * np.where(shown, least, MIN_SHOWN_VOTES))
    wanted = VOTES_PER_GRAIN * scale.spread_to_points(most)
    grain = GRAINS[np.minimum(np.searchsorted(GRAINS, wanted), len(GRAINS) - 1)]
    return np.where(shown, grain, np.nan)


def coarsen(
    strength: Floats, lower: Floats, upper: Floats, votes: Ints, component: Ints
) -> CoarseBoard:
    """A board's ratings rounded, and what follows from them.

    strength, lower, upper: float64 (M,) in natural logarithms, NaN where there is none; votes:
    int64 (M,), exact; component: int64 (M,), who shares a scale. Half-widths of intervals are
    rounded up, and no interval is narrower than the rounding.
    """
    grain = choose_grains(round_counts(votes))
    points = np.rint(scale.to_points(strength) / grain) * grain
    half = np.ceil(scale.spread_to_points((upper - lower) / 2.0) / grain) * grain
    low, high = points - half, points + half
    return CoarseBoard(points, low, high, *rank_coarsely(points, low, high, component))


def rank_coarsely(
    points: Floats, lower: Floats, upper: Floats, component: Ints
) -> tuple[Ids, Ids, Ids, Ids]:
    """Rank, best and worst rank, class, by rounded figures alone: int32 (M,) each."""
    rated = np.isfinite(points)
    # Without an interval nobody is certainly better or worse.
    low, high = np.where(np.isfinite(lower), lower, -np.inf), np.where(rated, upper, -np.inf)
    high = np.where(np.isfinite(high) | ~rated, high, np.inf)
    same = (component[:, None] == component) & rated & rated[:, None]
    above = same & (points > points[:, None])
    surely_above = same & (low > high[:, None])
    group = np.zeros(len(points), dtype=np.int32)
    for number in np.unique(component[rated]):
        members = np.flatnonzero(rated & (component == number))
        group[members] = classes(points[members], low[members], high[members])

    def to_ids(place: npt.NDArray[np.int64]) -> Ids:
        return np.where(rated, place, 0).astype(np.int32)

    return (
        to_ids(1 + above.sum(1)),
        to_ids(1 + surely_above.sum(1)),
        to_ids(same.sum(1) - surely_above.sum(0)),
        group,
    )

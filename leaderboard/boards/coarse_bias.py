"""The bias panel in coarse figures: what the public sees while a running event hides its controls.

What coarse.py does for ratings. A vote is to move a share as seldom as it moves a number of votes,
and of what is left there is little: shares by pace, opponent and category are of few votes each,
and come with the exact figures.
"""

from dataclasses import replace

import numpy as np

from leaderboard.boards.bias_details import BiasPanel, ModelSide, ShareEstimate, TopContributors
from leaderboard.boards.coarse import COUNT_GRAIN, round_counts

SHARE_GRAINS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
"""Shares are rounded to multiples of one of these, and not shown where that is not enough."""
DECIMALS = 3
"""Of the grains, so that a multiple is the number that it is written as."""
MIN_SHARE_VOTES = int(COUNT_GRAIN / SHARE_GRAINS[-1]) + COUNT_GRAIN // 2
"""With fewer votes no share is shown."""
PEOPLE_PER_TOP = 3
"""The most active are shown where there are so many times as many in all, which is more than it
takes: whether one person has cast a vote yet decides nothing then."""


def coarsen_bias(panel: BiasPanel, people: int) -> BiasPanel:
    """The panel as the public sees it; people: how many contributors the public count names, to
    whose number controls add as anything else does."""
    shown = [top for top in panel.top if PEOPLE_PER_TOP * top.contributors <= people]
    tops = (round_top(top, panel.votes, people) for top in shown)
    sides = (round_side(side) for side in panel.sides)
    return replace(
        panel,
        votes=round_count(panel.votes),
        used=round_count(panel.used),
        left=round_estimate(panel.left),
        longer=round_estimate(panel.longer),
        ties=round_estimate(panel.ties),
        pace=None,
        contributors=people,
        top=tuple(top for top in tops if top),
        models=(),
        sides=tuple(side for side in sides if side),
        expected_opponent=None,
        opponents=(),
        opponents_apart=0,
        categories=(),
    )


def round_count(votes: int) -> int:
    """A number of votes as boards round it."""
    return int(round_counts(np.array(votes)))


def choose_share_grain(votes: int) -> float | None:
    """To what a share of so many votes is rounded; None where it is not shown.

    A vote moves a share of n by 1/n at most, n being the least that a rounded number of votes
    stands for: `COUNT_GRAIN` of them, all one way, move it by the grain.
    """
    least = round_count(votes) - COUNT_GRAIN // 2
    return next((grain for grain in SHARE_GRAINS if least * grain >= COUNT_GRAIN), None)


def round_limits(share: float, lower: float, upper: float, grain: float) -> tuple[float, ...]:
    """A share, and limits around it that hold the exact ones."""
    value = round(share / grain) * grain
    reach = float(np.ceil(max(share - lower, upper - share) / grain)) * grain
    limits = max(value - reach, 0.0), min(value + reach, 1.0)
    return tuple(round(each, DECIMALS) for each in (value, *limits))


def round_estimate(estimate: ShareEstimate | None) -> ShareEstimate | None:
    """A share of some answers; None where they are too few, or come from one person."""
    grain = choose_share_grain(estimate.answers) if estimate else None
    if estimate is None or grain is None or estimate.lower is None or estimate.upper is None:
        return None
    share, lower, upper = round_limits(estimate.share, estimate.lower, estimate.upper, grain)
    return ShareEstimate(
        share=share, lower=lower, upper=upper, answers=round_count(estimate.answers)
    )


def round_top(top: TopContributors, votes: int, people: int) -> TopContributors | None:
    """The share of the most active in so many votes; without limits, which would tell how many of
    the people have cast one."""
    grain = choose_share_grain(votes)
    if grain is None:
        return None
    share, _lower, _upper = round_limits(top.share, top.share, top.share, grain)
    return replace(top, share=share, equal=top.contributors / people, lower=None, upper=None)


def round_side(side: ModelSide) -> ModelSide | None:
    """How often a model stood left."""
    grain = choose_share_grain(side.votes)
    if grain is None:
        return None
    share, lower, upper = round_limits(side.share, side.lower, side.upper, grain)
    return replace(side, share=share, lower=lower, upper=upper, votes=round_count(side.votes))

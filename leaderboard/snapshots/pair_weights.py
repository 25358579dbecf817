"""Weighing pairs of competitors for events that choose their matchups actively."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from arena.events.models import Event
from arena.judging.serving.pair_weights import replace_pair_weights
from leaderboard.ratings import Counts, NotConverged, allocation


def weigh_pairs(event: Event, competitors: Sequence[int], boards: Sequence[Counts]) -> None:
    """Leave for judging what one more vote on each pair would tell, on these boards together.

    competitors: primary keys in the order of the counts; boards: the votes of each question's
    board of all records, unweighted. Without any, or where a fit does not converge, what was left
    before stays.
    """
    if event.choosing != Event.Choosing.ACTIVE or not boards:
        return
    try:
        drops = np.sum([allocation.expected_drops(counts) for counts in boards], axis=0)
    except NotConverged:
        return
    weights = {
        (competitors[i], competitors[j]): float(drops[i, j])
        for i, j in combinations(range(len(competitors)), 2)
    }
    replace_pair_weights(event, weights)

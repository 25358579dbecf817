"""How far riggers move a model once all weights are on, and whom the screens name: of `bench.trust`
the part `rigging`."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bench.trust_figures import Figures
from bench.trust_ratings import rate
from bench.trust_world import (
    HONEST,
    KINDS,
    LARGE,
    LEFT,
    OMNIPRESENT,
    RIGGER,
    TARGET,
    Crowd,
    draw_crowd,
)
from leaderboard.trust.reliability import Reliability, estimate_reliability
from leaderboard.trust.rigging import Rigging, screen_models, screen_sides

SCREEN_ALPHA = 0.01


def measure_rigging(seeds: int) -> None:
    """How far riggers move a model once all weights are on, and whom the screens name."""
    figures = Figures()
    for seed in range(seeds):
        for name, kind in (("target", RIGGER), ("omnipresent", OMNIPRESENT)):
            kinds = {(kind if one == RIGGER else one): share for one, share in KINDS.items()}
            crowd = draw_crowd(replace(LARGE, kinds=kinds), seed)
            found = estimate_reliability(crowd.answers)
            rigging = screen_models(crowd.answers, found.expected)
            places, bias = move_target(crowd, found, rigging)
            figures.add(f"rigging-{name}", places)
            if kind == RIGGER:
                figures.add("rigging-bias", bias)
                honest = crowd.kind == HONEST
                figures.add("rigging-honest", float((rigging.flagged & honest).sum()))
                add_screens(figures, crowd, found)
    figures.goal("rigging-target", 0.25, at_least=False)
    figures.goal("rigging-omnipresent", 0.25, at_least=False)
    figures.goal("rigging-bias", 0.03, at_least=False)
    figures.goal("rigging-honest", 0.0, at_least=False)
    figures.goal("screen-honest", 0.01, at_least=False)
    figures.goal("screen-left-50", 0.95)


def move_target(crowd: Crowd, found: Reliability, rigging: Rigging) -> tuple[float, float]:
    """Places and log-strength that the target gains by riggers, all weights on."""
    answers = crowd.answers
    weights = found.reads[answers.contributor] * (1.0 - rigging.of_answer)
    weighted = rate(crowd, weights)
    rigs = np.isin(crowd.kind[answers.contributor], (RIGGER, OMNIPRESENT))
    without = rate(crowd, np.where(rigs, 0.0, weights))
    places = float((without > without[TARGET]).sum() - (weighted > weighted[TARGET]).sum())
    return places, float(weighted[TARGET] - without[TARGET])


def add_screens(figures: Figures, crowd: Crowd, found: Reliability) -> None:
    """Shares of people whom the e-process ever names."""
    for name, kind, most in (("screen-honest", HONEST, 200), ("screen-left-50", LEFT, 50)):
        rows = np.flatnonzero(count_within(crowd.answers.contributor) < most)
        evidence = screen_sides(crowd.answers.take(rows), found.expected[rows])
        chosen = crowd.kind == kind
        if kind == LEFT:
            chosen &= found.answers >= most
        named = evidence[chosen] >= np.log(1.0 / SCREEN_ALPHA)
        figures.add(name, float(named.mean()))


def count_within(contributor: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The ordinal of each row among its contributor's, whose rows are together."""
    starts = np.flatnonzero(np.diff(contributor, prepend=-1))
    sizes = np.diff(np.append(starts, len(contributor)))
    return np.arange(len(contributor)) - np.repeat(starts, sizes)

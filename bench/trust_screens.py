"""What `bench.trust` asks about single people: whether R says more than agreement does, whether
taste is told from noise, and whether twins are found."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from bench.trust_figures import Figures, separate
from bench.trust_world import (
    AWARE,
    BOT,
    DISSENTER,
    HONEST,
    LEFT,
    RANDOM,
    Crowd,
    World,
    draw_crowd,
)
from leaderboard.ratings import Floats
from leaderboard.trust.agreement import CategoryAnswers, agreement_with_others
from leaderboard.trust.consistency import self_consistency
from leaderboard.trust.gaps import UNKEYED
from leaderboard.trust.reliability import Answers, estimate_reliability
from leaderboard.trust.twins import screen_twins

TASTES = {HONEST: 0.60, DISSENTER: 0.15, AWARE: 0.10, RANDOM: 0.08, LEFT: 0.04, BOT: 0.03}
ENOUGH_VOTES = 60
MIN_PER_HALF = 20
COPIERS, COPIED, MIN_COPIED = 5, 0.9, 80


def measure_half_split(figures: Figures, crowd: Crowd) -> None:
    """R of half of the ordinary matchups against leave-one-out agreement there: which is nearer to
    everybody's agreement with the true gaps on the other half, by Spearman."""
    answers = crowd.answers
    ordinary = answers.matchups.key[answers.matchup] == UNKEYED
    even = answers.matchup % 2 == 0
    here, there = (answers.take(np.flatnonzero(ordinary & half)) for half in (even, ~even))
    counts = [np.bincount(half.contributor, minlength=answers.people) for half in (here, there)]
    enough = np.minimum(*counts) >= MIN_PER_HALF
    right = np.sign(there.outcome) == np.sign(crowd.gaps[there.matchup])
    truth = np.bincount(there.contributor, right, answers.people)[enough] / counts[1][enough]
    scores = (estimate_reliability(here).overall.value, leave_one_out(here))
    nearer, less_near = (spearmanr(score[enough], truth).statistic for score in scores)
    figures.add("reliability-half-split", float(nearer - less_near))


def leave_one_out(answers: Answers) -> Floats:
    """The share of the others' answers to the same matchups that are each contributor's own; where
    nobody else judged them, the mean of all: float64 (U,)."""
    sides = np.sign(answers.outcome) + 1
    found = agreement_with_others(CategoryAnswers(answers.contributor, answers.matchup, sides, 3))
    known = found.n > 0
    share = np.full(answers.people, found.share[known].mean())
    share[found.contributor[known]] = found.share[known]
    return share


def measure_screens(seeds: int) -> None:
    """Taste against noise, and twins: copiers who are found, and honest people who are named."""
    figures = Figures()
    for seed in range(seeds):
        crowd = draw_crowd(World(people=1_500, models=25, kinds=TASTES), seed)
        found = self_consistency(crowd.answers)
        chosen = np.isin(crowd.kind, (DISSENTER, AWARE)) & (found.votes >= ENOUGH_VOTES)
        noise = crowd.kind[chosen] == AWARE
        figures.add("taste-from-noise", separate(found.z[chosen], noise))
        for name, world in (
            ("3000x20", World(people=3_000, models=20)),
            ("overlap60", World(people=500, models=10, overlap=60)),
        ):
            answers, copier = add_copiers(draw_crowd(world, seed), seed)
            twins = screen_twins(answers, estimate_reliability(answers).expected)
            theirs = copier[twins.other]
            figures.add(f"twins-honest-{name}", float((twins.flagged & ~theirs).sum()))
            figures.add(f"twins-found-{name}", float((twins.flagged & theirs).sum() / COPIERS))
    figures.goal("taste-from-noise", 0.78)
    for name in ("3000x20", "overlap60"):
        figures.goal(f"twins-honest-{name}", 0.0, at_least=False)
        figures.show(f"twins-found-{name}")


def add_copiers(crowd: Crowd, seed: int) -> tuple[Answers, npt.NDArray[np.bool_]]:
    """The answers with those of five accounts that copy nine of ten answers of somebody honest and
    click the tenth, and who these are."""
    rng, answers = np.random.default_rng(seed), crowd.answers
    busy = np.bincount(answers.contributor, minlength=answers.people) >= MIN_COPIED
    owners = rng.choice(np.flatnonzero(busy & (crowd.kind == HONEST)), COPIERS, replace=False)
    parts = [np.flatnonzero(answers.contributor == owner) for owner in owners]
    rows = np.concatenate(parts)
    copied = rng.random(len(rows)) < COPIED
    names = np.repeat(answers.people + np.arange(COPIERS), [len(part) for part in parts])
    said = np.where(copied, answers.outcome[rows], rng.integers(-2, 3, len(rows)))
    both = replace(
        answers,
        contributor=np.concatenate([answers.contributor, names]),
        matchup=np.concatenate([answers.matchup, answers.matchup[rows]]),
        outcome=np.concatenate([answers.outcome, said]),
        left=np.concatenate([answers.left, rng.choice([-1, 1], len(rows))]),
        people=answers.people + COPIERS,
    )
    return both, np.arange(both.people) >= answers.people

"""Who is told from whom by reliability, how well it is known, what it costs: of `bench.trust` the
part `reliability`."""

import resource
import subprocess
import sys
import time

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from bench.goals import print_goal
from bench.sites import ROOT
from bench.trust_figures import Figures, separate
from bench.trust_ratings import measure_errors
from bench.trust_screens import measure_half_split
from bench.trust_world import (
    BOT,
    DISSENTER,
    HONEST,
    LARGE,
    LEFT,
    RANDOM,
    RIGGER,
    SMALL,
    Crowd,
    World,
    draw_crowd,
)
from leaderboard.ratings import Floats
from leaderboard.trust.quality import MIN_CONTROLS_FOR_QUALITY
from leaderboard.trust.reliability import Reliability, estimate_reliability
from leaderboard.trust.removal import find_removable

# Shares of the kinds with almost a third who do not read.
MANY_BAD = World(kinds=dict(enumerate((0.67, 0.18, 0.09, 0.03, 0.03))))
DISSENT = {HONEST: 0.65, DISSENTER: 0.15, RANDOM: 0.10, LEFT: 0.05, RIGGER: 0.03, BOT: 0.02}
CONFIDENCE_95 = 1.96
RATED_CONTROLS = 3
HUGE = World(people=20_000, models=100)
HUGE_JUDGMENTS = 500_000


def measure_reliability(seeds: int) -> None:
    """Who is told from whom, how well R is known, and what the weights do for the ratings."""
    figures = Figures()
    for seed in range(seeds):
        for name, world in (("1000x100", SMALL), ("3000x20", LARGE)):
            crowd = draw_crowd(world, seed)
            found = estimate_reliability(crowd.answers)
            figures.add(f"reliability-auc-{name}", separate_bad(crowd, found.reads))
            weights = found.reads[crowd.answers.contributor]
            figures.add(f"error-removed-{name}", measure_errors(crowd, weights))
            describe(figures, crowd, found)
            measure_half_split(figures, crowd)
        for name, world in (
            ("overlap1", World(overlap=1)),
            ("30-percent-bad", MANY_BAD),
            ("no-controls", World(controls=0)),
        ):
            crowd = draw_crowd(world, seed)
            reads = estimate_reliability(crowd.answers).reads
            figures.add(f"reliability-auc-{name}", separate_bad(crowd, reads))
    figures.goal("reliability-auc-1000x100", 0.95)
    figures.goal("reliability-auc-3000x20", 0.95)
    figures.goal("reliability-auc-three-controls", 0.985)
    figures.goal("reliability-spearman", 0.62)
    figures.goal("reliability-coverage", 0.92)
    figures.goal("reliability-coverage", 0.97, at_least=False)
    figures.goal("reliability-auc-overlap1", 0.94)
    figures.goal("reliability-auc-30-percent-bad", 0.935)
    figures.goal("reliability-auc-no-controls", 0.90)
    figures.goal("error-removed-3000x20", 0.70)
    figures.goal("error-removed-1000x100", 0.22)
    figures.goal("honest-excluded", 0.0, at_least=False)
    figures.goal("bad-judgments-excluded", 0.40)
    figures.goal("reliability-half-split", 0.05)
    measure_dissent(seeds)
    report_cost()


def measure_dissent(seeds: int) -> None:
    """15% honest people with a taste of their own."""
    figures = Figures()
    for seed in range(seeds):
        for agreement in (0.0, -0.5):
            world = World(people=1_500, models=25, kinds=DISSENT, agreement=agreement)
            crowd = draw_crowd(world, seed)
            found = estimate_reliability(crowd.answers)
            apart = crowd.kind == DISSENTER
            figures.add("dissent-excluded", float((is_excluded(found) & apart).sum()))
            if agreement == 0.0:
                rated = apart & (found.controls >= MIN_CONTROLS_FOR_QUALITY)
                figures.add("dissent-weight", float(found.reads[rated].mean()))
    figures.goal("dissent-excluded", 0.0, at_least=False)
    figures.goal("dissent-weight", 0.85)


def describe(figures: Figures, crowd: Crowd, found: Reliability) -> None:
    """Figures that both worlds give."""
    judged = crowd.kind != RIGGER
    enough = judged & (found.controls >= RATED_CONTROLS)
    figures.add("reliability-auc-three-controls", separate_bad(crowd, found.reads, enough))
    truth = crowd.people.signal()
    figures.add(
        "reliability-spearman",
        float(spearmanr(found.overall.value[judged], truth[judged]).statistic),
    )
    scaled = truth / truth[crowd.kind == HONEST].mean()
    off = np.abs(found.overall.value - scaled)[judged]
    covered = off <= CONFIDENCE_95 * found.overall.error[judged]
    figures.add("reliability-coverage", float(covered.mean()))
    excluded = is_excluded(found)
    figures.add("honest-excluded", float((excluded & (crowd.kind == HONEST)).sum()))
    bad = found.answers * crowd.people.is_blind
    figures.add("bad-judgments-excluded", float(bad[excluded].sum() / bad.sum()))


def is_excluded(found: Reliability) -> npt.NDArray[np.bool_]:
    """Whom the automatic rule takes out, were there no limit to how many."""
    overall, on_controls = (
        (scores.value, scores.error) for scores in (found.overall, found.on_controls)
    )
    return find_removable(overall, on_controls, found.controls)


def separate_bad(crowd: Crowd, score: Floats, among: npt.NDArray[np.bool_] | None = None) -> float:
    """AUC of a score of honest people against bad ones; riggers aside."""
    chosen = (crowd.kind != RIGGER) if among is None else among
    return separate(score[chosen], crowd.people.is_blind[chosen])


def report_cost() -> None:
    """A large event, in a process of its own: what is measured is its peak."""
    command = [sys.executable, "-m", "bench.trust", "--cost"]
    subprocess.run(command, cwd=ROOT, check=True)


def measure_cost() -> None:
    """Seconds and megabytes of one fit of 500,000 judgments by 20,000 people."""
    crowd = draw_crowd(HUGE, 0)
    print(f"{len(crowd.answers.outcome):,} judgments of {crowd.answers.people:,} people")
    assert len(crowd.answers.outcome) >= HUGE_JUDGMENTS
    started = time.perf_counter()
    estimate_reliability(crowd.answers)
    print_goal("seconds-20000-people", time.perf_counter() - started, 10.0)
    print_goal("peak-mb", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1024.0)

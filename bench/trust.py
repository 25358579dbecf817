"""Who can be relied on, in simulated events, by the product's own functions.

    python -m bench.trust [--quick] [--only reliability|rigging|screens|prize|agent|real|exposure|…]

The people and models of `bench.trust_world`, with seeds 0, 1, 2, …; every figure is a mean over
them, printed with its standard error. Ends in one line for each goal.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from bench.goals import print_goal
from bench.sites import ROOT
from bench.trust_exposure import measure_exposure
from bench.trust_figures import QUICK_SEEDS, SEEDS, Figures, separate
from bench.trust_pages import measure_pages
from bench.trust_prize import measure_agents, measure_prize
from bench.trust_publishing import measure_publishing
from bench.trust_ratings import measure_errors, rate
from bench.trust_real import measure_real
from bench.trust_removals import measure_removals
from bench.trust_screens import measure_half_split, measure_screens
from bench.trust_world import (
    BOT,
    DISSENTER,
    HONEST,
    KINDS,
    LEFT,
    OMNIPRESENT,
    RANDOM,
    RIGGER,
    TARGET,
    Crowd,
    World,
    draw_crowd,
)
from leaderboard.ratings import Floats
from leaderboard.trust.quality import MIN_CONTROLS_FOR_QUALITY
from leaderboard.trust.reliability import Reliability, estimate_reliability
from leaderboard.trust.removal import find_removable
from leaderboard.trust.rigging import Rigging, screen_models, screen_sides

SMALL, LARGE = World(people=1_000, models=100), World(people=3_000, models=20)
# Shares of the kinds with almost a third who do not read.
MANY_BAD = World(kinds=dict(enumerate((0.67, 0.18, 0.09, 0.03, 0.03))))
DISSENT = {HONEST: 0.65, DISSENTER: 0.15, RANDOM: 0.10, LEFT: 0.05, RIGGER: 0.03, BOT: 0.02}
SCREEN_ALPHA = 0.01
CONFIDENCE_95 = 1.96
RATED_CONTROLS = 3
HUGE = World(people=20_000, models=100)
HUGE_JUDGMENTS = 500_000
LONGEST = ("removals", "publishing")
"""Parts that begin first."""


def main() -> None:
    """Measure the parts that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="two seeds")
    parser.add_argument("--only", choices=sorted(PARTS), action="append", help="this part")
    parser.add_argument("--cost", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cost:
        measure_cost()
        return
    if options.quick and not options.only:
        run_side_by_side()
        return
    for name in options.only or PARTS:
        PARTS[name](QUICK_SEEDS if options.quick else SEEDS)


def run_side_by_side() -> None:
    """Every part with two seeds, each in a process, as many at once as there are processors."""
    alone = os.environ | {"OPENBLAS_NUM_THREADS": "1"}

    def run(name: str) -> str:
        command = [sys.executable, "-m", "bench.trust", "--quick", "--only", name]
        return subprocess.run(
            command, cwd=ROOT, env=alone, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for said in pool.map(run, sorted(PARTS, key=lambda name: name not in LONGEST)):
            print(said, end="", flush=True)


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


# --- rigging ----------------------------------------------------------------------------------
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


PARTS: dict[str, Callable[[int], None]] = {
    "reliability": measure_reliability,
    "rigging": measure_rigging,
    "screens": measure_screens,
    "prize": measure_prize,
    "agent": measure_agents,
    "real": measure_real,
    "pages": lambda seeds: measure_pages(seeds, is_quick=seeds < SEEDS),
    "removals": lambda seeds: measure_removals(seeds, is_quick=seeds < SEEDS),
    "exposure": measure_exposure,
    "publishing": lambda seeds: measure_publishing(seeds, is_quick=seeds < SEEDS),
}

if __name__ == "__main__":
    main()

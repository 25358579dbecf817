"""Who can be relied on, in simulated events, by the product's own functions.

    python -m bench.trust [--quick] [--only reliability]

The people and models of `bench.trust_world`, with seeds 0, 1, 2, …; every figure is a mean over
them, printed with its standard error. Ends in one line for each goal.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata, spearmanr

from bench.goals import print_goal
from bench.sites import ROOT
from bench.trust_ratings import measure_errors
from bench.trust_world import HONEST, RIGGER, Crowd, World, draw_crowd
from leaderboard.ratings import Floats
from leaderboard.trust.reliability import Reliability, estimate_reliability

SEEDS, QUICK_SEEDS = 8, 2
SMALL, LARGE = World(people=1_000, models=100), World(people=3_000, models=20)
# Shares of the kinds with almost a third who do not read.
MANY_BAD = World(kinds=dict(enumerate((0.67, 0.18, 0.09, 0.03, 0.03))))
CONFIDENCE_95 = 1.96
RATED_CONTROLS = 3
# The automatic rule: nobody below so many controls, and both limits.
MIN_CONTROLS, MAX_OVERALL, MAX_ON_CONTROLS = 8, 0.30, 0.80
HUGE = World(people=20_000, models=100)
HUGE_JUDGMENTS = 500_000


class Figures:
    """Figures by name, one for each seed."""

    def __init__(self) -> None:
        self.seen: dict[str, list[float]] = defaultdict(list)

    def add(self, name: str, value: float) -> None:
        self.seen[name].append(value)

    def goal(self, name: str, target: float, *, at_least: bool = True) -> None:
        """Print the mean with its standard error, and whether it reaches the target."""
        values = np.array(self.seen[name])
        error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
        print(f"{name}: {values.mean():.4f} ± {error:.4f} over {len(values)} seeds")
        print_goal(name, float(values.mean()), target, at_least=at_least)


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
    for name in options.only or PARTS:
        PARTS[name](QUICK_SEEDS if options.quick else SEEDS)


def measure_reliability(seeds: int) -> None:
    """Who is told from whom, how well R is known, and what the weights do for the ratings."""
    figures = Figures()
    for seed in range(seeds):
        for name, world in (("1000x100", SMALL), ("3000x20", LARGE)):
            crowd = draw_crowd(world, seed)
            found = estimate_reliability(crowd.answers)
            figures.add(f"reliability-auc-{name}", separate(crowd, found.reads))
            figures.add(f"error-removed-{name}", measure_errors(crowd, found.reads))
            describe(figures, crowd, found)
        for name, world in (
            ("overlap1", World(overlap=1)),
            ("30-percent-bad", MANY_BAD),
            ("no-controls", World(controls=0)),
        ):
            crowd = draw_crowd(world, seed)
            reads = estimate_reliability(crowd.answers).reads
            figures.add(f"reliability-auc-{name}", separate(crowd, reads))
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
    report_cost()


def describe(figures: Figures, crowd: Crowd, found: Reliability) -> None:
    """Figures that both worlds give."""
    judged = crowd.kind != RIGGER
    enough = judged & (found.controls >= RATED_CONTROLS)
    figures.add("reliability-auc-three-controls", separate(crowd, found.reads, enough))
    truth = crowd.true_signal()
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
    bad = found.answers * crowd.is_bad()
    figures.add("bad-judgments-excluded", float(bad[excluded].sum() / bad.sum()))


def is_excluded(found: Reliability) -> npt.NDArray[np.bool_]:
    """Whom the automatic rule takes out."""
    surely_low = (found.overall.upper < MAX_OVERALL) & (found.on_controls.upper < MAX_ON_CONTROLS)
    return surely_low & (found.controls >= MIN_CONTROLS)


def separate(crowd: Crowd, score: Floats, among: npt.NDArray[np.bool_] | None = None) -> float:
    """AUC of a score: how often somebody honest has more than somebody bad; riggers aside."""
    chosen = (crowd.kind != RIGGER) if among is None else among
    bad, ranks = crowd.is_bad()[chosen], rankdata(score[chosen])
    count = int(bad.sum())
    above = ranks[bad].sum() - count * (count + 1) / 2.0
    return float(1.0 - above / (count * (len(bad) - count)))


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


PARTS: dict[str, Callable[[int], None]] = {"reliability": measure_reliability}

if __name__ == "__main__":
    main()

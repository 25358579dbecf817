"""Who can be relied on, in simulated events, by the product's own functions.

    python -m bench.trust [--quick] [--only reliability|rigging|prize|exposure|publishing]

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
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata, spearmanr

from bench.goals import print_goal
from bench.sites import ROOT
from bench.trust_exposure import measure_exposure
from bench.trust_publishing import measure_publishing
from bench.trust_ratings import measure_errors, rate
from bench.trust_world import (
    AWARE,
    BLIND,
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
from leaderboard.trust.rigging import Rigging, find_gaps, screen_models, screen_sides
from leaderboard.trust.scoring import find_open_questions, limit_quality

SEEDS, QUICK_SEEDS = 8, 2
SMALL, LARGE = World(people=1_000, models=100), World(people=3_000, models=20)
# Shares of the kinds with almost a third who do not read.
MANY_BAD = World(kinds=dict(enumerate((0.67, 0.18, 0.09, 0.03, 0.03))))
DISSENT = {HONEST: 0.65, DISSENTER: 0.15, RANDOM: 0.10, LEFT: 0.05, RIGGER: 0.03, BOT: 0.02}
PRIZE_KINDS = {HONEST: 0.77, RANDOM: 0.10, LEFT: 0.05, RIGGER: 0.03, BOT: 0.02, AWARE: 0.03}
SCREEN_ALPHA = 0.01
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
            weights = found.reads[crowd.answers.contributor]
            figures.add(f"error-removed-{name}", measure_errors(crowd, weights))
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
    figures.add("reliability-auc-three-controls", separate(crowd, found.reads, enough))
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
    """Whom the automatic rule takes out."""
    surely_low = (found.overall.upper < MAX_OVERALL) & (found.on_controls.upper < MAX_ON_CONTROLS)
    return surely_low & (found.controls >= MIN_CONTROLS)


def separate(crowd: Crowd, score: Floats, among: npt.NDArray[np.bool_] | None = None) -> float:
    """AUC of a score: how often somebody honest has more than somebody bad; riggers aside."""
    chosen = (crowd.kind != RIGGER) if among is None else among
    bad, ranks = crowd.people.is_blind[chosen], rankdata(score[chosen])
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


# --- the prize --------------------------------------------------------------------------------
def measure_prize(seeds: int) -> None:
    """Who wins simulated events, where cheats work as much as others and ten times as much."""
    figures, events = Figures(), 30 if seeds == SEEDS else 3
    for cheating in (1, 10):
        for seed in range(events):
            world = World(models=20, kinds=PRIZE_KINDS, cheating=cheating)
            crowd = draw_crowd(world, seed)
            add_event(figures, crowd, cheating)
    figures.goal("prize-clicker", 0.0, at_least=False)
    figures.goal("prize-control-aware", 0.02, at_least=False)
    figures.goal("prize-rigger-1x", 0.05, at_least=False)
    figures.goal("prize-rigger-10x", 0.15, at_least=False)
    figures.goal("prize-top-ten", 0.75)
    figures.goal("prize-spearman", 0.70)
    figures.goal("gap-found", 0.85)
    figures.goal("gap-honest", 0.005, at_least=False)


def add_event(figures: Figures, crowd: Crowd, cheating: int) -> None:
    """One event: its winner, and who should have been on top."""
    found = estimate_reliability(crowd.answers)
    rigging = screen_models(crowd.answers, found.expected)
    quality = limit_quality(found)
    score = np.where(find_open_questions(found, rigging), 0.0, found.answers * quality)
    ranked = np.where(np.isnan(score), -1.0, score)
    winner = crowd.kind[int(np.argmax(ranked))]
    figures.add("prize-clicker", float(winner in BLIND))
    figures.add("prize-control-aware", float(winner == AWARE))
    figures.add(f"prize-rigger-{cheating}x", float(winner == RIGGER))
    rated = found.controls >= MIN_CONTROLS_FOR_QUALITY
    gaps, honest = find_gaps(found), crowd.kind == HONEST
    figures.add("gap-honest", float(gaps[honest & rated].mean()))
    if (aware := (crowd.kind == AWARE) & rated).any():
        figures.add("gap-found", float(gaps[aware].mean()))
    if cheating == 1:
        work = np.where(honest, found.answers * crowd.people.signal(), 0.0)
        best = set(np.argsort(-ranked)[:10]) & set(np.argsort(-work)[:10])
        figures.add("prize-top-ten", len(best) / 10)
        both = honest & rated
        figures.add("prize-spearman", float(spearmanr(ranked[both], work[both]).statistic))


PARTS: dict[str, Callable[[int], None]] = {
    "reliability": measure_reliability,
    "rigging": measure_rigging,
    "prize": measure_prize,
    "exposure": measure_exposure,
    "publishing": lambda seeds: measure_publishing(seeds, is_quick=seeds < SEEDS),
}

if __name__ == "__main__":
    main()

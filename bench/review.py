"""Whether the review queue begins with those who should be looked at, and whom it asks about.

    python -m bench.review [--quick]

Plants five people in the sample event's honest crowd (`bench.review_event`), computes what the
workers compute, and prints the queue: its first five must be those five. Then counts, in the worlds
of `bench.trust_world`, whom the two questions about single people name that rest on reliability
alone: "does not read" and "judges otherwise than others". Ends in one line for each goal.
"""

# ruff: noqa: PLC0415 - Django is set up in a process of its own
import argparse
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from bench.goals import print_goal
from bench.trust_screens import TASTES
from bench.trust_site import make_tables, run_on_site
from bench.trust_world import (
    AWARE,
    BOT,
    DISSENTER,
    HONEST,
    LEFT,
    RANDOM,
    RIGGER,
    Crowd,
    World,
    draw_crowd,
)
from leaderboard.trust.not_reading import MIN_JUDGMENTS, find_not_reading
from leaderboard.trust.reliability import Reliability, estimate_reliability
from leaderboard.trust.rigging import find_gaps

SEEDS, QUICK_SEEDS = 5, 2
QUESTION_SEEDS = {False: 10, True: 4}
"""Seeds for the questions, in full and quick: few honest people are named, and to count them takes
many."""
FIRST = 5
"""Cases at the head of the queue that are looked at: as many as are planted."""
STEADY_TASTE = 3.0
"""z of self-consistency from which on a case page speaks of a taste of one's own."""
KIND_NAMES = {
    HONEST: "honest",
    RANDOM: "random",
    LEFT: "always left",
    RIGGER: "lifts one model",
    BOT: "bots",
    DISSENTER: "own taste",
    AWARE: "controls only",
}
WORLDS = {
    "1000x100": World(people=1_000, models=100),
    "3000x20": World(people=3_000, models=20),
    "a third bad": World(kinds={HONEST: 0.67, RANDOM: 0.18, LEFT: 0.09, RIGGER: 0.03, BOT: 0.03}),
    "tastes": World(people=1_500, models=25, kinds=TASTES),
    "no controls": World(controls=0),
}

QUICK_WORLDS = ("1000x100", "a third bad", "tastes")


def main() -> None:
    """Print the queues, the rates and the goals."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="two seeds")
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.seed is not None:
        print(json.dumps(build_queue(options.seed)))
        return
    seeds = QUICK_SEEDS if options.quick else SEEDS
    measure_queues(seeds)
    measure_questions(QUESTION_SEEDS[options.quick], QUICK_WORLDS if options.quick else WORLDS)


def measure_queues(seeds: int) -> None:
    """The queue of the sample event with the five planted, for each seed."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(
            lambda seed: run_on_site("bench.review", "--seed", str(seed)), range(seeds)
        )
        queues: list[list[dict[str, Any]]] = [json.loads(line) for line in found]
    for seed, queue in enumerate(queues):
        print(f"seed {seed}: {len(queue)} people in the queue")
        for place, row in enumerate(queue, 1):
            print(
                f"  {place:>2}  {row['kind']:<27} {row['reason']:<11}"
                f" priority {row['priority']:5.2f}  evidence {row['evidence']:4.1f}"
                f"  first place {row['on_first']:.2f}  prize {row['on_prize']:.2f}"
            )
    planted = [len({row["kind"] for row in queue[:FIRST]} - {"honest"}) for queue in queues]
    print_goal("queue-first-five", min(planted), FIRST, at_least=True)
    for kind, at_least in (("own taste", True), ("careful with controls only", False)):
        z = [row["consistency"] for queue in queues for row in queue if row["kind"] == kind]
        name = "own-taste-consistency" if at_least else "controls-only-consistency"
        print_goal(name, min(z) if at_least else max(z), STEADY_TASTE, at_least=at_least)


def build_queue(seed: int) -> list[dict[str, Any]]:
    """In a process of its own: the people in the queue of one event, first to last."""
    make_tables()
    from django.utils import timezone

    from bench.review_event import make_review_event
    from leaderboard.models import CaseEffect
    from leaderboard.snapshots.case_effects import refresh_case_effects
    from leaderboard.snapshots.refresh import refresh_fully

    now = timezone.now()
    event, planted = make_review_event("review", now, seed)
    refresh_fully(event, now=now)
    refresh_case_effects(event, now=now)
    effects = CaseEffect.objects.filter(case__event=event, priority__gt=0.0)
    return [
        {
            "kind": planted.get(effect.case.enrollment_id, "honest"),
            "reason": effect.case.reason,
            "consistency": effect.case.enrollment.reliability.consistency,
            **{
                name: getattr(effect, name)
                for name in ("priority", "evidence", "on_first", "on_prize")
            },
        }
        for effect in effects.select_related("case__enrollment__reliability").order_by(
            "-priority", "pk"
        )
    ]


def measure_questions(seeds: int, worlds: Iterable[str]) -> None:
    """Of people with thirty judgments, whom the two questions name."""
    worst = 0.0
    for name in worlds:
        world = WORLDS[name]
        asked = {kind: np.zeros(2) for kind in world.kinds}
        people = dict.fromkeys(world.kinds, 0)
        for seed in range(seeds):
            crowd = draw_crowd(world, seed)
            found = estimate_reliability(crowd.answers)
            for kind in world.kinds:
                there = (crowd.kind == kind) & (count_answers(crowd) >= MIN_JUDGMENTS)
                people[kind] += int(there.sum())
                asked[kind] += [int((mask & there).sum()) for mask in ask(crowd, found)]
        print(f"{name}: named as not reading, and as judging otherwise than others")
        for kind in world.kinds:
            shares = asked[kind] / max(people[kind], 1)
            print(f"  {KIND_NAMES[kind]:<16} {shares[0]:6.1%} {shares[1]:6.1%}  of {people[kind]}")
        worst = max(worst, float(asked[HONEST].sum() / max(people[HONEST], 1)))
    print_goal("questions-honest", worst, 0.01)


def count_answers(crowd: Crowd) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Judgments of each person."""
    return np.bincount(crowd.answers.contributor, minlength=crowd.answers.people)


def ask(crowd: Crowd, found: Reliability) -> "list[np.ndarray[tuple[int], np.dtype[np.bool_]]]":
    """Whom each question names."""
    overall = (found.overall.value, found.overall.error)
    judgments = count_answers(crowd)
    clicking = find_not_reading(overall, found.on_controls.value, found.controls, judgments)
    return [clicking, find_gaps(found)]


if __name__ == "__main__":
    main()

"""What is left to read from public figures, receipts and places: of `bench.trust` the part
`publishing`. What needs the product's pages or models runs in a process of its own, on SQLite.
"""

# ruff: noqa: PLC0415 - Django is set up in a process of its own
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from arena.events.lifecycle.batches import PRIZE_BATCH, SMALLEST, BatchRule, batch_rule
from bench.goals import print_goal
from bench.trust_boards import PLANS, collect_probes, tell_apart
from bench.trust_figures import SEEDS
from bench.trust_site import make_tables, run_on_site
from leaderboard.ratings import Floats

LIVE_JUDGMENTS = 60
QUICK_PLANS = {SMALLEST.judgments: (3, 4), PRIZE_BATCH: (4,)}
"""Those of many probes in a batch, which two seeds measure."""


def measure_publishing(seeds: int) -> None:
    """The three goals."""
    measure_boards(seeds)
    on_site: dict[str, Any] = json.loads(run_on_site("bench.trust_publishing", str(seeds)))
    before, now = (np.array(on_site["receipts"][name]) for name in ("before", "now"))
    print(f"receipts as they were: {describe(before)}")
    report("receipts-late", now, 0.55)
    places = {name: np.array(found) for name, found in on_site["places"].items()}
    for name, found in places.items():
        print(f"places, {name}: {describe(found)}")
    report("standings-ten-accounts", max(places.values(), key=np.mean), 0.65)


def measure_boards(seeds: int) -> None:
    """The best attack on live boards, and on those that move in batches."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:

        def attack(rule: BatchRule | None, plan: int, batches: int) -> Floats:
            jobs = [pool.submit(collect_probes, seed, rule, plan, batches) for seed in range(seeds)]
            return np.array(tell_apart([job.result() for job in jobs]))

        live = attack(None, len(PLANS) - 1, LIVE_JUDGMENTS)
        print(f"live boards: {describe(live)}")
        worst = np.zeros(seeds)
        for size in (SMALLEST.judgments, PRIZE_BATCH):
            rule = batch_rule(size, has_prize=size == PRIZE_BATCH)
            for plan in QUICK_PLANS[size] if seeds < SEEDS else range(len(PLANS)):
                found = attack(rule, plan, PLANS[plan].batches)
                print(f"batches of {size}, {PLANS[plan].name}: {describe(found)}", flush=True)
                worst = max(worst, found, key=np.mean)
    report("difference-boards", worst, 0.55)


def describe(aucs: Floats) -> str:
    """Mean and standard error over seeds."""
    return f"{aucs.mean():.4f} ± {aucs.std(ddof=1) / np.sqrt(len(aucs)):.4f}"


def report(name: str, aucs: Floats, target: float) -> None:
    """Print a mean over the seeds and whether it reaches its goal."""
    print(f"{name}: {describe(aucs)} over {len(aucs)} seeds")
    print_goal(name, float(aucs.mean()), target)


def measure_on_site(seeds: int) -> None:
    """Print as JSON what receipts and places give away."""
    from django.test.utils import setup_test_environment

    make_tables()
    setup_test_environment()

    from bench.trust_places import read_places
    from bench.trust_receipts import read_receipts

    is_quick = seeds < SEEDS
    by_seed = [read_places(seed, is_quick=is_quick) for seed in range(seeds)]
    places = {share: [found[share] for found in by_seed] for share in by_seed[0]}
    print(json.dumps({"receipts": read_receipts(seeds, is_quick=is_quick), "places": places}))


if __name__ == "__main__":
    measure_on_site(int(sys.argv[1]))

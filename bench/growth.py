"""How the cost of the next matchup grows: as a campaign fills, and with its size.

    python -m bench.growth [--quick]

PostgreSQL on this machine, in one process: contributors judge one matchup after another; what is
measured is `next_assignment` on average, chunks that are built included.
"""

# ruff: noqa: PLC0415 - Django is set up once the services it points at are running
import argparse
import os
import subprocess
import sys
import time
from statistics import median
from typing import Any

from bench.goals import print_goal
from bench.sites import ROOT, SLUG, build_environment, find_free_port

OVERLAPS = (1, 3, 10)
SIZES, QUICK_SIZES = (10_000, 100_000, 1_000_000), (1_000, 3_000, 10_000)
NEARLY_FULL = 0.95
MAX_FILLING, MAX_SIZE = 2.0, 1.5
# Contributors who are measured, and turns of each: two chunks and a part of a third.
PEOPLE, TURNS = 25, 25
CONTRIBUTORS = 10_000


def main() -> None:
    """Measure three sizes, empty and nearly full, and print the goals."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a hundredth of the size")
    options = parser.parse_args()
    from tests.services import Services

    services = Services("postgresql")
    try:
        services.start_postgresql()
        services.start_redis()
        os.environ.update(build_environment(services, find_free_port(), "postgres"))
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True)
        import django

        django.setup()
        measure(QUICK_SIZES if options.quick else SIZES)
    finally:
        services.stop()


def measure(sizes: tuple[int, int, int]) -> None:
    """Milliseconds for every size, overlap and share that is judged already."""
    from bench.campaign import Campaign, make_campaign, refill

    seen: dict[tuple[int, int, float], float] = {}
    print(f"{'matchups':>10}{'overlap':>9}{'judged':>8}{'next ms':>9}")
    for size in sizes:
        event = None
        for overlap in OVERLAPS:
            for share in (0.0, NEARLY_FULL) if size == sizes[1] else (0.0,):
                judgments = int(size * overlap * share)
                people = CONTRIBUTORS if size > QUICK_SIZES[0] else 1_000
                campaign = Campaign(size, overlap, judgments, people, controls=size // 5)
                if event is None:
                    event = make_campaign(f"{SLUG}-{size}", campaign)
                else:
                    refill(event, campaign)
                seen[size, overlap, share] = cost = time_next(event)
                print(f"{size:>10}{overlap:>9}{share:>8.0%}{cost:>9.2f}", flush=True)
    first, middle, last = sizes
    for overlap in OVERLAPS:
        filling = seen[middle, overlap, NEARLY_FULL] / seen[middle, overlap, 0.0]
        print_goal(f"next_growth_filling_overlap_{overlap}", filling, MAX_FILLING)
        growth = seen[last, overlap, 0.0] / seen[first, overlap, 0.0]
        print_goal(f"next_growth_size_overlap_{overlap}", growth, MAX_SIZE)


def time_next(event: Any) -> float:
    """Milliseconds for the next matchup: the median contributor's average."""
    from random import Random

    from django.utils import timezone

    from arena.judging.recording import check_answers, record_judgment
    from arena.judging.serving.leases import next_assignment

    averages = []
    people = event.enrollments.select_related("event", "user").order_by("-pk")[: PEOPLE + 2]
    for number, enrollment in enumerate(people):
        rng, spent, turns = Random(number), 0.0, 0
        for _ in range(TURNS):
            now, start = timezone.now(), time.perf_counter()
            assignment = next_assignment(enrollment, rng, now)
            spent += time.perf_counter() - start
            if assignment is None:
                break
            turns += 1
            answers = check_answers(assignment, {"preference": "a1", "comment": ""})
            record_judgment(assignment, answers, now=now)
        if number >= 2 and turns:  # the first ones warm everything up
            averages.append(1000 * spent / turns)
    return median(averages)


if __name__ == "__main__":
    main()

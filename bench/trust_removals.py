"""Whom events exclude without a person, and what an outage of the hints changes: of `bench.trust`
the part `removals`. What needs the product's models runs in a process of its own, on SQLite.
"""

# ruff: noqa: PLC0415 - Django is set up in a process of its own
from dataclasses import replace

import numpy as np

from bench.goals import print_goal
from bench.trust_figures import SEEDS
from bench.trust_site import make_tables, run_on_site
from bench.trust_world import BOT, DISSENTER, HONEST, LEFT, RANDOM, RIGGER, Crowd, World, draw_crowd
from leaderboard.trust.reliability import estimate_reliability
from leaderboard.trust.removal import choose_removals

STAGES = (0.25, 0.5, 0.75, 1.0)
"""Parts of an event's judgments after which the rule looks."""
DISSENT = {HONEST: 0.65, DISSENTER: 0.15, RANDOM: 0.10, LEFT: 0.05, RIGGER: 0.03, BOT: 0.02}
WORLDS = {
    "1000x100": World(people=1_000, models=100),
    "3000x20": World(people=3_000, models=20),
    "a third bad": World(kinds={HONEST: 0.67, RANDOM: 0.18, LEFT: 0.09, RIGGER: 0.03, BOT: 0.03}),
    "dissent": World(people=1_500, models=25, kinds=DISSENT, agreement=-0.5),
    "mostly bots": World(people=200, models=10, kinds={HONEST: 0.4, BOT: 0.6}),
}
QUICK_WORLDS = ("a third bad", "dissent", "mostly bots")
"""The small ones."""
SITE_SEED = 0


def measure_removals(seeds: int) -> None:
    """The largest share of people removed without a person; votes that an outage changes."""
    largest = 0.0
    for name in QUICK_WORLDS if seeds < SEEDS else WORLDS:
        world = WORLDS[name]
        shares = [remove_in_stages(draw_crowd(world, seed), seed) for seed in range(seeds)]
        largest = max(largest, *shares)
        error = np.std(shares, ddof=1) / np.sqrt(len(shares))
        print(f"removed, {name}: {np.mean(shares):.4f} ± {error:.4f} over {len(shares)} seeds")
    print_goal("automatic-removals", largest, 0.05)
    print_goal("helper-outage", float(run_on_site("bench.trust_removals")), 0.0)


def remove_in_stages(crowd: Crowd, seed: int) -> float:
    """The largest share of those who have judged whom the rule has excluded, at any stage."""
    answers = crowd.answers
    order = np.random.default_rng(seed).random(len(answers.outcome))
    out, largest = np.zeros(answers.people, dtype=bool), 0.0
    for stage in STAGES:
        some = answers.take(np.flatnonzero(order < stage))
        found = estimate_reliability(replace(some, counted=~out))
        judged = found.answers > 0
        removal = choose_removals(
            (found.overall.value, found.overall.error),
            (found.on_controls.value, found.on_controls.error),
            np.where(out, 0, found.controls),
            found.answers,
            people=int(judged.sum()),
            before=int(out.sum()),
        )
        out[removal.removed] = True
        largest = max(largest, out.sum() / judged.sum())
    return float(largest)


def measure_on_site() -> None:
    """Print how many votes differ between a computation with hints and one without."""
    make_tables()
    import json
    from datetime import timedelta
    from random import Random

    from django.utils import timezone

    from arena.judging.demo.sample_event import SAMPLE_FOLDER, make_sample_event
    from arena.judging.models import Judgment
    from leaderboard.contributors import reliability
    from leaderboard.contributors.weights import WeightBook

    plan = json.loads((SAMPLE_FOLDER / "event.json").read_text(encoding="utf-8"))
    event = make_sample_event(plan, timezone.now(), Random(SITE_SEED))

    def read_votes() -> dict[int, float | None]:
        book, counted = WeightBook(event), Judgment.objects.counted().filter(event=event)
        return {
            pk: book.find(enrollment, 0, ())
            for pk, enrollment in counted.values_list("pk", "enrollment")
        }

    def fail(*_arguments: object) -> None:
        raise ConnectionError("away")

    reliability.refresh_reliability(event, now=timezone.now())
    before = read_votes()
    for name in ("measure_pace", "self_consistency", "screen_twins"):
        setattr(reliability, name, fail)
    later = timezone.now() + timedelta(minutes=1)
    assert reliability.refresh_reliability(event, now=later, rebuild=True)
    after = read_votes()
    assert before
    assert None not in before.values()
    print(sum(before.get(pk, -1.0) != after.get(pk, -1.0) for pk in before.keys() | after.keys()))


if __name__ == "__main__":
    measure_on_site()

"""One run of the trial in a process of its own, on the database that the environment names.

python -m bench.task_faults.run RESULT TASKS [--disturbed]
"""

# ruff: noqa: E402 - Django is set up before its models are imported
import argparse
import json
import math
import signal
import sys
import threading
import time
from pathlib import Path
from random import Random
from typing import Any

import django

django.setup()

from bench.task_faults.delivery import Workers
from bench.task_faults.scenario import Delivery, Scenario
from bench.task_faults.state import (
    State,
    differing_bundles,
    is_caught_up,
    look_for_half_published,
    read_state,
)

# Of beat's tasks, among those of an act; and how long they may then go on undisturbed.
TURNS_OF_BEAT, MAX_SECONDS_OF_BEAT = 2, 240.0
# Of a round, at 3.5 copies of 62 tasks.
MESSAGES_OF_ROUND = 217


def count_rounds(wanted: int) -> int:
    """How many rounds disturb so many messages, and a few."""
    return math.ceil(wanted / MESSAGES_OF_ROUND)


class Trial:
    """The scenario, its workers, and what was seen."""

    def __init__(self, seed: int, *, disturbed: bool) -> None:
        self.scenario, self.workers = Scenario(), Workers()
        self.rng, self.disturbed = Random(seed), disturbed
        self.messages = self.kills = 0
        # After each act, by event.
        self.acts: list[dict[str, State]] = []
        self.problems: list[str] = []
        self.half_published: set[str] = set()
        self.watching = threading.Event()

    def play(self, wanted: int) -> None:
        """Rounds until so many messages were disturbed, then the end of the events."""
        self.workers.wait_until_idle()
        scenario = self.scenario
        for number in range(1, count_rounds(wanted) + 1):
            self.carry_out(scenario.judge(number))
            self.carry_out(scenario.vote(number))
            self.carry_out(scenario.end_round(number), has_bundles=True)
        self.carry_out(scenario.close())
        self.carry_out(scenario.publish(), has_bundles=True)
        self.carry_out([])

    def carry_out(self, deliveries: list[Delivery], *, has_bundles: bool = False) -> None:
        """Deliver these, and what beat sends, until nothing is left to do; keep the state.

        A round's bundle is of the moment at which it was sealed: nothing else is delivered then.
        """
        if self.disturbed:
            beat = [] if has_bundles else TURNS_OF_BEAT * self.scenario.scheduled()
            messages, kills = self.workers.disturb(deliveries + beat, self.rng)
            self.messages, self.kills = self.messages + messages, self.kills + kills
        else:
            self.workers.deliver(deliveries)
        if has_bundles:
            for event in self.scenario.events:
                event.refresh_from_db()
                self.problems += differing_bundles(event)
        else:
            self.catch_up()
        self.acts.append({event.slug: read_state(event) for event in self.scenario.events})
        print(f"act {len(self.acts)}: {self.messages} messages", flush=True)

    def catch_up(self) -> None:
        """What beat sends, again and again, until nothing is left to do."""
        deadline = time.monotonic() + MAX_SECONDS_OF_BEAT
        while time.monotonic() < deadline:
            self.workers.deliver(self.scenario.scheduled())
            if all(map(is_caught_up, self.scenario.events)):
                return
        self.problems.append(f"beat has not caught up after act {len(self.acts) + 1}")

    def watch(self) -> None:
        """Look for half-published snapshots until the end."""
        seen: dict[int, tuple[int, int]] = {}
        while not self.watching.wait(0.02):
            self.half_published.update(look_for_half_published(seen))

    def report(self) -> dict[str, Any]:
        return {
            "messages": self.messages,
            "kills": self.kills,
            "acts": self.acts,
            "problems": self.problems,
            "half_published": sorted(self.half_published),
        }


def main() -> None:
    """Play, and write down what was seen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("result", type=Path)
    parser.add_argument("tasks", type=int)
    parser.add_argument("--disturbed", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()
    trial = Trial(1, disturbed=options.disturbed)
    watcher = threading.Thread(target=trial.watch, daemon=True)
    watcher.start()
    try:
        trial.play(options.tasks)
    finally:
        trial.watching.set()
        trial.workers.stop()
    watcher.join()
    seconds = time.monotonic() - began
    report = trial.report() | {"seconds": seconds}
    options.result.write_text(json.dumps(report, default=str, sort_keys=True))


if __name__ == "__main__":
    main()

"""Web workers are killed between any two statements of a submission. A part of `bench.faults`.

Several people judge at once; part of their submissions carry the step before which the worker ends
(`bench.failpoints`). Whoever shared that worker loses the connection too. Everybody sends the same
answer again, as the page does, until it is acknowledged.
"""

# ruff: noqa: PLC0415 - Django is set up when this part begins, not when it is named
import time
from collections import Counter
from random import Random
from typing import Any, Protocol

from bench.goals import print_goal

PEOPLE = 12
WORKERS, THREADS = 4, 2
# Of the submissions, so many are to kill their worker.
FATAL_SHARE = 0.95
# Most submissions have few steps; one that builds a chunk has about so many.
MAX_STEPS = 60
# Matchups, and contributors among whom each of those at work takes turns.
MATCHUPS, TURNS = 150, 8


class Scale(Protocol):
    """What is read of the scale of `bench.faults`."""

    @property
    def kills(self) -> int: ...


def measure(services: Any, scale: Scale) -> None:
    """Judge and kill, then compare the database with what was acknowledged."""
    from bench.fault_sites import serve_web, sign_in
    from tests.factories import make_competitors, make_control, make_event, make_matchup

    event = make_event("kills", overlap=PEOPLE * TURNS)
    models = make_competitors(event, 4)
    for number in range(MATCHUPS):
        make_matchup(event, [models[number % 4], models[(number + 1) % 4]])
    for _ in range(MATCHUPS // 5):
        make_control(event)
    site = serve_web(services, event, WORKERS, THREADS)
    killing = Killing(site, event, [sign_in(site.url, event, TURNS) for _ in range(PEOPLE)])
    killing.run(scale.kills)
    killing.report(scale.kills)
    site.stop()


class Killing:
    """One run: people who judge while workers are killed under them."""

    def __init__(self, site: Any, event: Any, people: list[list[Any]]) -> None:
        from bench.fault_sites import Acknowledged

        self.site, self.event, self.people = site, event, people
        self.told = Acknowledged()
        # What became of the submissions whose connection was lost, before they were sent again.
        self.lost: Counter[str] = Counter()
        self.in_flight: dict[str, str] = {}
        self.is_over = False
        self.steps = 0
        self.seconds = 0.0

    def run(self, kills: int) -> None:
        """Judge until so many workers were killed."""
        from bench.fault_sites import at_work

        self.steps = self.count_steps()
        begin = time.monotonic()
        with at_work(self.judge, len(self.people)):
            while self.site.count_killed() < kills and self.site.process.poll() is None:
                time.sleep(0.2)
            self.is_over = True
        self.seconds = time.monotonic() - begin

    def count_steps(self) -> int:
        """The steps of a submission that builds no chunk."""
        person = self.people[0][0]
        person.open()
        counts = []
        for number in range(4):
            reply = self.told.answer(person, "a1", f"first {number}", failpoint=0)
            counts.append(int(reply.headers["X-Steps"]))
        return min(counts)

    def judge(self, number: int) -> None:
        """One at work: submissions in turn as several contributors, some of them fatal."""
        rng, turn = Random(number), 0
        while not self.is_over:
            person = self.people[number][turn % TURNS]
            turn += 1
            if not person.uuid and not (person.open() and person.uuid):
                time.sleep(0.2)  # the worker is gone, or these were too many looks in a minute
                continue
            self.submit(person, rng, f"{number}-{turn}")

    def submit(self, person: Any, rng: Random, comment: str) -> None:
        """One answer, sent until it is acknowledged, unless the run is over."""
        from bench.fault_sites import ANSWERS

        uuid, answer = person.uuid, rng.choice(ANSWERS)
        most = MAX_STEPS if rng.random() < 0.2 else self.steps + 2
        fatal = rng.randint(1, most) if rng.random() < FATAL_SHARE else None
        self.in_flight[uuid] = comment
        reply = self.told.answer(person, answer, comment, fatal)
        if reply.status_code == 0:
            self.lost["stored" if is_stored(uuid) else "nothing"] += 1
        if reply.status_code == 200 or self.told.insist(
            person, answer, comment, lambda: self.is_over
        ):
            del self.in_flight[uuid]

    def report(self, kills: int) -> None:
        """Print what was seen, and the goals."""
        from django.utils import timezone

        from bench.fault_checks import (
            compare,
            count_half_written,
            count_repeats,
            count_wrong_slots,
            find_ledger_difference,
        )

        killed = self.site.count_killed()
        told = len(self.told.answers)
        print(
            f"{killed} workers killed in {self.seconds:.0f} s, {self.steps} steps to a submission; "
            f"{told} judgments acknowledged, {self.lost.total()} connections lost in one: "
            f"{self.lost['stored']} stored, {self.lost['nothing']} not"
        )
        print("replies:", dict(self.told.statuses))
        seen = compare(self.event, self.told.answers)
        print(f"{len(seen.untold)} stored of {len(self.in_flight)} in flight at the end")
        print_goal("faults_kill_points", killed, kills, at_least=True)
        print_goal("faults_kill_lost", seen.lost, 0)
        print_goal("faults_kill_doubled", seen.doubled + count_repeats(self.event), 0)
        print_goal("faults_kill_unexplained", len(seen.untold - self.in_flight.keys()), 0)
        print_goal("faults_kill_half_written", count_half_written(self.event), 0)
        print_goal("faults_kill_wrong_slots", count_wrong_slots(self.event), 0)
        difference = find_ledger_difference(self.event, timezone.now())
        print_goal("faults_kill_ledger_differs", bool(difference), 0)


def is_stored(uuid: str) -> bool:
    """Whether this assignment has a judgment by now."""
    from arena.judging.models import Judgment

    return Judgment.objects.filter(assignment__uuid=uuid).exists()

"""PostgreSQL stops at once and comes back while people judge. A part of `bench.faults`.

The whole site as `make run` starts it: web server, workers and beat have to go on by themselves.
Everybody sends the same answer again until it is acknowledged.
"""

# ruff: noqa: PLC0415 - Django is set up when this part begins, not when it is named
import json
import os
import time
from random import Random
from typing import Any, Protocol

from bench.goals import print_goal
from bench.sites import serve_product

PEOPLE = 8
MATCHUPS, TURNS = 150, 8
MAX_SECONDS = 30
# Under load between two stops, and without a server.
LOAD_SECONDS, DOWN_SECONDS = (3.0, 6.0), (0.5, 3.0)


class Scale(Protocol):
    """What is read of the scale of `bench.faults`."""

    @property
    def stops(self) -> int: ...


def measure(services: Any, scale: Scale) -> None:
    """Judge while the server stops so many times, then compare."""
    if services.database != "postgresql":
        print("no server to be stopped")
        return
    from arena.people.models import User
    from bench.fault_sites import Contributor
    from tests.factories import (
        make_competitors,
        make_control,
        make_enrollment,
        make_event,
        make_matchup,
    )
    from tests.services import stop_process

    event = make_event("stops", overlap=PEOPLE * TURNS)
    models = make_competitors(event, 4)
    for number in range(MATCHUPS):
        make_matchup(event, [models[number % 4], models[(number + 1) % 4]])
    for _ in range(MATCHUPS // 5):
        make_control(event)
    names = [f"stops-{number}" for number in range(PEOPLE * TURNS)]
    users = User.objects.bulk_create(User(username=name, password="!") for name in names)
    enrollments = [make_enrollment(event, user).pk for user in users]
    site = serve_product(services, users, int(os.environ["PORT"]))
    keys = json.loads(site.sessions.read_text())
    people = [
        Contributor(site.url, event.slug, enrollment, key)
        for enrollment, key in zip(enrollments, keys, strict=True)
    ]
    stopping = Stopping(services, event, people)
    stopping.run(scale.stops)
    stopping.report(scale.stops, is_serving=site.process.poll() is None)
    stop_process(site.process)


class Stopping:
    """One run: people who judge while the database goes away and comes back."""

    def __init__(self, services: Any, event: Any, people: list[Any]) -> None:
        from bench.fault_sites import Acknowledged

        self.services, self.event, self.people = services, event, people
        self.told = Acknowledged()
        self.in_flight: dict[str, str] = {}
        self.is_over = False
        # When the last answer was acknowledged; and how long that took after each restart.
        self.told_at = 0.0
        self.waited: list[float] = []

    def run(self, stops: int) -> None:
        """Stop and restart so many times under load."""
        from django.db import connections

        from bench.fault_sites import at_work

        rng = Random(stops)
        with at_work(self.judge, PEOPLE):
            for _ in range(stops):
                time.sleep(rng.uniform(*LOAD_SECONDS))
                self.services.stop_postgresql_at_once()
                time.sleep(rng.uniform(*DOWN_SECONDS))
                self.services.serve_postgresql()
                self.waited.append(self.wait_for_answer(time.monotonic()))
            time.sleep(rng.uniform(*LOAD_SECONDS))
            self.is_over = True
        connections.close_all()

    def wait_for_answer(self, since: float) -> float:
        """Seconds until an answer sent after this moment is acknowledged."""
        while self.told_at < since and time.monotonic() < since + 4 * MAX_SECONDS:
            time.sleep(0.02)
        return time.monotonic() - since

    def judge(self, number: int) -> None:
        """One at work, in turn as several contributors."""
        rng, turn = Random(number), 0
        while not self.is_over:
            person = self.people[number * TURNS + turn % TURNS]
            turn += 1
            if not person.uuid and not (person.open() and person.uuid):
                time.sleep(0.5)
                continue
            self.submit(person, rng, f"{number}-{turn}")

    def submit(self, person: Any, rng: Random, comment: str) -> None:
        """One answer, sent until it is acknowledged, unless the run is over."""
        from bench.fault_sites import ANSWERS

        uuid = person.uuid
        self.in_flight[uuid] = comment
        if self.told.insist(person, rng.choice(ANSWERS), comment, lambda: self.is_over):
            self.told_at = time.monotonic()
            del self.in_flight[uuid]

    def report(self, stops: int, *, is_serving: bool) -> None:
        """Print what was seen, and the goals."""
        from bench.fault_checks import (
            compare,
            count_half_written,
            count_repeats,
            count_wrong_slots,
        )

        print(
            f"{len(self.waited)} immediate stops; {len(self.told.answers)} judgments acknowledged; "
            f"after a restart the first one came within "
            f"{', '.join(f'{each:.1f}' for each in self.waited)} s"
        )
        print("replies:", dict(self.told.statuses))
        seen = compare(self.event, self.told.answers)
        print_goal("faults_stops", len(self.waited), stops, at_least=True)
        print_goal("faults_stops_seconds_to_serve", max(self.waited), MAX_SECONDS)
        print_goal("faults_stops_lost", seen.lost, 0)
        print_goal("faults_stops_doubled", seen.doubled + count_repeats(self.event), 0)
        print_goal("faults_stops_unexplained", len(seen.untold - self.in_flight.keys()), 0)
        print_goal("faults_stops_half_written", count_half_written(self.event), 0)
        print_goal("faults_stops_wrong_slots", count_wrong_slots(self.event), 0)
        print_goal("faults_stops_unsealed", self.wait_for_seals(), 0)
        print_goal("faults_stops_processes_ended", not is_serving, 0)

    def wait_for_seals(self) -> int:
        """Judgments that the site's own workers have not sealed a while after the last stop."""
        from arena.judging.models import Judgment

        until = time.monotonic() + 2 * MAX_SECONDS
        unsealed = Judgment.objects.filter(event=self.event, ledger_seq=None)
        while unsealed.exists() and time.monotonic() < until:
            time.sleep(0.5)
        return unsealed.count()

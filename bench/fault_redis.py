"""Redis that stops under load and comes back empty: judgments go on, and the ledger and the boards
catch up. A part of `bench.faults`.
"""

import os
import re
import threading
import time
from collections import Counter
from random import Random
from typing import Any, Protocol

import requests
from django.conf import settings

from arena.events.models import Event
from arena.judging.models import Judgment
from arena.people.models import User
from bench.goals import print_goal
from bench.sessions import make_sessions
from bench.sites import serve_product
from leaderboard.models import Snapshot
from tests.factories import make_competitors, make_enrollment, make_event, make_matchup
from tests.services import stop_process

SLUG = "redis"
PEOPLE, MATCHUPS = 12, 250
STOPPED_SECONDS, THINK_SECONDS = (1.0, 20.0), 0.5
MAX_CATCH_UP_SECONDS = 60.0
UUID = re.compile(r'data-uuid="([0-9a-f-]{36})"')


class Scale(Protocol):
    """What is read of the scale of `bench.faults`."""

    @property
    def redis_stops(self) -> int: ...


def measure(services: Any, scale: Scale) -> None:
    """Judge, stop Redis and bring it back empty, and see how long everything behind takes."""
    users = make_crowd()
    site = serve_product(services, users, int(os.environ["PORT"]))
    people = [Contributor(site.url, key, number) for number, key in enumerate(make_sessions(users))]
    for person in people:
        person.start()
    rng, slowest = Random(1), 0.0
    try:
        wait_until_shown(count_judgments())
        for _ in range(scale.redis_stops):
            seconds = rng.uniform(*STOPPED_SECONDS)
            judged = count_judgments()
            services.stop_redis()
            time.sleep(seconds)
            services.start_redis()
            meanwhile = count_judgments()
            took = wait_until_shown(meanwhile)
            slowest = max(slowest, took)
            print(
                f"away for {seconds:.1f} s: {meanwhile - judged} judgments meanwhile, on the "
                f"latest board {took:.1f} s after it was back",
                flush=True,
            )
    finally:
        for person in people:
            person.finish()
        stop_process(site.process)
    report(people, slowest)


def make_crowd() -> list[User]:
    """An event with enough to judge, and its contributors."""
    event = make_event(SLUG, overlap=PEOPLE)
    models = make_competitors(event, 4)
    for number in range(MATCHUPS):
        make_matchup(event, [models[number % 4], models[(number + 1) % 4]])
    users = [User(username=f"redis-{number}", password="!") for number in range(PEOPLE)]
    for user in User.objects.bulk_create(users):
        make_enrollment(event, user)
    return users


class Contributor(threading.Thread):
    """Somebody who judges until told to stop, and notes what the site said."""

    def __init__(self, url: str, session: str, number: int) -> None:
        super().__init__(daemon=True)
        self.url, self.rng, self.ended = url, Random(number), threading.Event()
        self.browser = requests.Session()
        self.browser.cookies.set(settings.SESSION_COOKIE_NAME, session)
        self.acknowledged: list[str] = []
        self.refused: Counter[str] = Counter()

    def run(self) -> None:
        page = ""
        while not self.ended.wait(self.rng.expovariate(1 / THINK_SECONDS)):
            try:
                page = self.judge(page) if UUID.search(page) else self.open()
            except requests.RequestException as error:
                self.refused[type(error).__name__] += 1
                page = ""

    def open(self) -> str:
        reply = self.browser.get(f"{self.url}/events/{SLUG}/judge/", timeout=60)
        return self.note(reply)

    def judge(self, page: str) -> str:
        """Answer what is on the page; the next one is in the reply."""
        uuid = UUID.findall(page)[0]
        headers = {"HX-Request": "true", "X-CSRFToken": self.browser.cookies.get("csrftoken", "")}
        form = {"preference": self.rng.choice(["a1", "tie", "b1"]), "comment": ""}
        address = f"{self.url}/judge/{uuid}/"
        reply = self.browser.post(address, data=form, headers=headers, timeout=60)
        page = self.note(reply)
        if reply.ok:
            self.acknowledged.append(uuid)
        return page

    def note(self, reply: requests.Response) -> str:
        if not reply.ok:
            self.refused[f"{reply.request.method} {reply.status_code}"] += 1
            return ""
        return reply.text

    def finish(self) -> None:
        self.ended.set()
        self.join()


def count_judgments() -> int:
    return Judgment.objects.filter(event__slug=SLUG).count()


def wait_until_shown(judgments: int) -> float:
    """Until the latest snapshot has so many judgments: how many seconds that took."""
    event, began = Event.objects.get(slug=SLUG), time.monotonic()
    while time.monotonic() - began < 10 * MAX_CATCH_UP_SECONDS:
        latest = Snapshot.objects.filter(event=event).order_by("-id").first()
        if latest is not None and latest.ledger_seq >= judgments:
            break
        time.sleep(0.2)
    return time.monotonic() - began


def report(people: list[Contributor], slowest: float) -> None:
    """What was refused or lost, and how long it took to catch up."""
    refused = sum((person.refused for person in people), Counter[str]())
    acknowledged = [uuid for person in people for uuid in person.acknowledged]
    there = Judgment.objects.filter(event__slug=SLUG, standing=True)
    stored = Counter(str(key) for key in there.values_list("assignment__uuid", flat=True))
    print(f"{len(acknowledged)} judgments acknowledged; refused: {dict(refused)}")
    print_goal("faults_redis_refused", refused.total(), 0)
    print_goal("faults_redis_lost", sum(stored[uuid] != 1 for uuid in acknowledged), 0)
    print_goal("faults_redis_catch_up_seconds", slowest, MAX_CATCH_UP_SECONDS)

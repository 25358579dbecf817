"""A steady crowd for `bench.upgrade`: pages of all kinds, and every fifth request a judgment."""

import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import requests

SLUG = "load"
UUID = re.compile(r'data-uuid="([0-9a-f-]{36})"')
STATIC = re.compile(r'(?:href|src)="(/static/[^"]+)"')
PAGES = ("/", f"/events/{SLUG}/", f"/events/{SLUG}/leaderboard/")
ANSWERS = ("a2", "a1", "tie", "b1", "b2")
SECONDS = 20


@dataclass
class Seen:
    """What everybody together has seen."""

    requests: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    acknowledged: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Person(threading.Thread):
    """Sends a request, waits until it is time for the next one, and so on."""

    def __init__(self, url: str, session: str, pause: float, seen: Seen, number: int) -> None:
        super().__init__(daemon=True)
        self.url, self.pause, self.seen, self.rng = url, pause, seen, Random(number)
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.browser.cookies.set("sessionid", session)
        self.page, self.has_ended = "", threading.Event()
        self.static = [""]

    def run(self) -> None:
        self.page = self.send("GET", f"/events/{SLUG}/judge/")
        due = time.monotonic() + self.rng.random() * self.pause
        while not self.has_ended.wait(max(0.0, due - time.monotonic())):
            due += self.pause
            self.act(self.rng.randrange(5))

    def act(self, what: int) -> None:
        """A judgment, a file that the last page names, or a page."""
        match = UUID.search(self.page)
        if what == 0 and match:
            answer = {"preference": self.rng.choice(ANSWERS), "comment": ""}
            headers = {"HX-Request": "true", "X-CSRFToken": self.browser.cookies.get("csrftoken")}
            self.page = self.send("POST", f"/judge/{match[1]}/", data=answer, headers=headers)
            if self.page:
                self.seen.acknowledged.append(match[1])
        elif what == 0:
            self.page = self.send("GET", f"/events/{SLUG}/judge/")
        elif what == 1 and self.static[-1]:
            self.send("GET", self.rng.choice(self.static))
        else:
            self.static = STATIC.findall(self.send("GET", self.rng.choice(PAGES))) or self.static

    def send(self, method: str, path: str, **more: Any) -> str:
        """One request; its page, or "" after a failure, which is counted."""
        try:
            answer = self.browser.request(method, self.url + path, timeout=SECONDS, **more)
            failure = "" if answer.ok else str(answer.status_code)
        except requests.RequestException as error:
            answer, failure = None, type(error).__name__
        with self.seen.lock:
            self.seen.requests += 1
            if failure:
                self.seen.failures[f"{method} {path.split('/')[1]}: {failure}"] += 1
        return answer.text if answer is not None and not failure else ""


class Crowd:
    """People who together send so many requests a second while the block runs."""

    def __init__(self, url: str, sessions: list[str], per_second: float) -> None:
        self.seen = Seen()
        pause = len(sessions) / per_second
        self.people = [
            Person(url, session, pause, self.seen, number)
            for number, session in enumerate(sessions)
        ]

    def __enter__(self) -> Seen:
        for person in self.people:
            person.start()
        return self.seen

    def __exit__(self, *_: object) -> None:
        for person in self.people:
            person.has_ended.set()
        for person in self.people:
            person.join(SECONDS)

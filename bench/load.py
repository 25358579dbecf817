"""What one contributor does, for Locust: judge one matchup after another.

`bench.serving` starts Locust with this file and says by environment variables whose sessions to
use, whether the site is the product or the bare pair, and where to write what was seen. A user of
Locust takes turns with several contributors, so that none of them exceeds a rate limit; each
contributor's pages follow one another as in a browser.
"""

import json
import os
import re
import time
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import gevent
from locust import FastHttpUser, events, task

from bench.sites import measure_processor

BARE = os.environ["BENCH_SITE"] == "bare"
SLUG = os.environ.get("BENCH_SLUG", "load")
# Mean of the exponential think time in seconds; 0: none.
THINK = float(os.environ.get("BENCH_THINK", "0"))
SESSIONS: deque[str] = deque(json.loads(Path(os.environ["BENCH_SESSIONS"]).read_text()))
PER_USER = int(os.environ.get("BENCH_PER_USER", "1"))
SECONDS, SITE_PID = float(os.environ["BENCH_SECONDS"]), int(os.environ["BENCH_SITE_PID"])
ANSWERS = ("a2", "a1", "tie", "b1", "b2")
UUID = re.compile(r'data-uuid="([0-9a-f-]{36})"')
PAIR = re.compile(r'action="/pairs/(\d+)/"')
CSRF = re.compile(r'name="csrfmiddlewaretoken"\s+value="([^"]+)"')
rng = Random(1)
acknowledged: list[str] = []
judged: list[tuple[float, float]] = []  # when a judgment ended, and how long it took
failures: Counter[str] = Counter()


@dataclass
class Clock:
    """When all contributors have opened their first page, the measured time begins."""

    opening: int = 0
    begin: float = 0.0
    processor_before: float = 0.0
    has_ended: bool = False

    def open_one(self) -> None:
        """One more has a page; the last of them starts the clock."""
        self.opening -= 1
        if not self.opening:
            self.begin = time.monotonic()
            self.processor_before = measure_processor(SITE_PID)

    def is_over(self) -> bool:
        return bool(self.begin) and time.monotonic() >= self.begin + SECONDS

    def end(self, runner: Any) -> None:
        """Stop everybody, once. Not from a user's own greenlet: stopping ends that as well."""
        if not self.has_ended:
            self.has_ended = True
            gevent.spawn(runner.quit)


clock = Clock()


@dataclass
class Contributor:
    """One contributor's browser."""

    session: str
    csrf: str = ""
    page: str = ""


class User(FastHttpUser):
    """One of those at work at the same time."""

    connection_timeout = network_timeout = 60.0

    def on_start(self) -> None:
        self.contributors = deque(Contributor(SESSIONS.popleft()) for _ in range(PER_USER))
        clock.opening += PER_USER

    def wait_time(self) -> float:
        return rng.expovariate(1 / THINK) if THINK else 0.0

    @task
    def judge(self) -> None:
        if clock.is_over():
            clock.end(self.environment.runner)
            gevent.sleep(1)
            return
        contributor = self.contributors[0]
        self.contributors.rotate(-1)
        if not contributor.page:
            self.open(contributor)
        elif BARE:
            self.judge_bare(contributor)
        else:
            self.judge_matchup(contributor)

    def open(self, contributor: Contributor) -> None:
        """The first page; not measured."""
        contributor.page = self.send(
            contributor, "GET", "/next/" if BARE else f"/events/{SLUG}/judge/"
        )
        if contributor.page:
            clock.open_one()

    def judge_matchup(self, contributor: Contributor) -> None:
        """One request: the answer; the next matchup is in its reply."""
        uuid, start = find(UUID, contributor.page), time.monotonic()
        form = {"preference": rng.choice(ANSWERS), "comment": ""}
        contributor.page = self.send(contributor, "POST", f"/judge/{uuid}/", form, htmx=True)
        if contributor.page:
            note(uuid, start)

    def judge_bare(self, contributor: Contributor) -> None:
        """Two requests: the answer, and the page it leads to."""
        pair, start = find(PAIR, contributor.page), time.monotonic()
        form = {"answer": rng.choice("ab"), "csrfmiddlewaretoken": find(CSRF, contributor.page)}
        self.send(contributor, "POST", f"/pairs/{pair}/", form)
        contributor.page = self.send(contributor, "GET", "/next/")
        if contributor.page:
            note(pair, start)

    def send(
        self,
        contributor: Contributor,
        method: str,
        path: str,
        form: dict[str, str] | None = None,
        *,
        htmx: bool = False,
    ) -> str:
        """One request with this contributor's cookies; the page, empty after a failure."""
        headers = {"Cookie": f"sessionid={contributor.session}; csrftoken={contributor.csrf}"}
        if htmx:
            headers |= {"HX-Request": "true", "X-CSRFToken": contributor.csrf}
        self.client.client.cookiejar.clear()
        with self.client.request(
            method, path, data=form, headers=headers, name=path.split("/")[1],
            allow_redirects=False, catch_response=True,
        ) as response:  # fmt: skip
            for cookie in self.client.client.cookiejar:
                if cookie.name == "csrftoken":
                    contributor.csrf = cookie.value or ""
            if response.status_code not in (200, 302):
                failures[f"{method} {response.status_code}"] += 1
                response.failure(str(response.status_code))
                return ""
            response.success()
            target = (response.headers or {}).get("Location", "")
            if response.status_code != 302 or not target or method == "POST":
                return response.text or ""
        return self.send(contributor, "GET", target)  # a redirect keeps no cookies of its own


def find(pattern: re.Pattern[str], page: str) -> str:
    """The first match, or an error with the page's beginning."""
    match = pattern.search(page)
    if match is None:
        failures["unexpected page"] += 1
        raise ValueError(f"not on the page: {pattern.pattern}: {page[:200]}")
    return match.group(1)


def note(key: str, start: float) -> None:
    """A judgment was acknowledged; one that began before everybody had a page is not measured."""
    end = time.monotonic()
    acknowledged.append(key)
    if clock.begin and start >= clock.begin:
        judged.append((end, end - start))


@events.quitting.add_listener
def write_results(**_: Any) -> None:
    """What all users together have seen."""
    spent = measure_processor(SITE_PID) - clock.processor_before
    seen = {
        "acknowledged": acknowledged,
        "judged": judged,
        "failures": failures,
        "processor": spent,
    }
    Path(os.environ["BENCH_RESULTS"]).write_text(json.dumps(seen))

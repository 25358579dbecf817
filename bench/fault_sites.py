"""A site whose processes are killed, and the people who go on judging there.

`django.setup()` has run before this module is imported.
"""

import os
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests
from django.db import connections

from arena.events.models import Event
from arena.people.models import User
from bench.sessions import make_sessions
from bench.sites import ROOT, wait_for
from tests.factories import make_enrollment
from tests.services import stop_process

UUID = re.compile(r'data-uuid="([0-9a-f-]{36})"')
KILLED = "was sent SIGKILL"  # in gunicorn's log
TIMEOUT_SECONDS = 60.0
ANSWERS = ("a2", "a1", "tie", "b1", "b2")


@dataclass
class WebSite:
    """Gunicorn alone, its code loaded before it forks."""

    url: str
    process: Any
    log: Path

    def stop(self) -> None:
        """End it; its port is free again."""
        stop_process(self.process)

    def workers(self) -> list[psutil.Process]:
        """The worker processes at this moment."""
        return psutil.Process(self.process.pid).children()

    def count_killed(self) -> int:
        """Workers that were killed so far, as gunicorn has noticed."""
        return self.log.read_text().count(KILLED)


def serve_web(services: Any, event: Event, workers: int, threads: int) -> WebSite:
    """Serve the site of `bench.failpoint_wsgi` with so many workers, each of so many threads."""
    log, address = services.folder / f"web-{event.slug}.log", f"127.0.0.1:{os.environ['PORT']}"
    command = [sys.executable, "-m", "gunicorn", "bench.failpoint_wsgi", "--preload"]
    command += ["--bind", address, "--log-level", "warning"]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "bench.failpoint_settings",  # gunicorn.conf.py reads them first
        "WEB_WORKERS": str(workers),
        "WEB_THREADS": str(threads),
        "BENCH_PAGE": f"/events/{event.slug}/judge/",
        "BENCH_SESSION": make_sessions([make_enrollment(event).user])[0],
    }
    process = services.start(command, log, cwd=ROOT, env=environment)
    site = WebSite(f"http://{address}", process, log)
    wait_for(f"{site.url}/health/", log)
    return site


class Contributor:
    """One contributor's browser at the judging pages."""

    def __init__(self, url: str, slug: str, enrollment: int, session: str) -> None:
        self.url, self.slug, self.enrollment = url, slug, enrollment
        self.browser = requests.Session()
        self.browser.cookies.set("sessionid", session)
        self.page = ""

    @property
    def uuid(self) -> str:
        """The assignment on the screen; empty where there is none."""
        found = UUID.search(self.page)
        return found.group(1) if found else ""

    def open(self) -> bool:
        """Ask for the next matchup; whether there was an answer."""
        return self.send("GET", f"/events/{self.slug}/judge/").status_code == 200

    def post(self, path: str, form: dict[str, str], failpoint: int | None = None) -> Any:
        """Post as the page's script does; what was replied."""
        headers = {"HX-Request": "true", "X-CSRFToken": self.browser.cookies.get("csrftoken", "")}
        if failpoint is not None:
            headers["X-Failpoint"] = str(failpoint)
        return self.send("POST", path, data=form, headers=headers)

    def send(self, method: str, path: str, **options: Any) -> Any:
        """One request; a reply with 200 becomes the page. Status 0: the connection was lost."""
        try:
            reply = self.browser.request(
                method, self.url + path, timeout=TIMEOUT_SECONDS, **options
            )
        except requests.RequestException:
            reply = requests.Response()
            reply.status_code = 0
        if reply.status_code == 200:
            self.page = reply.text
        return reply


@dataclass
class Acknowledged:
    """What contributors were told is saved: assignment → comment; and what they saw besides."""

    answers: dict[str, str] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)

    def answer(
        self, person: Contributor, preference: str, comment: str, failpoint: int | None = None
    ) -> Any:
        """Post an answer once; a reply with 200 acknowledges it."""
        uuid = person.uuid
        form = {"preference": preference, "comment": comment, "replaces": ""}
        reply = person.post(f"/judge/{uuid}/", form, failpoint)
        self.statuses[f"answer {reply.status_code}"] += 1
        if reply.status_code == 200:
            self.answers[uuid] = comment
        return reply

    def insist(
        self, person: Contributor, preference: str, comment: str, is_over: Callable[[], bool]
    ) -> bool:
        """Post the same answer until it is acknowledged, as the page does; whether it was."""
        wait = 0.1
        while not is_over():
            reply = self.answer(person, preference, comment)
            if reply.status_code == 200:
                return True
            time.sleep(float(reply.headers.get("Retry-After", wait)))
            wait = min(2 * wait, 2.0)
        return False


def sign_in(url: str, event: Event, count: int) -> list[Contributor]:
    """So many new contributors of the event, each with a session."""
    first = User.objects.count()
    names = (f"person-{first + number}" for number in range(count))
    users = User.objects.bulk_create(User(username=name, password="!") for name in names)
    enrollments = [make_enrollment(event, user) for user in users]
    pairs = zip(enrollments, make_sessions(users), strict=True)
    return [Contributor(url, event.slug, enrollment.pk, key) for enrollment, key in pairs]


@contextmanager
def at_work(act: Callable[[int], None], people: int) -> Iterator[None]:
    """So many threads run `act(number)` until it returns; an error in one is raised here."""
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            act(number)
        except BaseException as error:  # noqa: BLE001 - raised again where it is seen
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[number], daemon=True) for number in range(people)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]

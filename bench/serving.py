"""How the site serves a crowd: hundreds of contributors who judge at the same time.

    python -m bench.serving [--quick] [--people 200] [--think 5] [--seconds 180]

The real thing on this machine: gunicorn, a Celery worker with beat, PostgreSQL, Redis. Each
contributor joins by a click, reads the guidelines, and judges with think times drawn from an
exponential distribution. At the end the database is compared with what was acknowledged.
"""

# ruff: noqa: PLC0415 - Django is set up once the services it points at are running
import argparse
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    PORT = probe.getsockname()[1]
SITE = f"http://127.0.0.1:{PORT}"
SLUG = "load"
ANSWERS = ("a2", "a1", "tie", "b1", "b2")


@dataclass
class Tally:
    """What all contributors together have seen."""

    acknowledged: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> None:
    """Serve, judge, compare, print the goals."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="40 people for 20 seconds")
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--think", type=float, default=5.0, help="mean think time in seconds")
    parser.add_argument("--seconds", type=float, default=180.0)
    options = parser.parse_args()
    if options.quick:
        options.people, options.seconds = 40, 20.0
    from tests.services import Services

    services = Services("postgresql")
    try:
        services.start_postgresql()
        services.start_redis()
        os.environ.update(build_environment(services))
        prepare_event(options.people)
        serve(services)
        tally = run_crowd(options)
        report_results(tally, options)
    finally:
        services.stop()


def build_environment(services: Any) -> dict[str, str]:
    """Settings of a site like a deployed one, on plain HTTP."""
    settings = services.environment("postgres") | {
        "DEBUG": "0",
        "SECRET_KEY": "for-a-bench-on-this-machine-alone",
        "LOG_LEVEL": "WARNING",
        "PORT": str(PORT),
        "STATIC_ROOT": str(services.folder / "var" / "static"),
    }
    return {**os.environ, **settings}


def prepare_event(people: int) -> None:
    """The tables, and an open event with more to judge than this crowd can."""
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], cwd=ROOT, check=True)
    subprocess.run([*manage, "collectstatic", "-v0", "--no-input"], cwd=ROOT, check=True)
    import django

    django.setup()
    from django.utils import timezone

    from arena.events.joining.enrolling import provision_event_seats
    from arena.events.lifecycle.creation import NewEvent, create_event
    from arena.events.models import Event
    from arena.people.models import Seat, SeatPool
    from tests.factories import make_competitors, make_control, make_matchup

    plan = NewEvent(SLUG, "Load", "# Be fair", {"state": Event.State.OPEN, "overlap": 3})
    event = create_event(plan, organizer=None)
    models = make_competitors(event, 8)
    for number in range(max(1_000, people * 20)):
        make_matchup(event, [models[number % 8], models[(number + 1 + number // 8 % 7) % 8]])
    for _ in range(60):
        make_control(event)
    provision_event_seats(event, people, Seat.Kind.OPEN, timezone.now())
    SeatPool.objects.update(claims_per_network=people)


def serve(services: Any) -> None:
    """Web server, workers and beat, as `make run` starts them."""
    services.start([sys.executable, "serve.py"], services.folder / "serve.log", cwd=ROOT)
    for _ in range(120):
        try:
            if requests.get(f"{SITE}/health/", timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.5)
    raise SystemExit((services.folder / "serve.log").read_text()[-3000:])


def run_crowd(options: argparse.Namespace) -> Tally:
    """Everybody joins within the first seconds and judges until the time is over."""
    tally, end = Tally(), time.monotonic() + options.seconds
    crowd = [
        threading.Thread(target=contribute, args=(number, options.think, end, tally))
        for number in range(options.people)
    ]
    for thread in crowd:
        thread.start()
        time.sleep(min(0.05, 10 / options.people))
    for thread in crowd:
        thread.join()
    return tally


def contribute(number: int, think: float, end: float, tally: Tally) -> None:
    """One contributor, from the link to the last judgment."""
    rng, browser = Random(number), requests.Session()
    try:
        page = join(browser, tally)
        while time.monotonic() < end:
            time.sleep(rng.expovariate(1 / think))
            page = judge(browser, page, rng.choice(ANSWERS), tally)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure of this run
        with tally.lock:
            tally.failures[f"{type(error).__name__}: {error}"[:100]] += 1


def join(browser: requests.Session, tally: Tally) -> str:
    """Accept, save the code, read the guidelines: the first matchup's page."""
    page = request_page(browser, "GET", f"{SITE}/events/{SLUG}/join/", tally)
    form = {"accept": "yes", "version": "1", "csrfmiddlewaretoken": csrf_token(page)}
    page = request_page(browser, "POST", f"{SITE}/events/{SLUG}/join/", tally, form)
    page = request_page(browser, "GET", f"{SITE}/events/{SLUG}/guidelines/", tally)
    form = {"version": "1", "csrfmiddlewaretoken": csrf_token(page)}
    return request_page(browser, "POST", f"{SITE}/events/{SLUG}/guidelines/", tally, form)


def judge(browser: requests.Session, page: str, answer: str, tally: Tally) -> str:
    """Submit the answer to the matchup on this page as htmx would; the next one."""
    uuid = find_match(r'data-uuid="([0-9a-f-]{36})"', page)
    headers = {"HX-Request": "true", "X-CSRFToken": browser.cookies["csrftoken"]}
    form = {"preference": answer, "comment": ""}
    start = time.monotonic()
    reply = request_page(browser, "POST", f"{SITE}/judge/{uuid}/", tally, form, headers)
    with tally.lock:
        tally.seconds.append(time.monotonic() - start)
        tally.acknowledged.append(uuid)
    return reply


def request_page(
    browser: requests.Session,
    method: str,
    url: str,
    tally: Tally,
    form: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> str:
    """One request; anything but a success ends this contributor."""
    response = browser.request(method, url, data=form, headers=headers, timeout=60)
    with tally.lock:
        tally.statuses[response.status_code] += 1
    response.raise_for_status()
    return response.text


def csrf_token(page: str) -> str:
    """The form's CSRF token."""
    return find_match(r'name="csrfmiddlewaretoken"\s+value="([^"]+)"', page)


def find_match(pattern: str, page: str) -> str:
    """The first match, or an error with the page's beginning."""
    match = re.search(pattern, page)
    if match is None:
        raise ValueError(f"not on the page: {pattern}: {page[:200]}")
    return match.group(1)


def report_results(tally: Tally, options: argparse.Namespace) -> None:
    """What was acknowledged is there, once; then the goals."""
    from arena.judging.models import Assignment, Judgment
    from arena.people.models import Seat

    stored = Counter(
        str(uuid) for uuid in Judgment.objects.standing().values_list("assignment__uuid", flat=True)
    )
    lost = [uuid for uuid in tally.acknowledged if stored[uuid] != 1]
    errors = sum(count for status, count in tally.statuses.items() if status >= 500)
    print(f"{options.people} contributors, mean think time {options.think:g} s")
    print(f"{len(tally.acknowledged)} judgments acknowledged, {sum(stored.values())} stored")
    print(f"statuses {dict(tally.statuses)}, failures {dict(tally.failures)}")
    if len(tally.seconds) > 1:
        p95 = quantiles(tally.seconds, n=20)[-1]
        print(f"submission to next matchup: median {median(tally.seconds):.3f} s, p95 {p95:.3f} s")
    print(f"seats taken {Seat.objects.exclude(claimed_at=None).count()}")
    over = Assignment.objects.filter(matchup__role="ordinary", state="done").values("matchup")
    most = max(Counter(row["matchup"] for row in over).values(), default=0)
    print_goal("serving_server_errors", errors, 0)
    print_goal("serving_failed_contributors", sum(tally.failures.values()), 0)
    print_goal("serving_lost_or_doubled", len(lost), 0)
    print_goal("serving_most_judgments_of_a_matchup", most, 3)


def print_goal(name: str, value: float, most: float) -> None:
    """Whether a figure is within its goal."""
    print(f"goal {name} {value:g} {most:g} {'ok' if value <= most else 'short'}", flush=True)


if __name__ == "__main__":
    main()

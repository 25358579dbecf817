"""What hostile files do to everybody else: a site of real processes, people who judge, attackers.

    python -m bench.hostile [--quick] [--only NAME] [--no-budgets]

Some people judge in one event, each once a second. Then fresh accounts upload one of twelve hostile
files (`bench.hostile_inputs`) into events of their own by the import page, import what it offers,
and look at its preview again and again; contributors of theirs open what they are to judge, eight
times at once, both as often as the rates allow. A first file is harmless, to tell what is hostile
from what is many. Measured are the others' p95, before or after an attack (the lower) and while it
lasts; how long the latest snapshot of their event lags behind the oldest judgment that it lacks;
and the memory of all processes of the site, the database included.

`--no-budgets` serves with `bench.hostile_settings` instead, to see what this finds.
"""

# ruff: noqa: PLC0415 - Django is set up once the services it points at are running
import argparse
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil
import requests

from bench.goals import print_goal
from bench.hostile_inputs import INPUTS
from bench.sites import (
    ROOT,
    SLUG,
    WARM_UP_SECONDS,
    Site,
    build_environment,
    find_free_port,
    serve_product,
)

PEOPLE, EVERY_SECONDS, TIMEOUT = 6, 1.0, 60
# Thirty previews a minute.
POLL_SECONDS = 2.0
# Eight at once, with a redirect each, so often: 120 looks a minute.
LOOKS, LOOK_SECONDS = 8, 8.0
MAX_RATIO, MAX_LAG_SECONDS = 2.0, 15.0
# What the processes take together at rest, 1.2 GB, and as much again for all that is in hand: eight
# pages of 12 MB in a few copies, a batch of an import, and a rendering process that may have 1 GB.
MAX_MEGABYTES = 2_400
MAX_WAIT_SECONDS = 180
WATCH_SECONDS = 2.0
# Fewer than so many say nothing of a time.
MIN_JUDGMENTS = 5
UUID = re.compile(r'data-uuid="([0-9a-f-]{36})"')


@dataclass(frozen=True)
class Scale:
    """Seconds of rest and of attack, and the share of each file's full size."""

    rest: float
    attack: float
    share: float


FULL, QUICK = Scale(15, 30, 1.0), Scale(1.5, 2.5, 0.05)


@dataclass
class Watch:
    """What is seen of the site all the time, with the time at which it was."""

    judged: list[tuple[float, float]] = field(default_factory=list)
    lags: list[tuple[float, float]] = field(default_factory=list)
    megabytes: list[tuple[float, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def p95(self, since: float, until: float) -> float:
        """Of judgments that were due in this time, in seconds."""
        took = [seconds for due, seconds in self.judged if since <= due < until]
        if len(took) < MIN_JUDGMENTS:
            raise SystemExit(f"only {len(took)} judgments; failures: {self.failures[:5]}")
        return quantiles(took, n=20, method="inclusive")[-1]


def main() -> None:
    """Serve, judge, attack, print the goals."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small files, seconds each")
    parser.add_argument("--only", choices=list(INPUTS), action="append", help="this file")
    parser.add_argument("--no-budgets", action="store_true", help="what would be without them")
    options = parser.parse_args()
    from tests.services import Services

    services = Services("postgresql")
    try:
        services.start_postgresql(durable=True)
        services.start_redis()
        measure(services, options)
    finally:
        services.stop()


def measure(services: Any, options: argparse.Namespace) -> None:
    """One input after the other."""
    os.environ.update(build_environment(services, find_free_port(), "postgres"))
    if options.no_budgets:
        os.environ["DJANGO_SETTINGS_MODULE"] = "bench.hostile_settings"
    scale = QUICK if options.quick else FULL
    users = prepare()
    site = serve_product(services, users, int(os.environ["PORT"]))
    watch, stop = Watch(), threading.Event()
    crowd = [
        threading.Thread(target=judge_steadily, args=(site.url, user, watch, stop))
        for user in users[:PEOPLE]
    ]
    crowd.append(threading.Thread(target=keep_watch, args=(services, watch, stop)))
    with running(crowd, stop):
        wait_while(lambda: measure_lag() > MAX_LAG_SECONDS)  # no snapshot is there yet
        time.sleep(WARM_UP_SECONDS)
        print(f"{'input':<10}{'rest p95 ms':>12}{'p95 ms':>9}{'ratio':>7}{'lag s':>7}{'MB':>7}")
        for name in options.only or INPUTS:
            attack_once(services, site, watch, name, scale)
    print_goal("hostile_failed_judgments", len(watch.failures), 0)
    for words in sorted(set(watch.failures))[:5]:
        print(words)


def prepare() -> list[Any]:
    """The tables, an event that is being judged, and its contributors."""
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True)
    collect = [sys.executable, "manage.py", "collectstatic", "-v0", "--no-input"]
    subprocess.run(collect, cwd=ROOT, check=True)
    import django

    django.setup()
    from arena.people.models import User
    from bench.campaign import Campaign, make_campaign

    make_campaign(SLUG, Campaign(3_000, 20, 20_000, 700, controls=600))
    return list(User.objects.order_by("pk")[:PEOPLE])


# --- everybody else ---------------------------------------------------------------------------


class Browser:
    """Somebody who has signed in."""

    def __init__(self, url: str, user: Any) -> None:
        from django.conf import settings

        from bench.sessions import make_sessions

        self.url, self.session = url, requests.Session()
        self.session.cookies[settings.SESSION_COOKIE_NAME] = make_sessions([user])[0]

    def open(self, path: str) -> requests.Response:
        return self.session.get(f"{self.url}{path}", timeout=TIMEOUT)

    def send(self, path: str, **what: Any) -> requests.Response:
        """A form, with the token of the last page."""
        headers = {"X-CSRFToken": self.session.cookies.get("csrftoken") or ""}
        headers |= what.pop("headers", {})
        return self.session.post(f"{self.url}{path}", headers=headers, timeout=10 * TIMEOUT, **what)


def judge_steadily(url: str, user: Any, watch: Watch, stop: threading.Event) -> None:
    """Judge once a second, or as soon as the site lets one."""
    browser, page = Browser(url, user), ""
    due = time.monotonic() + EVERY_SECONDS * (user.pk % PEOPLE) / PEOPLE
    while not stop.wait(max(0.0, due - time.monotonic())):
        try:
            if not (match := UUID.search(page)):
                page = browser.open(f"/events/{SLUG}/judge/").text
                match, due = UUID.search(page), time.monotonic()
            assert match, f"no matchup on the page: {page[:200]}"
            answer = browser.send(
                f"/judge/{match[1]}/",
                data={"preference": "a1", "comment": ""},
                headers={"HX-Request": "true"},
            )
            assert answer.status_code == 200, f"{answer.status_code}: {answer.text[:200]}"
            page = answer.text
        except (requests.RequestException, AssertionError) as error:
            watch.failures.append(f"{type(error).__name__}: {error}"[:300])
            page = ""
        watch.judged.append((due, time.monotonic() - due))
        due = max(due + EVERY_SECONDS, time.monotonic())


def keep_watch(services: Any, watch: Watch, stop: threading.Event) -> None:
    """Now and then: the lag and the memory."""
    while not stop.wait(WATCH_SECONDS):
        watch.lags.append((time.monotonic(), measure_lag()))
        watch.megabytes.append((time.monotonic(), measure_memory(services)))


def measure_lag() -> float:
    """Seconds since the oldest judgment that the latest snapshot lacks; 0 if it lacks none."""
    from django.db.models import Min, Q
    from django.utils import timezone

    from arena.judging.models import Judgment
    from leaderboard.models import Snapshot

    latest = Snapshot.objects.filter(event__slug=SLUG).order_by("-id").first()
    lacking = Q(ledger_seq=None) | Q(ledger_seq__gt=latest.ledger_seq if latest else 0)
    judgments = Judgment.objects.filter(lacking, event__slug=SLUG, origin="screen")
    oldest = judgments.aggregate(oldest=Min("judged_at"))["oldest"]
    return (timezone.now() - oldest).total_seconds() if oldest else 0.0


def measure_memory(services: Any) -> float:
    """Megabytes of every process of the site, shared pages divided among them."""
    total = 0.0
    for started in services.processes:
        try:
            family = psutil.Process(started.pid)
            for one in (family, *family.children(recursive=True)):
                total += one.memory_full_info().pss
        except psutil.NoSuchProcess:  # it has just ended
            continue
    return total / 1e6


@contextmanager
def running(threads: list[threading.Thread], stop: threading.Event) -> Iterator[None]:
    """These threads run while the body does."""
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


# --- the attackers ----------------------------------------------------------------------------


def attack_once(services: Any, site: Site, watch: Watch, name: str, scale: Scale) -> None:
    """Rest, one attack until its imports have come to their end, rest; the three figures."""
    files = INPUTS[name](services.folder, scale.share)
    attacks = [make_attack(file) for file in files]
    stop = threading.Event()
    threads = [
        threading.Thread(target=target, args=(site.url, file, slug, user, stop))
        for file, slug, users in attacks
        for target, user in zip((upload_and_watch, look_again), users, strict=True)
    ]
    before = time.monotonic()
    time.sleep(scale.rest)
    begin = time.monotonic()
    with running(threads, stop):
        time.sleep(scale.attack)
    end = time.monotonic()
    settle([slug for _file, slug, _users in attacks])
    settled = time.monotonic()
    time.sleep(scale.rest)
    after = time.monotonic()
    # What lingers after an attack is no rest; nor is what somebody else does on this machine.
    rest = min(watch.p95(before, begin), watch.p95(settled, after))
    report(name, watch, rest, begin, end, settled)
    for file in files:
        file.unlink()


def report(name: str, watch: Watch, rest: float, begin: float, end: float, settled: float) -> None:
    """One row and its goals."""
    p95 = watch.p95(begin, end)
    lag = max((each for at, each in watch.lags if begin <= at < settled), default=0.0)
    megabytes = max((each for at, each in watch.megabytes if begin <= at < settled), default=0.0)
    ratio = p95 / rest
    print(
        f"{name:<10}{1000 * rest:>12.0f}{1000 * p95:>9.0f}{ratio:>7.2f}"
        f"{lag:>7.1f}{megabytes:>7.0f}",
        flush=True,
    )
    print_goal(f"hostile_{name}_p95_ratio", ratio, MAX_RATIO)
    print_goal(f"hostile_{name}_lag_seconds", lag, MAX_LAG_SECONDS)
    print_goal(f"hostile_{name}_megabytes", megabytes, MAX_MEGABYTES)


def make_attack(file: Path) -> tuple[Path, str, tuple[Any, Any]]:
    """A file, a new event for it, and its organizer and contributor."""
    from tests.factories import make_enrollment, make_event, make_user

    slug = f"hostile-{file.name.split('.')[0]}"
    organizer, contributor = make_user(), make_user()
    event = make_event(slug, organizer=organizer, overlap=5)
    make_enrollment(event, contributor)
    return file, slug, (organizer, contributor)


def upload_and_watch(url: str, file: Path, slug: str, user: Any, stop: threading.Event) -> None:
    """Import the file by its pages, whatever they doubt, and keep its page open."""
    from arena.events.importing.checking.doubts import DOUBT_KINDS

    browser = Browser(url, user)

    def upload() -> str:
        browser.open(f"/events/{slug}/import/")
        with file.open("rb") as opened:
            page = browser.send(f"/events/{slug}/import/", files={"file": (file.name, opened)})
        path = page.url.removeprefix(url)
        browser.send(path, data={"accept": list(DOUBT_KINDS), "skip": "1"})
        return path

    path = attempt(upload)
    while path and not stop.wait(POLL_SECONDS):
        attempt(lambda: browser.open(path))
        attempt(lambda: browser.open(f"{path}?edit=1"))


def look_again(url: str, _file: Path, slug: str, user: Any, stop: threading.Event) -> None:
    """Open what is to be judged, eight times at once, again and again."""
    browsers = [Browser(url, user) for _ in range(LOOKS)]
    while not stop.is_set():
        begun = time.monotonic()
        looks = [
            threading.Thread(target=attempt, args=(open_judging, browser, slug))
            for browser in browsers
        ]
        with running(looks, threading.Event()):
            pass
        stop.wait(max(0.0, begun + LOOK_SECONDS - time.monotonic()))


def open_judging(browser: Browser, slug: str) -> None:
    browser.open(f"/events/{slug}/judge/")


def attempt(what: Callable[..., Any], *args: Any) -> Any:
    """Attackers do not mind what becomes of their requests."""
    try:
        return what(*args)
    except requests.RequestException:
        return None


def settle(slugs: list[str]) -> None:
    """Wait until the imports of these events have ended and their texts are rendered."""
    from arena.events.models import Event, ImportJob, Record
    from arena.events.rendering import unrendered

    events = Event.objects.filter(slug__in=slugs)
    busy = (ImportJob.State.QUEUED, *ImportJob.UNDER_WAY)
    wait_while(
        lambda: (
            ImportJob.objects.filter(event__in=events, state__in=busy).exists()
            or unrendered(Record.objects.filter(event__in=events)).exists()
        )
    )


def wait_while(is_so: Callable[[], bool]) -> None:
    """Return once this is no longer so, or after a few minutes."""
    until = time.monotonic() + MAX_WAIT_SECONDS
    while time.monotonic() < until and is_so():
        time.sleep(0.5)


if __name__ == "__main__":
    main()

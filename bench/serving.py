"""How the site serves people who judge at the same time, beside a bare Django pair.

    python -m bench.serving [--quick] [--database postgresql] [--seconds 30] [--crowd 500]

The real thing on this machine: gunicorn, Celery workers and beat, PostgreSQL, Redis, as `make run`
starts them, and 1 to 64 people at once by Locust on the same cores. The bare pair (`bench.bare`) is
measured in the same run. Then a crowd with exponential think times that offers 70% of what was
reached at 32. At the end the database is compared with what was acknowledged.

`python -m bench.growth` measures how the next matchup's cost grows.
"""

# ruff: noqa: PLC0415 - Django is set up once the services it points at are running
import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from bench.goals import print_goal
from bench.sites import (
    ROOT,
    SLUG,
    Run,
    Site,
    build_environment,
    find_free_port,
    run_load,
    serve_bare,
    serve_product,
)

PEOPLE = (1, 8, 32, 64)
MIN_RATIO, MAX_TAIL, MAX_CROWD_TAIL_SECONDS = 0.6, 2.5, 2.0
OFFERED_SHARE = 0.7
# Contributors among whom those at work take turns: enough to stay below every rate limit.
POOL = 640


@dataclass(frozen=True)
class Scale:
    """How large the event is, and how long is measured."""

    matchups: int
    overlap: int
    judgments: int
    contributors: int
    seconds: float
    crowd: int
    crowd_seconds: float


FULL = Scale(100_000, 20, 1_000_000, 10_000, 30, 500, 300)
QUICK = Scale(3_000, 20, 20_000, 700, 8, 60, 15)


def main() -> None:
    """Serve both, judge, compare, print the goals."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a small event, a few seconds each")
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--seconds", type=float, help="for each number of people")
    parser.add_argument("--crowd", type=int, help="people with think times")
    options = parser.parse_args()
    scale = QUICK if options.quick else FULL
    from tests.services import Services

    services = Services(options.database)
    try:
        if options.database == "postgresql":
            services.start_postgresql(durable=True)
        services.start_redis()
        measure(services, scale, options)
    finally:
        services.stop()


def measure(services: Any, scale: Scale, options: argparse.Namespace) -> None:
    """Prepare and serve both sites, and measure one after the other at each number of people."""
    port = find_free_port()
    database = "postgres" if services.database == "postgresql" else "arena"
    os.environ.update(build_environment(services, port, database))
    users = prepare_product(scale, services.database)
    seconds = options.seconds or scale.seconds
    product = serve_product(services, users, port)
    bare = serve_bare(services, max(10_000, int(1_000 * seconds)), POOL)
    wait_for_board()
    rows = {
        people: (run(product, people, seconds), run(bare, people, seconds)) for people in PEOPLE
    }
    for people in (8, 32):
        ours, theirs = rows[people]
        ratio = ours.per_second / theirs.per_second
        print_goal(f"serving_ratio_at_{people}", ratio, MIN_RATIO, at_least=True)
        tail = ours.p95 / ours.p50
        if services.database == "postgresql":
            print_goal(f"serving_tail_at_{people}", tail, MAX_TAIL)
        else:  # whoever waits for the one writer waits at either site
            print(f"p95/p50 at {people}: {tail:.2f}, of the pair {theirs.p95 / theirs.p50:.2f}")
    measure_crowd(product, rows[32][0], options.crowd or scale.crowd, scale)
    report_statements(product)
    compare(product, scale)


def wait_for_board() -> None:
    """Return when the judgments that were filled in are sealed and on the board: that backlog is
    the filling's and not a site's."""
    from django.db.models import Max

    from arena.judging.models import Judgment
    from leaderboard.models import Snapshot

    started = time.monotonic()
    while Judgment.objects.filter(ledger_seq=None).exists():
        time.sleep(2)
    head = Judgment.objects.aggregate(head=Max("ledger_seq"))["head"]
    while head is not None and not Snapshot.objects.filter(ledger_seq=head).exists():
        time.sleep(2)
    print(f"sealed and on the board in {time.monotonic() - started:.0f} s", flush=True)


def run(site: Site, people: int, seconds: float, think: float = 0.0) -> Run:
    """Measure and print one row."""
    if not think and people == PEOPLE[0]:
        columns = ("site", "people", "judged/s", "p50 ms", "p95", "p99", "cpu ms", "MB")
        print(("{:<9}" + "{:>9}" * 7).format(*columns))
    seen = run_load(site, people, seconds, think)
    times = [1000 * each for each in (seen.p50, seen.p95, seen.p99)]
    print(
        f"{site.name:<9}{people:>9}{seen.per_second:>9.1f}"
        + "".join(f"{each:>9.1f}" for each in times)
        + f"{seen.processor_ms:>9.1f}{seen.megabytes:>9.0f}",
        flush=True,
    )
    if seen.failures:
        print(f"failures: {seen.failures}")
    print_goal(f"serving_failures_{site.name}_at_{people}", sum(seen.failures.values()), 0)
    return seen


def measure_crowd(site: Site, reached: Run, people: int, scale: Scale) -> None:
    """Many people with think times, who together offer a share of what was reached at 32."""
    people = min(people, POOL)
    think = max(people / (OFFERED_SHARE * reached.per_second), 0.1)
    print(f"a crowd of {people} that thinks {think:.1f} s on average")
    seen = run(site, people, scale.crowd_seconds, think)
    print_goal("serving_crowd_p999_seconds", seen.p999, MAX_CROWD_TAIL_SECONDS)


def prepare_product(scale: Scale, database: str) -> list[Any]:
    """The tables, an event that is being judged, and those of its contributors who sign in."""
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], cwd=ROOT, check=True)
    subprocess.run([*manage, "collectstatic", "-v0", "--no-input"], cwd=ROOT, check=True)
    import django

    django.setup()
    from arena.people.models import User

    if database == "postgresql":
        from bench.campaign import Campaign, make_campaign

        size = (scale.matchups, scale.overlap, scale.judgments, scale.contributors)
        make_campaign(SLUG, Campaign(*size, controls=scale.matchups // 5))
    else:
        fill_small(scale)
    return list(User.objects.order_by("pk")[:POOL])


def fill_small(scale: Scale) -> None:
    """An event that nobody has judged yet, on any database."""
    from arena.people.models import User
    from tests.factories import (
        make_competitors,
        make_control,
        make_enrollment,
        make_event,
        make_matchup,
    )

    event = make_event(SLUG, overlap=scale.overlap)
    models = make_competitors(event, 8)
    for number in range(min(scale.matchups, 2_000)):
        make_matchup(event, [models[number % 8], models[(number + 1) % 8]])
    for _ in range(300):
        make_control(event)
    people = [User(username=f"person-{number}", password="!") for number in range(POOL)]
    for user in User.objects.bulk_create(people):
        make_enrollment(event, user)


def report_statements(site: Site) -> None:
    """The statements of a submission with the next matchup, chunks that are built included; BEGIN
    and COMMIT apart."""
    import json

    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client()
    keys = json.loads(site.sessions.read_text())
    client.cookies[settings.SESSION_COOKIE_NAME] = keys[-1]
    page = client.get(f"/events/{SLUG}/judge/", follow=True, headers={"host": "127.0.0.1"})
    counts = []
    for _ in range(20):
        uuid = page.content.decode().split('data-uuid="')[1][:36]
        with CaptureQueriesContext(connection) as queries:
            page = client.post(
                f"/judge/{uuid}/",
                {"preference": "a1", "comment": ""},
                headers={"hx-request": "true", "host": "127.0.0.1"},
            )
        site.acknowledged.append(uuid)
        counts.append(sum(query["sql"] not in ("BEGIN", "COMMIT") for query in queries))
    usual = Counter(counts).most_common(1)[0][0]
    print(f"statements a judgment: {usual} mostly, {sum(counts) / len(counts):.1f} on average")


def compare(site: Site, scale: Scale) -> None:
    """What was acknowledged is there, once, and no matchup has too many."""
    from django.db.models import Count

    from arena.judging.models import Assignment, Judgment

    keys = site.acknowledged
    stored: Counter[str] = Counter()
    for first in range(0, len(keys), 500):
        some = Judgment.objects.filter(assignment__uuid__in=keys[first : first + 500])
        stored.update(str(uuid) for uuid in some.values_list("assignment__uuid", flat=True))
    print(f"{len(keys)} judgments acknowledged")
    print_goal("serving_lost_or_doubled", sum(stored[key] != 1 for key in keys), 0)
    done = Assignment.objects.filter(matchup__role="ordinary", state="done")
    most = done.values("matchup").annotate(count=Count("pk")).order_by("-count").first()
    print_goal("serving_most_judgments_of_a_matchup", most["count"] if most else 0, scale.overlap)


if __name__ == "__main__":
    main()

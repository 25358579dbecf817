"""A site of real processes: what its probes and figures say while parts of it go and come back."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import Popen

import pytest
from django.conf import settings
from django.db import connection, connections

from arena import celery_app
from tests.monitoring.site import TOKEN, Site, children_of, command_line
from tests.services import Services, stop_process, wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        settings.DATABASES["default"]["ENGINE"] != "arena.postgresql", reason="stops a server"
    ),
]
VISITS = 40


class Served(Site):
    """Gunicorn and beat."""

    web: Popen[bytes]
    beat: Popen[bytes]


@pytest.fixture(scope="module")
def site(django_db_setup: None, services: Services) -> Iterator[Served]:
    """A site on the tests' database, in which nothing is written but the probe's own row."""
    site = Served(services, Path(connection.settings_dict["NAME"]).name, "probed")
    site.web = site.start("gunicorn", "arena.wsgi", "--bind", f"127.0.0.1:{site.port}")
    site.beat = site.start("celery", "--quiet", "-A", "arena", "beat")
    wait_until(lambda: site.status("/livez") == 200, site.web, site.log)
    wait_until(lambda: site.is_settled(200), site.web, site.log)
    yield site
    for process in (site.web, site.beat):
        services.processes.remove(process)
        stop_process(process)


def visit(site: Served) -> None:
    """So many people look at the first page, side by side."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: site.get("/", Host="127.0.0.1"), range(VISITS)))


def test_probes_answer_whatever_name_they_are_asked_by(site: Served) -> None:
    for path in ("/livez", "/health/", "/readyz"):
        answer = site.get(path)
        assert (answer.status_code, answer.text) == (200, "ok")
        assert answer.headers["Cache-Control"] == "no-store"
    assert site.get("/").status_code == 400  # the site's own pages have a name


def test_figures_are_the_sum_of_all_workers_and_outlive_them(site: Served) -> None:
    visit(site)
    name = 'arena_request_seconds_count{view="home"}'
    assert site.figures()[name] == VISITS
    (folder,) = Path("/dev/shm").glob(f"arena-metrics-{site.web.pid}-*")
    wrote = sorted(file.name for file in folder.glob("histogram_*"))
    assert wrote == ["histogram_0.db", "histogram_1.db"]
    killed, _ = children_of(site.web)
    killed.kill()
    wait_until(lambda: len(children_of(site.web)) == 2, site.web)
    visit(site)
    assert site.figures()[name] == 2 * VISITS
    assert sorted(file.name for file in folder.glob("histogram_*")) == wrote
    assert "was sent SIGKILL" in site.errors()


def test_figures_are_for_whoever_has_the_token(site: Served) -> None:
    other = site.get("/metrics", Host="127.0.0.1")
    assert other.status_code == site.get("/no/such/", Host="127.0.0.1").status_code == 404
    wrong = site.get("/metrics", Host="127.0.0.1", Authorization=f"Bearer {TOKEN}x")
    assert wrong.status_code == 404
    assert site.figures()["arena_judgments_total"] == 0
    assert site.figures()['arena_figures_missing{part="messages"}'] == 0


def test_a_database_that_is_away_is_told_and_its_return_too(
    site: Served, services: Services
) -> None:
    connections.close_all()
    services.stop_postgresql_at_once()
    try:
        wait_until(lambda: site.tells("database_problem"), site.web, site.log)
        answer = site.get("/readyz")
        assert (answer.text, answer.headers["Retry-After"]) == ("not ready", "5")
        assert site.status("/livez") == 200
        assert site.figures()['arena_figures_missing{part="judgments"}'] == 1
    finally:
        services.serve_postgresql()
    wait_until(lambda: site.is_settled(200), site.web, site.log)
    assert "not ready" in site.errors()
    assert "database_problem" in site.errors()


def test_a_broker_that_is_away_is_told_and_its_return_too(site: Served, services: Services) -> None:
    (server,) = [one for one in services.processes if str(services.redis_port) in one.args]
    services.processes.remove(server)
    stop_process(server)
    try:
        wait_until(lambda: site.tells("broker_problem"), site.web, site.log)
        assert site.status("/livez") == 200
    finally:
        services.start_redis()
        celery_app._after_fork()  # this process's own connections are gone, too
    wait_until(lambda: site.is_settled(200), site.web, site.log)
    assert "broker_problem" in site.errors()


def test_a_beat_that_stands_still_is_told(site: Served) -> None:
    site.beat.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: site.is_settled(503), site.web, site.log)
    finally:
        site.beat.send_signal(signal.SIGCONT)
    wait_until(lambda: site.is_settled(200), site.web, site.log)


def test_the_containers_check_knows_these_processes(site: Served, health: object) -> None:
    assert health.find_check(command_line(site.web)) is health.web  # type: ignore[attr-defined]
    assert health.find_check(command_line(site.beat)) is health.beat  # type: ignore[attr-defined]


def test_every_line_is_json(site: Served) -> None:
    """After all of the above."""
    assert {event["level"] for event in site.events()} > {"error"}

"""Sites to walk on: embedded (SQLite, files as broker) and at full size (PostgreSQL and Redis)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browsing import DESKTOP, SECONDS, Watch
from tests.served.reach import Reached, list_site
from tests.served.site import Site
from tests.services import Services

KINDS = ("embedded", "PostgreSQL and Redis")
OpenPage = Callable[..., Page]


class Tally:
    """What has been reached on all sites of this run, and all that there is."""

    def __init__(self) -> None:
        self.reached, self.there = Reached(), Reached()

    def add(self, site: Site) -> None:
        """Count in what has been reached on a site."""
        reached, self.there = list_site(site)
        self.reached.pages |= reached.pages
        self.reached.commands |= reached.commands
        self.reached.tasks |= reached.tasks


@pytest.fixture(scope="session")
def tally() -> Tally:
    """The tally of this run."""
    return Tally()


@pytest.fixture
def embedded_site(tmp_path: Path, tally: Tally) -> Iterator[Site]:
    """A site without any service."""
    yield from served(Site(tmp_path, REDIS_URL="", DATABASE_URL=sqlite_in(tmp_path)), tally)


@pytest.fixture(params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path: Path, tally: Tally) -> Iterator[Site]:
    """A site of each kind, empty and stopped; it is stopped again after the test."""
    if request.param == "embedded":
        yield from served(Site(tmp_path, REDIS_URL="", DATABASE_URL=sqlite_in(tmp_path)), tally)
        return
    services = Services("postgresql")
    try:
        services.start_redis()
        services.start_postgresql()
        socket = str(services.folder / "postgresql")
        with psycopg.connect(
            host=socket, port=services.postgresql_port, user="arena", dbname="postgres"
        ) as connection:
            connection.autocommit = True
            connection.execute("CREATE DATABASE arena")
        database = services.database_url("arena")
        yield from served(
            Site(tmp_path, REDIS_URL=services.redis_url, DATABASE_URL=database), tally
        )
    finally:
        services.stop()


def sqlite_in(folder: Path) -> str:
    """The database that is taken where none is named."""
    return f"sqlite:///{folder / 'var' / 'arena.sqlite3'}"


def served(site: Site, tally: Tally) -> Iterator[Site]:
    """The site while the test lasts; nothing may have gone wrong in its processes."""
    try:
        yield site
        if site.process is not None:
            tally.add(site)
        assert site.trouble() == []
    finally:
        site.stop()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[[Site], Page]]:
    """Open a page of a site in a new, signed-out profile; what goes wrong on it fails the test."""
    contexts: list[BrowserContext] = []
    watches: list[Watch] = []

    def open_(site: Site, **options: Any) -> Page:
        options = {**DESKTOP, "locale": "en-US", "timezone_id": "UTC", **options}
        context = browser.new_context(base_url=site.url, **options)
        context.set_default_timeout(SECONDS * 1000)
        watch = Watch(site.url.partition("://")[2])
        watch.attach(context)
        contexts.append(context)
        watches.append(watch)
        return context.new_page()

    yield open_
    for context in contexts:
        context.close()
    problems = [problem for watch in watches for problem in watch.verdict()]
    assert not problems, "\n".join(problems)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is left over is counted after everything else here."""
    items.sort(key=lambda item: item.path.name == "test_reach.py")

"""Fixtures for every test. The services behind them are in services.py."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import redis
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.utils import timezone

from leaderboard.votes.known_contents import remembered
from tests.pooler import start_pooler, stop_pooler
from tests.services import ROOT, Services
from tests.workers import stop_started, wait_for_workers

# The same hash with the least work: hundreds of tests make users with passwords.
Argon2PasswordHasher.time_cost = 1
Argon2PasswordHasher.memory_cost = 8
Argon2PasswordHasher.parallelism = 1


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: Services) -> None:
    """Start PostgreSQL, or make the SQLite test database a file, which threads can share."""
    if services.database == "postgresql":
        services.start_postgresql()
    else:
        connection.settings_dict["TEST"]["NAME"] = str(services.folder / "test_arena")


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_setup: None, services: Services
) -> Iterator[None]:
    """Go through the pooler, if one is wanted, once the database has been made; it is dropped
    without it."""
    if not request.config.getoption("--pooler"):
        yield
        return
    direct = {name: connection.settings_dict[name] for name in ("HOST", "PORT")}
    connection.close()
    connection.settings_dict["OPTIONS"] = {"prepare_threshold": None}
    connection.settings_dict |= {"HOST": "127.0.0.1", "PORT": str(start_pooler(services))}
    yield
    connection.close()
    stop_pooler(services)
    connection.settings_dict |= direct


@pytest.fixture(scope="session", autouse=True)
def emptied_tables() -> None:
    """Let SQLite's tables be emptied after a test: where rows are kept for ever, triggers refuse
    DELETE, which is how Django empties a table there (on PostgreSQL it truncates it)."""
    operations = DatabaseWrapper.ops_class
    empty = operations.execute_sql_flush

    def empty_without_triggers(self: Any, statements: list[str]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = dict(cursor.fetchall())
            for name in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            empty(self, statements)
            for statement in triggers.values():
                cursor.execute(statement)

    operations.execute_sql_flush = empty_without_triggers


@pytest.fixture(scope="session")
def migrated(django_db_setup: None, services: Services) -> Path:
    """An SQLite file with every table and no row, to be copied by whoever starts a site of its
    own: migrating anew takes as long as all else that such a test does."""
    if services.database != "sqlite":
        pytest.skip("it is a copy of the tests' own SQLite file")
    path = services.folder / "migrated.sqlite3"
    with (
        closing(sqlite3.connect(services.folder / "test_arena")) as ours,
        closing(sqlite3.connect(path)) as copy,
    ):
        ours.backup(copy)
    return path


@pytest.fixture(autouse=True)
def own_session(request: pytest.FixtureRequest) -> None:
    """Skip what needs a session of its own where sessions are shared."""
    needs = request.node.get_closest_marker("own_session")
    if needs and request.config.getoption("--pooler"):
        pytest.skip(f"needs a session of its own: {needs.args[0]}")


@pytest.fixture(autouse=True)
def fresh_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """Rate limits and cached pages of one test are none of the next one's business."""
    yield
    if not request.node.get_closest_marker("pure"):
        cache.clear()
        remembered.clear()


@pytest.fixture
def still_clock(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Now, and it stays so: no minute and no day of a rate limit ends during the test."""
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    return now


@pytest.fixture
def still_seconds(monkeypatch: pytest.MonkeyPatch) -> int:
    """The seconds since 1970, and they stay so: a code that lasts half a minute lasts the test."""
    now = int(time.time())
    monkeypatch.setattr(time, "time", lambda: float(now))
    return now


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of published data sets, too large to be part of the project."""
    folder = Path(os.environ.get("ARENA_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no published data in {folder}; name its folder in ARENA_SHARED_DATA")
    return folder


@pytest.fixture
def health() -> ModuleType:
    """deploy/health.py, which is in no package."""
    spec = spec_from_file_location("health", ROOT / "deploy" / "health.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def celery_worker_process(
    transactional_db: None, services: Services
) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker with beat on the test database; what it prints is captured with the test.

    Nothing is queued when it starts. It answers pings when the test begins.
    """
    with redis.Redis.from_url(services.redis_url) as client:
        client.flushall()
    name = Path(connection.settings_dict["NAME"]).name
    command = [sys.executable, "-m", "celery", "-A", "arena", "worker", "--beat"]
    command += ["--concurrency", "2", "--without-mingle", "--without-gossip"]
    command += ["--include", "tests.worker_tasks"]
    environment = {**os.environ, **services.environment(name), "DEBUG": "0"}
    environment["SECRET_KEY"] = "for-a-worker-of-the-tests"
    worker = services.start(command, None, env=environment, cwd=ROOT)
    try:
        wait_for_workers(worker)
        yield worker
    finally:
        stop_started(services, [worker])

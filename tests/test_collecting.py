"""Which cases of a test are run beside SQLite, and that a test draws the same whenever it runs."""

import re
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from tests.collecting import ENOUGH, chosen
from tests.factories import chance, random_of
from tests.services import ROOT

MANY = ENOUGH + 2
PLAIN_SQL = re.compile(r"\.cursor\(\)|open_cursor\(|\.raw\(|RawSQL\(|\.extra\(")
# Each module of plain SQL, and tests that run it on both databases.
SQL_TESTS = {
    "arena/events/current_rules.py": "tests.judging.test_views",
    "arena/exports/consistent_reads.py": "tests.exports.test_consistent_reads",
    "arena/judging/review/behaviour.py": "tests.judging.test_behaviour_hints",
    "arena/judging/ledger/sealing.py": "tests.judging.test_ledger",
    "arena/judging/serving/chunk_sql.py": "tests.judging.test_chunks",
    "arena/judging/serving/hot_path_sql.py": "tests.judging.test_recording",
    "arena/judging/serving/windows.py": "tests.judging.test_assigning",
    "arena/model_rows.py": "tests.judging.test_recording",
    "arena/monitoring/doctor.py": "tests.monitoring.test_doctor",
    "arena/monitoring/parts.py": "tests.monitoring.test_readiness",
    "arena/people/account_deletion.py": "tests.judging.test_erasing",
    "arena/people/accounts/sessions.py": "tests.judging.test_views",
    "arena/people/user_manager.py": "tests.judging.test_views",
    "arena/postgresql/base.py": "tests.test_postgresql",
    "leaderboard/votes/queries.py": "tests.leaderboard.test_queries",
}


def cases(count: int, *names: str, fixtures: tuple[str, ...] = (), **database: Any) -> list[Any]:
    """Cases of a test that has these markers."""
    markers = {name: SimpleNamespace(kwargs={}) for name in names}
    markers["django_db"] = SimpleNamespace(kwargs=database)
    return [
        SimpleNamespace(number=number, get_closest_marker=markers.get, fixturenames=fixtures)
        for number in range(count)
    ]


def numbers(some: list[Any]) -> list[int]:
    return [case.number for case in chosen(some)]


def test_of_many_cases_the_first_middle_and_last_are_enough() -> None:
    assert numbers(cases(MANY)) == [0, MANY // 2, MANY - 1]
    assert numbers(cases(ENOUGH)) == list(range(ENOUGH))


def test_where_cases_tell_databases_apart_all_are_run() -> None:
    assert numbers(cases(MANY, "all_cases")) == list(range(MANY))
    assert numbers(cases(MANY, transaction=True)) == list(range(MANY))
    assert numbers(cases(MANY, fixtures=("transactional_db",))) == list(range(MANY))


@pytest.mark.parametrize("count", [1, MANY])
def test_what_says_nothing_of_the_database_is_left_to_sqlite(count: int) -> None:
    assert numbers(cases(count, "any_database")) == []


def test_a_test_draws_the_same_again_and_another_something_else() -> None:
    streams = [("one", ""), ("another", ""), ("one", "2"), ("one", "")]
    first, other, seeded, again = (random_of(*stream).random() for stream in streams)
    assert first == again
    assert len({first, other, seeded}) == 3
    assert chance() is chance()


def test_what_runs_beside_the_browser_says_nothing_of_the_database() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(r"^PLAIN := (.+)$", makefile, re.MULTILINE)
    assert found
    sources = [
        path.read_text(encoding="utf-8")
        for folder in found[1].split()
        for path in (ROOT / folder).glob("test_*.py")
    ]
    stored = [source for source in sources if "django_db" in source]
    assert stored
    assert all("any_database" in source for source in stored)


def test_all_plain_sql_is_run_on_both_databases() -> None:
    sources = [path for app in ("arena", "leaderboard") for path in (ROOT / app).rglob("*.py")]
    plain = {str(path.relative_to(ROOT)) for path in sources if PLAIN_SQL.search(path.read_text())}
    assert plain == SQL_TESTS.keys(), "say in SQL_TESTS which tests run it"
    for name in SQL_TESTS.values():
        marks = getattr(import_module(name), "pytestmark", [])
        marks = marks if isinstance(marks, list) else [marks]
        assert "any_database" not in {mark.name for mark in marks}, name

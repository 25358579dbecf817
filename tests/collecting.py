"""A pytest plugin for what is run: fewer cases of one test, other draws, no search for garbage.

A test that is run with a hundred inputs takes the same statements to the database a hundred times.
SQLite runs them all; on PostgreSQL, `--few-cases` runs as many as show that it takes them too.
"""

import gc
import os
from collections import defaultdict

import pytest

ENOUGH = 8
"""Cases of one test that are all run; of a test with more, the first, middle and last are."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --few-cases and --seed."""
    parser.addoption(
        "--few-cases",
        action="store_true",
        help=f"of a test with more than {ENOUGH} cases run the first, middle and last, "
        "unless it is marked all_cases or has transactions of its own; and no any_database",
    )
    parser.addoption(
        "--seed",
        default="",
        help="draw the secrets, sides and orders of the tests' events otherwise",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker; what is imported and collected now stays until the end."""
    config.addinivalue_line("markers", "all_cases: each of its cases tells databases apart")
    config.addinivalue_line("markers", "any_database: says nothing of the database it runs on")
    os.environ["ARENA_TEST_SEED"] = config.getoption("seed")  # read by tests/factories.py
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage among what the tests make, not among the thousands of tests."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the cases that --few-cases does without."""
    if not config.getoption("few_cases"):
        return
    cases: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        cases[item.nodeid.partition("[")[0]].append(item)
    kept = {item for some in cases.values() for item in chosen(some)}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


def chosen(cases: list[pytest.Item]) -> list[pytest.Item]:
    """Those of one test's cases that are run."""
    if cases[0].get_closest_marker("any_database"):
        return []
    if len(cases) <= ENOUGH or needs_all_cases(cases[0]):
        return cases
    return [cases[0], cases[len(cases) // 2], cases[-1]]


def needs_all_cases(item: pytest.Item) -> bool:
    """Whether a test says so, or is about transactions, which databases have each their own."""
    if item.get_closest_marker("all_cases"):
        return True
    marker = item.get_closest_marker("django_db")
    has_own = marker is not None and bool(marker.kwargs.get("transaction"))
    return has_own or "transactional_db" in getattr(item, "fixturenames", ())

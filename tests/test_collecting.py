"""Which cases of a test are run beside SQLite, and that a test draws the same whenever it runs."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.collecting import ENOUGH, chosen
from tests.factories import chance, random_of

MANY = ENOUGH + 2


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

"""Columns of numbers straight from PostgreSQL."""

import numpy as np
import pytest
from django.db import connection
from psycopg.errors import DivisionByZero

from leaderboard.votes import queries
from leaderboard.votes.queries import copy_tables

pytestmark = pytest.mark.django_db(transaction=True)  # an error must not end a test's own


@pytest.fixture(autouse=True)
def _only_postgresql(monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("COPY is PostgreSQL's")
    monkeypatch.setattr(queries, "COPY_BATCH_BYTES", 1000)


def numbers(until: int, column: str = "n") -> str:
    return f"SELECT n, {column} FROM generate_series(1::bigint, {until}) n"


@pytest.mark.parametrize("rows", [0, 1, 29, 30, 31, 5_000])
def test_every_row_arrives_once_and_in_order(rows):
    table = np.concatenate(
        [np.empty((0, 2), dtype=np.int64), *copy_tables(numbers(rows, "-n"), ())]
    )
    assert table.dtype == np.int64
    assert np.array_equal(table, np.outer(np.arange(1, rows + 1), [1, -1]))


def test_an_error_half_way_is_raised_and_the_connection_goes_on():
    with pytest.raises(DivisionByZero):
        list(copy_tables(numbers(5_000, "1 / (n - 4900)"), ()))
    assert_usable()


def test_whoever_stops_reading_leaves_a_usable_connection():
    rows = copy_tables(numbers(500_000), ())
    assert len(next(rows)) < 500_000
    rows.close()
    assert_usable()


def test_nulls_are_refused():
    with pytest.raises(ValueError, match=r"size|null"):
        list(copy_tables(numbers(3, "nullif(n, 2)"), ()))
    assert_usable()


def assert_usable() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)

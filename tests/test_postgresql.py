"""A connection that the server has ended is found out before a request uses it."""

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        settings.DATABASES["default"]["ENGINE"] != "arena.postgresql", reason="PostgreSQL's alone"
    ),
]


def get_backend_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_an_idle_connection_is_usable_without_asking_the_server() -> None:
    before = get_backend_id()
    raw = connection.connection
    sent = raw.info.backend_pid, raw.pgconn.socket
    with CaptureQueriesContext(connection) as queries:
        assert connection.is_usable()
    assert not queries.captured_queries
    assert (raw.info.backend_pid, raw.pgconn.socket) == sent
    assert get_backend_id() == before


def test_a_prepared_statement_survives_a_column_that_grows() -> None:
    def ask() -> str:
        with connection.prepared_cursor() as cursor:
            cursor.execute("SELECT word FROM growing WHERE number = %s", [1])
            return str(cursor.fetchone()[0])

    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE growing (number integer, word varchar(5))")
        cursor.execute("INSERT INTO growing VALUES (1, 'tea')")
    assert ask() == ask() == "tea"
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE growing ALTER word TYPE varchar(50)")
    assert ask() == ask() == "tea"


@pytest.mark.own_session("ends the server's process, which the ending connection may be using")
def test_a_connection_that_the_server_has_ended_is_replaced_before_the_next_statement() -> None:
    ended = get_backend_id()
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [ended])
    assert not connection.is_usable()
    connection.health_check_done = False  # as at the beginning of a request
    connection.health_check_enabled = True
    connection.close_if_health_check_failed()
    assert get_backend_id() != ended

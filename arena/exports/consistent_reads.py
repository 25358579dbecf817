"""Reading many rows as they were at one moment, while people go on judging."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def read_consistently() -> Iterator[None]:
    """Every query inside sees the database as the first one did; no writer waits for it.

    Without it a judgment that is changed during a long export would be in it twice, or not at
    all. Inside a transaction of the caller's it does nothing. Nothing may be written inside.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        # Closes the race with every writer: one snapshot for all statements.
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # By hand, since Django's own transactions on SQLite begin by taking the writer's lock.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")

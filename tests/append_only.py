"""Tables whose rows are kept for ever, made like others for the rest of a test."""

from django.db import connection


def allow_deletion() -> None:
    """Drop SQLite's triggers, or let PostgreSQL's rest, until the test's transaction is rolled
    back."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Not ALTER TABLE: rows of this transaction have triggers of theirs still to run.
            cursor.execute("SET LOCAL session_replication_role = replica")
            return
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {name}")

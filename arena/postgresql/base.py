"""The database backend named by `ENGINE`; Django looks for `DatabaseWrapper` in this module."""

import select
from types import SimpleNamespace
from typing import Any

from django.db.backends.postgresql import base
from psycopg.errors import FeatureNotSupported
from psycopg.pq import TransactionStatus

from arena.postgresql.schema import SchemaEditor


class PreparedCursor(base.ServerBindingCursor):
    """A cursor whose statements the server plans once for each connection, and not every time."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        connection: Any = self.connection  # type: ignore[attr-defined]
        try:
            done: Any = super().execute(query, params, prepare=True, **options)  # type: ignore[misc]
        except FeatureNotSupported:
            # An upgrade has changed a column since: what is prepared here is of no use any more.
            connection.prepare_threshold = None
            if connection.info.transaction_status != TransactionStatus.IDLE:
                raise
            done = super().execute(query, params, **options)  # type: ignore[misc]
        if done._query is None:  # psycopg keeps none of what is prepared already; Django logs it
            done._query = SimpleNamespace(query=query.encode())
        return done


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that a request takes over is looked at before it is used, and that leaves
    nothing in its session, so that PgBouncer may share it by transaction."""

    SchemaEditorClass = SchemaEditor

    def chunked_cursor(self) -> Any:
        """A cursor that the server keeps within a transaction, where rows come piece by piece.

        Outside of one Django would keep it in the session: there all rows come at once. Whoever
        reads many opens a transaction (`arena.exports.consistent_reads`).
        """
        return super().chunked_cursor() if self.in_atomic_block else self.cursor()

    def prepared_cursor(self) -> Any:
        """A cursor for statements that run again and again, with values that say their types.

        They are prepared where the settings allow it (PREPARED_STATEMENTS): a pool that hands
        connections round by transaction would lose them.
        """
        self.ensure_connection()
        cursor: Any = PreparedCursor(self.connection)  # type: ignore[call-arg]
        return self._prepare_cursor(cursor)  # type: ignore[attr-defined]

    def is_usable(self) -> bool:
        """Whether the connection works.

        Between two requests the server says nothing, unless it ends the connection: then its
        farewell, or the end of the stream, is there to be read. Only where there is something, the
        server is asked, as Django asks before every request.
        """
        if self.connection is None or self.connection.closed:
            return False
        if not has_input(self.connection.pgconn.socket):
            return True
        usable: bool = super().is_usable()
        return usable


def has_input(descriptor: int) -> bool:
    """Whether there is something to read, or the stream has ended, without waiting."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))

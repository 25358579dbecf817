"""The database backend named by `ENGINE`; Django looks for `DatabaseWrapper` in this module."""

import select
from typing import Any

from django.db.backends.postgresql import base

from arena.postgresql.schema import SchemaEditor


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that a request takes over is looked at before it is used, and that leaves
    nothing in its session, so that PgBouncer may share it by transaction."""

    def chunked_cursor(self) -> Any:
        """A cursor that the server keeps within a transaction, where rows come piece by piece.

        Outside of one Django would keep it in the session: there all rows come at once. Whoever
        reads many opens a transaction (`arena.exports.consistent_reads`).
        """
        return super().chunked_cursor() if self.in_atomic_block else self.cursor()

    SchemaEditorClass = SchemaEditor

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

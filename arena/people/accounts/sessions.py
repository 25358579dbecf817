"""Sessions in the database, read by a statement that is written out: every request does."""

from typing import Any

from django.contrib.sessions.backends import db
from django.db import connection
from django.utils import timezone

from arena.model_rows import open_cursor

# Primary key.
READ_SESSION_SQL = """
SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s
"""


class SessionStore(db.SessionStore):
    """Django's own, but for how a session is read."""

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing, and no key, where there is none."""
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        with open_cursor() as cursor:
            cursor.execute(READ_SESSION_SQL, [self.session_key, now])
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        data: dict[str, Any] = self.decode(row[0])
        return data

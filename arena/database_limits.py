"""How long a page waits for the database; what it says after that is in `arena.outages`.

PostgreSQL gets the limits by `SET LOCAL` at the start of each transaction of a request: nothing
outlives it, so that a pool that hands connections round (PgBouncer by transaction) mixes nothing
up. Statements outside transactions take the limits of the role (docs/operations.md).
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, HttpResponse
from psycopg.pq import TransactionStatus

# They may take long, and a lock on them holds nobody else up.
UNLIMITED_NAMESPACES = frozenset({"exports"})


class DatabaseLimitMiddleware:
    """Limit each statement and each wait for a lock in the transactions of a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        connection = connections[DEFAULT_DB_ALIAS]
        if connection.vendor != "postgresql":
            return self.get_response(request)

        def limit(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
            match = request.resolver_match
            if match is None or match.namespace not in UNLIMITED_NAMESPACES:
                limit_new_transaction(context["connection"])
            return execute(sql, params, many, context)

        with connection.execute_wrapper(limit):
            return self.get_response(request)


def limit_new_transaction(connection: Any) -> None:
    """Set the limits where a transaction is about to begin; nothing where it has, or where there
    is none."""
    raw = connection.connection
    if connection.in_atomic_block and raw.info.transaction_status == TransactionStatus.IDLE:
        # No query, as a later SET TRANSACTION has to come before the first.
        raw.execute(
            f"SET LOCAL statement_timeout = {settings.STATEMENT_TIMEOUT_MS}; "
            f"SET LOCAL lock_timeout = {settings.LOCK_TIMEOUT_MS}"
        )

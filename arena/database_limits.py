"""How long a page waits for the database, and what it says when that is too long.

PostgreSQL gets the limits by `SET LOCAL` at the start of each transaction of a request: nothing
outlives it, so that a pool that hands connections round (PgBouncer by transaction) mixes nothing
up. Statements outside transactions take the limits of the role (docs/operations.md).
"""

import sys
from collections.abc import Callable
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.defaults import server_error
from psycopg.pq import TransactionStatus

log = structlog.get_logger(__name__)
RETRY_SECONDS = 2
# They may take long, and a lock on them holds nobody else up.
UNLIMITED_NAMESPACES = frozenset({"exports"})
# Cancelled, lock not available, deadlock, serialization, shutting down, too many connections; and
# classes of codes: connection lost, resources exhausted.
BUSY_SQLSTATES = frozenset({"57014", "55P03", "40P01", "40001", "57P01", "57P02", "57P03"})
BUSY_SQLSTATE_CLASSES = ("08", "53")
# SQLITE_BUSY and SQLITE_LOCKED, without what the extended codes add.
BUSY_SQLITE_CODES = frozenset({5, 6})


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

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A database that has no time for us is no bug: say so, and when to try again."""
        return render_busy(request, error) if is_busy(error) else None


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


def is_busy(error: BaseException | None) -> bool:
    """Whether the database had no time or no connection for this; the same again may succeed."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    cause = error.__cause__
    if (code := getattr(cause, "sqlite_errorcode", None)) is not None:
        return (code & 0xFF) in BUSY_SQLITE_CODES
    if not isinstance(cause, psycopg.Error):
        return False
    state = cause.sqlstate  # None: no answer came at all
    return state is None or state in BUSY_SQLSTATES or state.startswith(BUSY_SQLSTATE_CLASSES)


def render_busy(request: HttpRequest, error: BaseException) -> HttpResponse:
    """503, with the time after which to try again; rendered without asking the database."""
    log.error("database busy", reason=type(error.__cause__ or error).__name__)
    message = _("The site is busy. Try again in a moment; nothing is saved twice.")
    if request.headers.get("HX-Request"):
        response = HttpResponse(message, content_type="text/plain", status=503)
        response.headers["HX-Reswap"] = "none"
    else:
        response = render(None, "errors/503.html", status=503)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response


def handle_server_error(request: HttpRequest) -> HttpResponse:
    """Django's page for errors, but for a database that is busy before any view is reached."""
    error = sys.exc_info()[1]
    return render_busy(request, error) if error and is_busy(error) else server_error(request)

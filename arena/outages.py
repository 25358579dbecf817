"""What a visitor is told while something that the site stands on is away.

A database that restarts, has no time, or has no room is no bug: the answer is 503, with the time
after which to try again, and what was typed is kept.
"""

import errno
import re
import sys
from dataclasses import dataclass
from enum import Enum

import psycopg
import structlog
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.defaults import bad_request, server_error

from arena.errors import wants_json
from arena.metrics import DATABASE_ERRORS

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Notice:
    """What is logged and said of one kind of outage."""

    code: str
    logged: str
    title: Promise
    words: Promise
    # Seconds until another try may succeed.
    retry_after: int

    @property
    def message(self) -> str:
        """Both in one line, where there is no heading."""
        return f"{self.title}. {self.words}"


class Outage(Enum):
    """Why nothing can be done now that could be done later."""

    AWAY = Notice(
        "restarting",
        "database away",
        _("The site is restarting"),
        _("Try again in a moment; what you submitted before is safe."),
        5,
    )
    BUSY = Notice(
        "busy",
        "database busy",
        _("The site is busy"),
        _("Try again in a moment; nothing is saved twice."),
        2,
    )
    FULL = Notice(
        "full",
        "disk full",
        _("Nothing can be saved at the moment"),
        _("The site has no room left. What you submitted before is safe."),
        60,
    )


# Of PostgreSQL, by code, then by the first two characters of one: connection lost, resources.
SQLSTATES = {
    "57014": Outage.BUSY,  # cancelled by its limit
    "55P03": Outage.BUSY,  # lock not available
    "40P01": Outage.BUSY,  # deadlock
    "40001": Outage.BUSY,  # serialization
    "57P01": Outage.AWAY,  # shutting down
    "57P02": Outage.AWAY,  # crashed
    "57P03": Outage.AWAY,  # starting up
    "25006": Outage.AWAY,  # takes no writes, as the one that is to take over does not yet
    "53100": Outage.FULL,
}
SQLSTATE_CLASSES = {"08": Outage.AWAY, "53": Outage.BUSY}
# Of SQLite, without what extended codes add: busy, locked, cannot open, full, disk error.
SQLITE_CODES = {
    5: Outage.BUSY,
    6: Outage.BUSY,
    14: Outage.AWAY,
    13: Outage.FULL,
    10: Outage.FULL,
}
FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT})
# What is never written into a page, not even to whoever has just typed it.
SECRET_FIELD = re.compile(r"pass|code|secret", re.IGNORECASE)


def find_outage(error: BaseException | None) -> Outage | None:
    """The outage behind an error; None where it is a bug."""
    while error is not None:
        if isinstance(error, DatabaseError):
            return find_database_outage(error.__cause__)
        if isinstance(error, OSError) and error.errno in FULL_ERRNOS:
            return Outage.FULL
        error = error.__cause__ or error.__context__
    return None


def find_database_outage(cause: BaseException | None) -> Outage | None:
    """The outage that a database's driver reports."""
    if (number := getattr(cause, "sqlite_errorcode", None)) is not None:
        return SQLITE_CODES.get(number & 0xFF)
    if not isinstance(cause, psycopg.Error):
        return None
    state = cause.sqlstate
    if state is None:  # no answer came at all
        is_connection = isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
        return Outage.AWAY if is_connection else None
    return SQLSTATES.get(state) or SQLSTATE_CLASSES.get(state[:2])


def render_outage(request: HttpRequest, outage: Outage, error: BaseException) -> HttpResponse:
    """503, with the time after which to try again; rendered without asking the database."""
    notice = outage.value
    reason = type(error.__cause__ or error).__name__
    log.error(notice.logged, reason=reason)
    DATABASE_ERRORS.labels(reason).inc()
    response: HttpResponse
    if wants_json(request):
        problem = {"code": notice.code, "message": notice.message}
        response = JsonResponse({"error": problem}, status=503)
    elif request.headers.get("HX-Request"):
        response = HttpResponse(notice.message, content_type="text/plain", status=503)
        response.headers["HX-Reswap"] = "none"
    else:
        context = {
            "notice": notice,
            "is_post": request.method == "POST",
            "path": request.get_full_path(),
            "fields": list_kept_fields(request),
        }
        response = render(None, "errors/503.html", context, status=503)
    response.headers["Retry-After"] = str(notice.retry_after)
    response.headers["Cache-Control"] = "no-store"
    return response


def list_kept_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """What a form has posted, to be sent once more; nothing where a file or a secret is in it, or
    where it was not read before the outage."""
    if request.method != "POST" or not hasattr(request, "_post") or request.FILES:
        return []
    if any(SECRET_FIELD.search(name) for name in request.POST):
        return []
    return [(name, value) for name, values in request.POST.lists() for value in values]


def handle_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's page for bad requests, but for a session that an outage kept from being saved, which
    Django takes for one that was deleted meanwhile."""
    outage = find_outage(exception)
    return render_outage(request, outage, exception) if outage else bad_request(request, exception)


def handle_server_error(request: HttpRequest) -> HttpResponse:
    """Django's page for errors, but for an outage that began before any view was reached."""
    error = sys.exc_info()[1]
    outage = find_outage(error)
    return render_outage(request, outage, error) if error and outage else server_error(request)

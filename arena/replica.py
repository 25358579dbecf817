"""Public boards read from a replica of the database, where there is one (DATABASE_REPLICA_URL).

Only for visitors who are not signed in: who has just changed something wants to see it. A replica
that is away, or that has cancelled a query to keep up, costs one try.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

ALIAS = "replica"
log = structlog.get_logger(__name__)
reads_replica: ContextVar[bool] = ContextVar("reads_replica", default=False)
View = Callable[..., HttpResponse]


def list_databases(primary: dict[str, Any], replica: dict[str, Any] | None) -> dict[str, Any]:
    """Django's `DATABASES`: the replica is reached as the primary is, at its own address."""
    if replica is None:
        return {DEFAULT_DB_ALIAS: primary}
    return {DEFAULT_DB_ALIAS: primary, ALIAS: {**primary, **replica, "ENGINE": primary["ENGINE"]}}


class ReplicaRouter:
    """Reads go to the replica within views that say so; everything else to the primary."""

    def db_for_read(self, _model: object, **_hints: object) -> str:
        return ALIAS if reads_replica.get() else DEFAULT_DB_ALIAS

    def db_for_write(self, _model: object, **_hints: object) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, _one: object, _other: object, **_hints: object) -> bool:
        return True

    def allow_migrate(self, database: str, _app_label: str, **_hints: object) -> bool:
        return database == DEFAULT_DB_ALIAS


def read_from_replica(view: View) -> View:
    """Let a public page that writes nothing read from the replica, if there is one."""

    @wraps(view)
    def reading(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        if ALIAS not in settings.DATABASES or request.user.is_authenticated:
            return view(request, *args, **named)
        token = reads_replica.set(True)
        try:
            return view(request, *args, **named)
        except (OperationalError, InterfaceError) as error:
            log.warning("replica away", reason=type(error.__cause__ or error).__name__)
        finally:
            reads_replica.reset(token)
        return view(request, *args, **named)

    return reading

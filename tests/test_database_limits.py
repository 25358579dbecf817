"""A page waits for the database so long and no longer."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from arena import urls
from arena.database_limits import DatabaseLimitMiddleware
from arena.outages import Outage, find_outage
from arena.people.models import User
from tests.factories import make_user
from tests.services import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
only_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite has one lock and waits for it"
)
SETTINGS = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"


def ask(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


def respond(view: Callable[[], object]) -> list[object]:
    """What a view finds, between the limits of a request."""
    found: list[object] = []

    def get_response(request: HttpRequest) -> HttpResponse:
        found.append(view())
        return HttpResponse()

    request = RequestFactory().get("/")
    request.resolver_match = None
    DatabaseLimitMiddleware(get_response)(request)
    return found


@only_postgresql
def test_transactions_of_a_request_are_limited_and_nothing_after_them() -> None:
    def view() -> list[Any]:
        before = ask(SETTINGS)
        with transaction.atomic(), transaction.atomic():
            inside = ask(SETTINGS)
        return [before, inside, ask(SETTINGS)]

    ((before, inside, after),) = respond(view)
    assert inside == ("5s", "2s")
    assert before == after == ask(SETTINGS) != inside
    with transaction.atomic():
        assert ask(SETTINGS) == before


@only_postgresql
def test_a_snapshot_can_still_be_asked_for() -> None:
    def view() -> str:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            return str(ask("SHOW transaction_isolation")[0])

    assert respond(view) == ["repeatable read"]


@only_postgresql
def test_a_statement_that_takes_too_long_is_cancelled(settings: Any) -> None:
    settings.STATEMENT_TIMEOUT_MS = 50

    def view() -> None:
        with transaction.atomic():
            ask("SELECT pg_sleep(60)")

    with pytest.raises(OperationalError) as caught:
        respond(view)
    assert find_outage(caught.value) is Outage.BUSY
    assert ask("SELECT 1") == (1,)


@pytest.fixture
def locked(settings: Any) -> Iterator[User]:
    """Somebody whose row another connection has locked."""
    settings.LOCK_TIMEOUT_MS = 50
    user = make_user("ada")
    is_locked, may_go = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)
            is_locked.set()
            may_go.wait(60)
        connection.close()

    thread = Thread(target=hold)
    thread.start()
    assert is_locked.wait(60)
    yield user
    may_go.set()
    thread.join()


@only_postgresql
@pytest.mark.parametrize("htmx", [False, True])
def test_whoever_waits_too_long_for_a_lock_is_told_when_to_try_again(
    locked: User, monkeypatch: pytest.MonkeyPatch, client: Client, htmx: bool
) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=locked.pk)
        return HttpResponse()

    view.login_required = False  # type: ignore[attr-defined]
    (home,) = (one for one in urls.urlpatterns if getattr(one, "name", "") == "home")
    monkeypatch.setattr(home, "callback", view)
    answer = client.post(reverse("home"), headers={"HX-Request": "true"} if htmx else {})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert "busy" in answer.content.decode()
    assert ("<html" in answer.content.decode()) == (not htmx)


@pytest.mark.parametrize(("chosen", "level"), [("", "2"), ("NORMAL", "1")])
def test_what_sqlite_commits_survives_a_power_cut(tmp_path: Any, chosen: str, level: str) -> None:
    script = (
        "from django.db import connection as c; k = c.cursor();"
        "print(k.execute('PRAGMA synchronous').fetchone()[0],"
        "      k.execute('PRAGMA journal_mode').fetchone()[0])"
    )
    environment = {"PATH": os.environ["PATH"], "ARENA_VAR": str(tmp_path), "DEBUG": "1"}
    environment |= {"SQLITE_SYNCHRONOUS": chosen} if chosen else {}
    said = subprocess.check_output(
        [sys.executable, "manage.py", "shell", "-v0", "-c", script],
        cwd=ROOT,
        env=environment,
        text=True,
    )
    assert said.split() == [level, "wal"]

"""What is told while the database, the cache, the broker or the disk is away."""

import errno
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
from celery import Celery
from django.core.cache import cache, caches
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena import urls
from arena.cache import AWAY_SECONDS, GuardedRedisCache
from arena.celery import send_soon
from arena.errors import LimitError
from arena.outages import Outage, find_outage
from arena.people.limits import Rate, count_use
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_enrollment,
    make_event,
    make_matchup,
    make_user,
)

pytestmark = pytest.mark.django_db


def caused(error: Exception, cause: BaseException | None) -> Exception:
    error.__cause__ = cause
    return error


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("x")
    error.sqlite_errorcode = code
    return error


LOST = caused(OperationalError(), psycopg.OperationalError("connection failed"))
AWAY, BUSY, FULL = Outage.AWAY, Outage.BUSY, Outage.FULL


@pytest.mark.any_database
@pytest.mark.all_cases
@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (caused(OperationalError(), psycopg.errors.LockNotAvailable()), BUSY),
        (caused(OperationalError(), psycopg.errors.QueryCanceled()), BUSY),
        (caused(OperationalError(), psycopg.errors.DeadlockDetected()), BUSY),
        (caused(OperationalError(), psycopg.errors.TooManyConnections()), BUSY),
        (LOST, AWAY),
        (caused(InterfaceError(), psycopg.InterfaceError("the connection is closed")), AWAY),
        (caused(OperationalError(), psycopg.errors.CannotConnectNow()), AWAY),
        (caused(OperationalError(), psycopg.errors.DiskFull()), FULL),
        (caused(OperationalError(), psycopg.errors.ObjectInUse()), None),
        (caused(IntegrityError(), psycopg.errors.UniqueViolation()), None),
        (caused(OperationalError(), sqlite_error(sqlite3.SQLITE_BUSY)), BUSY),
        (caused(OperationalError(), sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT)), BUSY),
        (caused(OperationalError(), sqlite_error(sqlite3.SQLITE_FULL)), FULL),
        (caused(OperationalError(), sqlite_error(sqlite3.SQLITE_ERROR)), None),
        (caused(ValueError(), OSError(errno.ENOSPC, "No space left on device")), FULL),
        (OSError(errno.EACCES, "Permission denied"), None),
        (OperationalError(), None),
        (ValueError(), None),
        (None, None),
    ],
)
def test_only_what_may_succeed_later_is_an_outage(
    error: Exception | None, outage: Outage | None
) -> None:
    assert find_outage(error) is outage


@pytest.fixture
def fail_home(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Let the home page fail with this error."""

    def put(error: Exception) -> None:
        def view(request: HttpRequest) -> HttpResponse:
            raise error

        view.login_required = False  # type: ignore[attr-defined]
        (home,) = (one for one in urls.urlpatterns if getattr(one, "name", "") == "home")
        monkeypatch.setattr(home, "callback", view)

    return put


def test_what_was_typed_is_in_the_page_that_says_so(fail_home: Any, client: Client) -> None:
    fail_home(LOST)
    answer = client.post(reverse("home"), {"comment": "<b>mine</b>", "preference": "a1"})
    page = answer.content.decode()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "The site is restarting" in page
    assert 'name="comment" value="&lt;b&gt;mine&lt;/b&gt;"' in page
    assert "Send again" in page
    # A secret is written into no page: the browser has kept the form.
    secret = client.post(reverse("home"), {"login": "ada", "password": "ABC-DEF"}).content.decode()
    assert "ABC-DEF" not in secret
    assert "Back button" in secret
    reading = client.get(reverse("home")).content.decode()
    assert "Try again" in reading
    assert "Send again" not in reading


def test_scripts_and_programs_get_what_they_can_use(fail_home: Any, client: Client) -> None:
    fail_home(caused(OperationalError(), psycopg.errors.DiskFull()))
    answer = client.post(reverse("home"), headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Reswap"]) == (503, "none")
    assert "no room" in answer.content.decode()
    answer = client.get(reverse("home"), headers={"Accept": "application/json"})
    assert answer.json()["error"]["code"] == "full"
    assert answer.headers["Retry-After"] == "60"


def test_a_database_that_is_away_before_any_view_is_no_bug_either(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(make_user("bob"))
    client.raise_request_exception = False

    def fail(*_: object, **__: object) -> None:
        raise LOST

    monkeypatch.setattr("arena.people.accounts.sessions.SessionStore.load", fail)
    answer = client.get("/account/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "database away" in caplog.text
    assert [one for one in caplog.records if one.exc_info and one.levelname == "ERROR"] == []


def test_a_session_that_cannot_be_saved_was_not_deleted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(make_user("bob"))
    monkeypatch.setattr("django.contrib.sessions.models.Session.save", Mock(side_effect=LOST))
    (home,) = (one for one in urls.urlpatterns if getattr(one, "name", "") == "home")

    def view(request: HttpRequest) -> HttpResponse:
        request.session["changed"] = "yes"
        return HttpResponse()

    monkeypatch.setattr(home, "callback", view)
    assert client.get("/").status_code == 503


# --- cache and broker -------------------------------------------------------------------------
@pytest.fixture
def no_redis(settings: Any) -> Iterator[None]:
    """Nobody listens where cache and broker are looked for."""
    settings.CACHES = {
        "default": {
            "BACKEND": "arena.cache.GuardedRedisCache",
            "LOCATION": "redis://user:word@127.0.0.1:1/0",
        }
    }
    assert isinstance(caches["default"], GuardedRedisCache)
    yield
    cache.clear()


@pytest.mark.any_database
@pytest.mark.usefixtures("no_redis")
def test_without_the_cache_each_process_counts_its_share(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.WEB_WORKERS = 3
    for _ in range(4):
        count_use("knock", "me", Rate(10, 60), NOW)
    with pytest.raises(LimitError):
        count_use("knock", "me", Rate(10, 60), NOW)
    count_use("knock", "you", Rate(1, 60), NOW)  # nobody is refused at the first
    cache.set("kept", "here", 60)
    assert cache.get("kept") == "here"
    assert caplog.text.count("cache away") == 1  # once every few seconds
    assert "word" not in caplog.text
    assert AWAY_SECONDS < 10


@pytest.mark.usefixtures("no_redis", "still_clock")
def test_without_the_cache_boards_joining_and_signing_in_work() -> None:
    event = make_event("tea", state="open")
    user = make_user("ada")
    client = Client()
    for path in ("/", "/events/tea/", "/events/tea/leaderboard/", "/events/tea/join/"):
        assert client.get(path).status_code == 200, path
    reply = client.post("/account/login/", {"login": "ada", "password": "correct horse"})
    assert reply.status_code == 302
    make_matchup(event, make_competitors(event, 2))
    assignment = make_assignment(make_enrollment(event, user), now=timezone.now())
    client.force_login(user)
    assert client.post(f"/judge/{assignment.uuid}/", {"preference": "a1"}).status_code == 200
    # Guesses are counted all the same, and one by one.
    for _ in range(5):
        page = Client().post("/account/login/", {"login": "ada", "password": "wrong"})
    assert "Too many" not in page.content.decode()
    page = Client().post("/account/login/", {"login": "ada", "password": "correct horse"})
    assert "Too many" in page.content.decode()


@pytest.mark.any_database
def test_a_task_that_no_broker_takes_fails_nobody(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    away = Celery(broker="redis://user:word@127.0.0.1:1/0", set_as_current=False)
    away.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    away.conf.task_publish_retry = settings.CELERY_TASK_PUBLISH_RETRY
    assert not send_soon(partial(away.send_task, "arena.events.tasks.render_texts"))
    assert "broker away" in caplog.text
    assert "word" not in caplog.text

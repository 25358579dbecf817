"""What is said when something cannot be done: a page, JSON or a sentence, and nothing else."""

import logging
from typing import Any
from unittest.mock import patch

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory, override_settings

from arena import middleware
from arena.errors import ArenaError, LimitError
from arena.people.limits import Rate
from tests.factories import (
    make_enrollment,
    make_event,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
HTMX = {"HTTP_HX_REQUEST": "true"}
JSON = {"HTTP_ACCEPT": "application/json"}


def title(response: Any) -> str:
    """The heading of a page."""
    return str(response.content.decode().partition("<h1>")[2].partition("</h1>")[0].strip())


def test_not_found(client: Client) -> None:
    for path in ("/no/such/page/", "/events/none/"):
        response = client.get(path)
        assert (response.status_code, title(response)) == (404, "Page not found")
    client.force_login(make_user("somebody"))
    assert b"somebody" in client.get("/events/none/").content


def test_a_refused_form() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/account/login/", {})
    assert (response.status_code, title(response)) == (403, "You cannot do this")


def test_a_bad_request(client: Client) -> None:
    for response in (
        client.get("/", HTTP_HOST="evil.invalid"),
        client.post("/account/login/", {f"f{number}": "1" for number in range(300)}),
        client.get("/?q=%00"),
    ):
        assert (response.status_code, title(response)) == (400, "That did not work")


@pytest.mark.usefixtures("still_clock")
def test_too_many(client: Client) -> None:
    client.force_login(make_user())
    with patch.object(middleware, "PERSON_RATE", Rate(2, 60)):
        statuses = [client.post("/account/seat/name/", {}).status_code for _ in range(3)]
        response = client.post("/account/seat/name/", {})
        assert client.get("/account/seat/").status_code == 200
    assert statuses == [302, 302, 429]
    assert title(response) == "Too many requests"
    assert 0 < int(response.headers["Retry-After"]) <= 60


@pytest.mark.usefixtures("still_clock")
def test_too_many_looks_at_pages_of_judging_and_at_no_others(client: Client) -> None:
    event = make_event("tea")
    client.force_login(make_enrollment(event).user)
    with patch.object(middleware, "PERSON_RATE", Rate(2, 60)):
        pages = [client.get("/events/tea/me/") for _ in range(3)]
        assert [page.status_code for page in pages] == [200, 200, 429]
        assert client.head("/events/tea/judge/").status_code == 429
        assert [client.get("/events/tea/").status_code for _ in range(3)] == [200] * 3
        # Answers have a count of their own.
        assert client.post("/account/seat/name/", {}).status_code == 302
    assert 0 < int(pages[2].headers["Retry-After"]) <= 60


@pytest.mark.usefixtures("still_clock")
def test_too_many_from_one_network() -> None:
    with patch.object(middleware, "NETWORK_RATE", Rate(2, 60)):
        statuses = [Client().post("/account/login/", {}).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert Client(REMOTE_ADDR="198.51.100.1").post("/account/login/", {}).status_code == 200


@pytest.mark.usefixtures("still_clock")
def test_a_limit_of_allauth_says_so(client: Client) -> None:
    form = {"email": "nobody@mail.example"}
    statuses = [client.post("/account/password/reset/", form).status_code for _ in range(8)]
    response = client.post("/account/password/reset/", form)
    assert statuses[0] == 302
    assert (response.status_code, title(response)) == (429, "Too many requests")


def test_json_and_htmx_get_what_they_can_use(client: Client) -> None:
    client.force_login(make_user())
    response = client.get("/events/none/leaderboard.json")
    assert response.status_code == 404
    assert response.json() == {"error": {"code": "not_found", "message": "Page not found."}}
    response = client.get("/events/none/", **JSON)
    assert response.json()["error"]["code"] == "not_found"
    for kind in ("text/html,application/xhtml+xml,*/*;q=0.8", "*/*"):
        assert title(client.get("/events/none/", HTTP_ACCEPT=kind)) == "Page not found"
    response = client.get("/events/none/", **HTMX)
    assert response.status_code == 404
    assert response.content == b"Page not found."
    assert response.headers["HX-Reswap"] == "none"
    with patch.object(middleware, "PERSON_RATE", Rate(0, 60)):
        response = client.post("/account/seat/name/", {}, **HTMX)
        assert response.status_code == 429
        assert b"<" not in response.content
        assert client.post("/account/seat/name/", {}, **JSON).json()["error"]["code"] == "too_many"


def test_a_message_is_text_wherever_it_goes() -> None:
    error = ArenaError("<script>pwned=1</script>", "bad")
    request: HttpRequest = RequestFactory().get("/")
    assert b"<script>pwned" not in middleware.render_error(request, error).content
    request = RequestFactory().get("/", **HTMX)
    assert middleware.render_error(request, error).headers["Content-Type"] == "text/plain"
    assert "Retry-After" not in middleware.render_error(request, LimitError("slow", "slow")).headers


@override_settings(DEBUG=False)
def test_a_broken_page_says_nothing_of_what_broke(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.raise_request_exception = False
    client.force_login(make_user("somebody"))
    broken = RuntimeError("a secret of the database")
    with (
        patch("arena.events.models.EventQuerySet.known_to", side_effect=broken),
        caplog.at_level(logging.ERROR),
    ):
        response = client.get("/", HTTP_COOKIE="sessionid=word")
        response = client.get("/")
    assert (response.status_code, title(response)) == (500, "Something went wrong")
    assert b"secret" not in response.content
    assert b"somebody" not in response.content
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]

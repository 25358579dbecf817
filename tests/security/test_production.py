"""The settings of a site on the open web, with the headers and cookies that follow from them."""

import runpy
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings

from tests.factories import make_user
from tests.services import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
CARRIED = ("SECURE_", "SESSION_COOKIE_", "CSRF_COOKIE_", "X_FRAME", "CONTENT_SECURITY", "DEBUG")


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The settings as a site with HTTPS reads them, in force for one test."""
    monkeypatch.setenv("DEBUG", "0")
    monkeypatch.setenv("HTTPS", "1")
    monkeypatch.setenv("SECRET_KEY", "for-this-test-alone")
    read = runpy.run_path(str(ROOT / "arena" / "settings.py"))
    carried = {name: value for name, value in read.items() if name.startswith(CARRIED)}
    with override_settings(**carried, ALLOWED_HOSTS=["arena.example"]):
        yield read


def visit(client: Client, path: str, **options: Any) -> HttpResponse:
    response: HttpResponse = client.get(path, HTTP_HOST="arena.example", secure=True, **options)
    return response


@pytest.mark.usefixtures("production")
def test_plain_http_leads_to_https(client: Client) -> None:
    response = client.get("/events/x/", HTTP_HOST="arena.example")
    assert response.status_code == 301
    assert response.headers["Location"] == "https://arena.example/events/x/"


@pytest.mark.usefixtures("production")
def test_browsers_are_told_to_stay_on_https(client: Client) -> None:
    kept = visit(client, "/").headers["Strict-Transport-Security"]
    assert "max-age=31536000" in kept
    assert "includeSubDomains" in kept
    assert "preload" not in kept


def test_a_name_is_offered_to_browsers_lists_on_request_alone(
    monkeypatch: pytest.MonkeyPatch, production: dict[str, Any]
) -> None:
    assert production["SECURE_HSTS_PRELOAD"] is False
    assert production["SILENCED_SYSTEM_CHECKS"] == ["security.W021"]
    monkeypatch.setenv("HSTS_PRELOAD", "1")
    asked = runpy.run_path(str(ROOT / "arena" / "settings.py"))
    assert asked["SECURE_HSTS_PRELOAD"] is True
    assert asked["SILENCED_SYSTEM_CHECKS"] == []


@pytest.mark.usefixtures("production")
def test_cookies_are_out_of_reach() -> None:
    make_user("somebody")
    client = Client(enforce_csrf_checks=True)
    page = visit(client, "/account/login/")
    token = page.context["csrf_token"]  # type: ignore[attr-defined]
    client.post(
        "/account/login/",
        {"login": "somebody", "password": "correct horse", "csrfmiddlewaretoken": str(token)},
        HTTP_HOST="arena.example",
        HTTP_REFERER="https://arena.example/account/login/",
        secure=True,
    )
    assert {"csrftoken", "sessionid"} <= set(client.cookies)
    for cookie in client.cookies.values():
        assert cookie["secure"], cookie.key
        assert cookie["httponly"], cookie.key
        assert cookie["samesite"] == "Lax", cookie.key
        assert cookie["domain"] == "", cookie.key


@pytest.mark.usefixtures("production")
def test_an_error_has_the_headers_too(client: Client) -> None:
    for path in ("/no/such/", "/events/none/", "/static/none.css"):
        headers = visit(client, path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "max-age" in headers["Strict-Transport-Security"]


def test_the_policy_allows_nothing_inline(production: dict[str, Any]) -> None:
    policy = production["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    said = [word for words in policy.values() for word in words]
    assert set(said) <= {"'none'", "'self'", "data:"}
    assert policy["script-src"] == ["'self'"]
    assert policy["style-src"] == ["'self'"]


@pytest.mark.parametrize("key", ["", "insecure-key-for-development-only"])
def test_no_site_runs_with_a_known_key(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("DEBUG", "0")
    monkeypatch.setenv("SECRET_KEY", key)
    with pytest.raises(Exception, match="Set SECRET_KEY"):
        runpy.run_path(str(ROOT / "arena" / "settings.py"))

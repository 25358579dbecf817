"""A site that may stand in a frame of named origins, and one that may not."""

import runpy
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from arena.framing import PartitionedCookieMiddleware
from tests.services import ROOT

PORTAL = "https://portal.example"


@pytest.fixture
def load_settings(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The settings of a deployed site with these variables."""

    def load(**environment: str) -> dict[str, Any]:
        known = {"DEBUG": "0", "SECRET_KEY": "k" * 50, "HTTPS": "1"}
        for name, value in (known | environment).items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "arena" / "settings.py"))

    return load


def test_nobody_may_frame_a_site_that_says_nothing(load_settings: Any) -> None:
    settings = load_settings(FRAME_ANCESTORS="")
    assert settings["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["frame-ancestors"] == ["'none'"]
    assert "django.middleware.clickjacking.XFrameOptionsMiddleware" in settings["MIDDLEWARE"]
    assert settings["SESSION_COOKIE_SAMESITE"] == settings["CSRF_COOKIE_SAMESITE"] == "Lax"


def test_named_origins_may(load_settings: Any) -> None:
    settings = load_settings(FRAME_ANCESTORS=PORTAL)
    assert settings["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["frame-ancestors"] == [PORTAL]
    assert settings["MIDDLEWARE"][0] == "arena.framing.PartitionedCookieMiddleware"
    assert not [name for name in settings["MIDDLEWARE"] if "clickjacking" in name]
    names = ("SESSION", "CSRF", "LANGUAGE")
    assert {settings[f"{name}_COOKIE_SAMESITE"] for name in names} == {"None"}
    assert settings["SESSION_COOKIE_SECURE"] is settings["CSRF_COOKIE_SECURE"] is True


def test_a_frame_without_https_is_refused(load_settings: Any) -> None:
    with pytest.raises(Exception, match="FRAME_ANCESTORS needs HTTPS=1"):
        load_settings(FRAME_ANCESTORS=PORTAL, HTTPS="0")


def test_cookies_are_kept_apart_for_each_site_that_shows_it() -> None:
    def answer(_request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        response.set_cookie("sessionid", "s", samesite="None", secure=True)
        response.delete_cookie("messages")
        return response

    cookies = PartitionedCookieMiddleware(answer)(HttpRequest()).cookies
    for cookie in cookies.values():
        assert "; Partitioned" in cookie.OutputString()

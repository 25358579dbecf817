"""The watch over the pages notices what it should, and lets the rest pass."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from playwright.sync_api import Page

from tests.browser.conftest import PHONE, NewPage, Watch

EMPTY = "<!doctype html><html lang=en><title>Empty</title><h1>Empty</h1>"


POLICY = "default-src 'self'; script-src 'unsafe-inline'"


def serve(page: Page, body: str, policy: str = POLICY) -> None:
    """Answer one address with this document, then open it."""
    path = "/served-by-the-test/"
    headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": policy}
    page.route(f"**{path}", lambda route: route.fulfill(body=body, headers=headers))
    page.goto(path, wait_until="networkidle")


def test_quiet_page(page: Page, axe: Callable[[Page], None]) -> None:
    serve(page, EMPTY)
    axe(page)
    assert page.viewport_size == {"width": 1280, "height": 800}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("<script>console.error('on fire')</script>", "console: on fire"),
        ("<script>throw new Error('thrown')</script>", "exception: .*thrown"),
        ("<img alt='' src='http://elsewhere.invalid/a.png'>", "security policy"),
        ("<p style='color: red'>styled</p>", "security policy: style-src-attr"),
        ("<img alt='' src='/no/such/image.png'>", "404"),
    ],
)
def test_problem_is_noticed(page: Page, watch: Watch, body: str, problem: str) -> None:
    serve(page, EMPTY + body)
    watch.allow(problem)
    assert len(watch.problems) > len(watch.verdict())
    watch.allow(".")


def test_foreign_host_is_noticed(page: Page, watch: Watch) -> None:
    serve(page, EMPTY + "<img alt='' src='http://127.0.0.1:9/a.png'>", policy="")
    assert "foreign host: http://127.0.0.1:9/a.png" in watch.problems
    watch.allow(".")


def test_axe_notices(page: Page, watch: Watch, axe: Callable[[Page], None]) -> None:
    serve(page, EMPTY + "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>")
    watch.allow(".")
    with pytest.raises(pytest.fail.Exception, match="image-alt"):
        axe(page)


def test_phone_is_a_phone(phone: Page) -> None:
    assert phone.viewport_size == PHONE["viewport"]
    assert phone.evaluate("navigator.maxTouchPoints > 0 && matchMedia('(pointer: coarse)').matches")


def test_profiles_are_separate(
    new_page: NewPage, sign_in: Callable[..., None], live_server: object
) -> None:
    user = get_user_model().objects.create(username="somebody")
    mine, other = new_page(color_scheme="dark"), new_page()
    sign_in(mine, user)
    names = [cookie["name"] for cookie in mine.context.cookies()]
    assert names == [settings.SESSION_COOKIE_NAME]
    assert other.context.cookies() == []
    assert mine.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")

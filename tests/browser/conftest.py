"""A real Chromium on a real server.

Every page is watched: a console error, an uncaught exception, a breach of the content security
policy or a request to another host fails the test that caused it.
"""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from tests.browsing import DESKTOP, PHONE, SECONDS, NewPage, Watch


@pytest.fixture
def watch(live_server: LiveServer) -> Iterator[Watch]:
    """The watch over this test's pages; fails the test at its end."""
    seen = Watch(urlsplit(live_server.url).netloc)
    yield seen
    if problems := seen.verdict():
        pytest.fail("on the pages of this test:\n  " + "\n  ".join(problems), pytrace=False)


@pytest.fixture
def new_page(browser: Browser, live_server: LiveServer, watch: Watch) -> Iterator[NewPage]:
    """Open a page in a new, signed-out profile: `new_page(**PHONE, color_scheme="dark")`."""
    contexts: list[BrowserContext] = []

    def open_page(**options: Any) -> Page:
        options = {**DESKTOP, "locale": "en-US", "timezone_id": "UTC", **options}
        context = browser.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        context.set_default_timeout(SECONDS * 1000)
        watch.attach(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A desktop browser, 1280 x 800."""
    return new_page()


@pytest.fixture
def phone(new_page: NewPage) -> Page:
    """A phone, 390 x 844, with touch."""
    return new_page(**PHONE)


@pytest.fixture
def sign_in(live_server: LiveServer) -> Callable[[Page, AbstractBaseUser], None]:
    """Sign a person in without the form: the page's profile gets the session's cookie."""

    def sign(page: Page, user: AbstractBaseUser) -> None:
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
        page.context.add_cookies([cookie])

    return sign


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Fail on breaches of WCAG 2.2 A and AA in the page as it stands."""
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}

    def check(page: Page) -> None:
        results = Axe().run(page, options=rules)
        if results.violations_count:
            pytest.fail(results.generate_report(), pytrace=False)

    return check

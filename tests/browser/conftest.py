"""A real Chromium on a real server.

Every page is watched: a console error, an uncaught exception, a breach of the content security
policy or a request to another host fails the test that caused it.
"""

import os
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests import chromium

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "has_touch": True,
    "is_mobile": True,
}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
]
REPORT_CSP = """
document.addEventListener("securitypolicyviolation", (event) => console.error(
  `content security policy: ${event.violatedDirective} blocked ${event.blockedURI}`));
"""
SECONDS = 10

NewPage = Callable[..., Page]


class Watch:
    """What went wrong on the pages of one test. A test may `allow` what it provokes."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.problems: list[str] = []
        self.allowed: list[str] = []

    def allow(self, pattern: str) -> None:
        """Expect problems matching this regular expression, e.g. a 404 that the test asks for."""
        self.allowed.append(pattern)

    def attach(self, context: BrowserContext) -> None:
        """Watch every page of this context, popups included."""
        context.add_init_script(REPORT_CSP)
        context.on("request", self.check_host)
        context.on("weberror", lambda error: self.problems.append(f"exception: {error.error}"))
        context.on("console", self.check_console)

    def check_console(self, message: Any) -> None:
        """Keep errors; warnings and logs are the page's own affair."""
        if message.type == "error":
            place = message.location.get("url", "")
            self.problems.append(f"console: {message.text} ({place})")

    def check_host(self, request: Request) -> None:
        """Keep requests that leave this server."""
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != self.host:
            self.problems.append(f"foreign host: {request.url}")

    def verdict(self) -> list[str]:
        """The problems nobody allowed."""
        return [
            problem
            for problem in self.problems
            if not any(re.search(pattern, problem) for pattern in self.allowed)
        ]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    path, node = chromium.find(), chromium.node()
    if not path or not node:
        pytest.fail("no Chromium, or no Node.js; make install-dev brings them", pytrace=False)
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = node
    # Playwright runs an event loop in this thread, which Django takes for an async caller.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        program = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield program
        program.close()


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

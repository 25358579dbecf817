"""A pytest plugin that brings a real Chromium, and a watch over what its pages do.

It knows nothing of the site, which some tests serve themselves and others start as people do.
"""

import os
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

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
SECONDS = 20  # three runs of the suite may share two processors
expect.set_options(timeout=SECONDS * 1000)

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

"""The one-container site, in a frame of another origin, under a user whom nobody knows.

Part of `make image-test`. Chromium is told to keep third parties' cookies out, as browsers will.
"""

import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest
import requests
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect, sync_playwright

from tests import chromium
from tests.browsing import FLAGS
from tests.deploy.containers import Container, ask, engine
from tests.deploy.edge import find_free_ports, start_caddy
from tests.services import Services

EVENT = "open-assistants"
START_SECONDS, STOP_SECONDS = 240, 40
USER = "54321:0"
PORTAL = '<!DOCTYPE html><title>Portal</title><iframe src="{url}" width=1200 height=900></iframe>'
KILL_IMPORTS = """
import os, pathlib, signal
for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
    number = int(path.parent.name)
    if number != os.getpid() and b"imports,exports" in path.read_bytes():
        os.kill(number, signal.SIGKILL)
"""


@dataclass
class Site:
    """One container behind Caddy, and the page of somebody else that shows it."""

    services: Services
    volume: str
    environment: dict[str, str]
    url: str
    portal: str
    container: Container

    def start(self) -> None:
        """Serve; returns once it answers."""
        options = ["--user", USER, "--volume", f"{self.volume}:/var/lib/arena"]
        self.container = Container(self.services, "site", self.environment, options)
        wait_for_site(self)


def wait_for_site(site: Site) -> None:
    """Return once it is ready; fails with its log."""
    deadline = time.monotonic() + START_SECONDS
    address = f"http://127.0.0.1:{site.environment['PORT']}/readyz"
    while time.monotonic() < deadline:
        assert site.container.process.poll() is None, site.container.said()
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(1)
    pytest.fail(site.container.said())


@pytest.fixture(scope="module")
def site(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The sample event, in one container with a volume of its own."""
    https, http, web, portal_https, portal_http, portal = find_free_ports(6)
    folder = tmp_path_factory.mktemp("portal")
    url, portal_url = f"https://localhost:{https}", f"https://127.0.0.1:{portal_https}"
    for name in ("join", "judge"):
        page = PORTAL.format(url=f"{url}/events/{EVENT}/{name}/")
        (folder / f"{name}.html").write_text(page)
    serve_folder(folder, portal)
    start_caddy(services, f"127.0.0.1:{web}", https, http)
    tls = "{\n\tskip_install_trust\n}\nhttps://127.0.0.1:%s {\n"
    tls += "\ttls internal\n\treverse_proxy web:8000\n}\n"
    start_caddy(
        services, f"127.0.0.1:{portal}", portal_https, portal_http, tls % portal_https, "127.0.0.1"
    )
    environment = {
        "DEMO": "1",
        "HTTPS": "1",
        "TRUSTED_PROXIES": "1",
        "ALLOWED_HOSTS": "localhost",
        "CSRF_TRUSTED_ORIGINS": url,
        "SITE_URL": url,
        "FRAME_ANCESTORS": portal_url,
        "HOST": "127.0.0.1",
        "PORT": str(web),
    }
    volume = f"crowd-arena-test-{web}"
    ask("volume", "create", volume)
    site = Site(services, volume, environment, url, portal_url, None)  # type: ignore[arg-type]
    site.start()
    yield site
    site.container.process.send_signal(signal.SIGTERM)
    site.container.process.wait(STOP_SECONDS)
    subprocess.run([*engine(), "volume", "rm", "--force", volume], check=False)


def serve_folder(folder: Path, port: int) -> None:
    """Serve files as long as this process runs."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = HTTPServer(("127.0.0.1", port), handler)
    Thread(target=server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    """A browser that keeps the cookies of third parties out, unless they are partitioned."""
    with sync_playwright() as playwright:
        flags = [*FLAGS, "--test-third-party-cookie-phaseout"]
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=flags)
        yield browser.new_context(ignore_https_errors=True)
        browser.close()


def test_a_visitor_joins_and_judges_in_a_frame_and_all_of_it_stays(
    site: Site, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{site.portal}/join.html")
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="Accept and join").click()
    frame.locator("[data-copy]").first.wait_for()
    frame = open_judging(site, page)
    judge(frame, 2)

    ask("exec", site.container.name, "python3", "-c", KILL_IMPORTS)
    judge(frame, 1)
    again = "imports ended with code -9; starting it again in 1 s"
    assert again in wait_for_word(site, "imports ended")

    site.container.process.send_signal(signal.SIGTERM)
    assert site.container.process.wait(STOP_SECONDS) == 0, site.container.said()
    site.start()
    frame = open_judging(site, page)
    expect(frame.locator(".judge-count .num")).to_have_text("3")


def test_nobody_else_may_frame_it(site: Site) -> None:
    answer = requests.get(f"{site.url}/", verify=False, timeout=20)
    assert f"frame-ancestors {site.portal}" in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers


def open_judging(site: Site, page: Page) -> FrameLocator:
    """The next matchup in the frame, after the guidelines if they are still to be read."""
    page.goto(f"{site.portal}/judge.html")
    frame = page.frame_locator("iframe")
    read = frame.get_by_role("button", name="I have read this")
    read.or_(frame.locator("#answer")).first.wait_for()
    if read.count():
        read.click()
    frame.locator("#answer").wait_for()
    return frame


def judge(frame: FrameLocator, count: int) -> None:
    """Answer so many matchups."""
    number = frame.locator(".judge-count .num")
    before = int(number.inner_text())
    for done in range(before, before + count):
        frame.locator("#answer .segments .segment").nth(done % 5).click()
        frame.get_by_role("button", name="Submit").click()
        expect(number).to_have_text(str(done + 1), timeout=20_000)


def wait_for_word(site: Site, word: str) -> str:
    """The container's log once it has these words."""
    deadline = time.monotonic() + 30
    while word not in site.container.said() and time.monotonic() < deadline:
        time.sleep(0.5)
    return site.container.said()

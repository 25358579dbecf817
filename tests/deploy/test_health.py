"""deploy/health.py: what each process must do to be called healthy. That it knows the command lines
of real ones is in tests/monitoring."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest
from django.core.cache import cache

from arena.beat import SIGN_KEY
from arena.celery import app
from tests.test_serve import free_port

PYTHON = "/opt/venv/bin/python3"
WEB = [PYTHON, "/opt/venv/bin/gunicorn", "arena.wsgi", "--bind", "0.0.0.0:8000"]
CELERY = [PYTHON, "/opt/venv/bin/celery", "--quiet", "-A", "arena"]
WORKER = [*CELERY, "worker", "--queues", "boards,sweeps", "--hostname", "boards@%h"]
BEAT = [*CELERY, "beat"]
COMMAND = [PYTHON, "manage.py", "migrate"]
CHECK = [PYTHON, "deploy/health.py"]


class Processes:
    """Processes as Linux would list them in /proc."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, number: int, parent: int, words: list[str]) -> Path:
        """One more; the folder of all of them."""
        process = self.folder / str(number)
        process.mkdir()
        (process / "stat").write_text(f"{number} (a name) S {parent} 0 0")
        (process / "cmdline").write_text("".join(f"{word}\0" for word in words))
        return self.folder


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path)


@pytest.fixture
def status(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """What web answers at each path."""
    answers = {"/readyz": 200}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers.get(self.path, 404))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever).start()
    monkeypatch.setenv("PORT", str(server.server_port))
    yield answers
    server.shutdown()
    server.server_close()


def test_web_has_to_be_ready(
    health: ModuleType,
    processes: Processes,
    status: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = processes.add(1, 0, WEB)
    assert health.main(folder) == 0
    status["/readyz"] = 503
    assert health.main(folder) == 1
    monkeypatch.setenv("PORT", str(free_port()))
    assert health.main(folder) == 1


@pytest.mark.parametrize(("answers", "code"), [([{"boards@this": {"ok": "pong"}}], 0), ([], 1)])
def test_worker_is_asked_by_name(
    health: ModuleType,
    processes: Processes,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[object],
    code: int,
) -> None:
    asked = []

    def ping(**options: object) -> list[object]:
        asked.append(options["destination"])
        return answers

    monkeypatch.setattr(app.control, "ping", ping)
    monkeypatch.setattr(health.socket, "gethostname", lambda: "this")
    assert health.main(processes.add(1, 0, WORKER)) == code
    assert asked == [["boards@this"]]


def test_beat_has_to_leave_signs(health: ModuleType, processes: Processes) -> None:
    folder = processes.add(1, 0, BEAT)
    assert health.main(folder) == 1
    cache.set(SIGN_KEY, time.time())
    assert health.main(folder) == 0
    cache.set(SIGN_KEY, time.time() - 61)
    assert health.main(folder) == 1


def test_an_init_in_front_changes_nothing(health: ModuleType, processes: Processes) -> None:
    processes.add(1, 0, ["/sbin/docker-init", "--", "deploy/entry.sh", "beat"])
    processes.add(9, 0, CHECK)
    processes.add(12, 7, BEAT)
    folder = processes.add(7, 1, ["/bin/sh", "-c", "celery beat"])
    assert health.main(folder) == 1
    cache.set(SIGN_KEY, time.time())
    assert health.main(folder) == 0


def test_what_is_not_known_is_ill(health: ModuleType, processes: Processes) -> None:
    processes.add(1, 0, ["/sbin/docker-init", "--", "sleep", "infinity"])
    processes.add(7, 1, ["sleep", "infinity"])
    # Somebody looks at something by `docker exec`; a check that is running asks nobody else.
    processes.add(20, 0, COMMAND)
    assert health.main(processes.add(21, 0, CHECK)) == 1


def test_one_off_commands_have_nothing_to_answer(health: ModuleType, processes: Processes) -> None:
    assert health.main(processes.add(1, 0, COMMAND)) == 0

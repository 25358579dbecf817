"""serve.py: web server, workers and beat start together and stop together."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.db import connection

from serve import read_procfile
from tests.services import ROOT, Services

SECONDS = 60
Serve = Callable[..., subprocess.Popen[str]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def serve(transactional_db: None, services: Services) -> Iterator[Serve]:
    """Start serve.py on the test database with the embedded broker; kill what is left over."""
    started = []

    def start(*options: str, **environment: str) -> subprocess.Popen[str]:
        known = services.environment(Path(connection.settings_dict["NAME"]).name)
        process = subprocess.Popen(
            [sys.executable, "serve.py", "--then", "echo the web server answers", *options],
            cwd=ROOT,
            env={**os.environ, **known, "REDIS_URL": "", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=SECONDS)


def wait_for(process: subprocess.Popen[str], *texts: str) -> list[str]:
    """Read its output until lines with all these texts have come; returns what was read."""
    assert process.stdout
    missing, seen = set(texts), []
    for line in process.stdout:
        seen.append(line)
        missing -= {text for text in missing if text in line}
        if not missing:
            return seen
    pytest.fail(f"it ended without saying {missing}:\n{''.join(seen)}")


def test_ctrl_c_stops_everything(serve: Serve) -> None:
    port = free_port()
    process = serve(PORT=str(port), LOG_LEVEL="INFO")
    wait_for(process, "the web server answers", "ready.")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/") as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=SECONDS)  # ends when nobody holds the pipe any more
    assert process.returncode == 0
    assert "Warm shutdown" in output
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/")


@pytest.fixture
def few(tmp_path: Path) -> tuple[str, ...]:
    """Options to serve with three processes of the site's: web, one kind of worker, and beat."""
    path = tmp_path / "Procfile"
    commands = dict(read_procfile())
    path.write_text("".join(f"{name}: {commands[name]}\n" for name in ("web", "boards", "beat")))
    return "--procfile", str(path)


def test_nothing_is_said_before_the_last_word(serve: Serve, few: tuple[str, ...]) -> None:
    process = serve(*few, PORT=str(free_port()))
    assert process.stdout
    assert process.stdout.readline() == "the web server answers\n"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=SECONDS)
    assert "superuser" not in output


def test_one_that_ends_takes_the_others_along(serve: Serve, few: tuple[str, ...]) -> None:
    process = serve(*few, PORT=str(free_port()), WORKERS="as-many-as-you-like")
    output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "serve: boards ended with code 2; stopping the others" in output


def test_kept_running_one_that_ends_is_started_again(serve: Serve) -> None:
    port = free_port()
    options = ("--keep-running", "--procfile", "deploy/Procfile.one")
    told = {"HOST": "127.0.0.1", "LOG_LEVEL": "INFO", "LOG_JSON": "1"}
    process = serve(*options, PORT=str(port), **told)
    wait_for(process, "the web server answers", "imports@", "ready.")
    family = psutil.Process(process.pid).children(recursive=True)
    (imports,) = (
        one for one in family if "imports,exports" in one.cmdline() and one.ppid() == process.pid
    )
    left_behind = imports.children()
    imports.kill()
    again = "serve: imports ended with code -9; starting it again in 1 s"
    seen = wait_for(process, again, "ready.")
    (line,) = (line for line in seen if again in line)
    assert json.loads(line).items() >= {"event": again, "level": "error", "logger": "serve"}.items()
    assert not [one for one in left_behind if one.is_running() and one.status() != "zombie"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/") as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 0


def test_busy_port_is_said_at_once(serve: Serve) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        process = serve(PORT=str(port))
        output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert output == (
        f"Cannot listen on 127.0.0.1:{port}: Address already in use. "
        f"Choose another port, as in PORT={port + 1}\n"
    )

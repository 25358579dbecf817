"""A site of its own: the processes of `make run`, in an environment as bare as a new terminal's."""

import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.services import ROOT, die_with_parent, stop_process

PATIENCE = 90
# Where there is nothing else in a terminal, these are.
TERMINAL = ("PATH", "HOME", "LANG", "TMPDIR")
# One line a request: status, where a redirect leads, and the path, which may hold blanks.
ACCESS = "%(s)s %({location}o)s %(U)s"


class Site:
    """Web server, worker and beat on a free port, with a folder for their state."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.access, self.output = folder / "access.log", folder / "output.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.commands: Counter[str] = Counter()
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = {
            **{name: os.environ[name] for name in TERMINAL if name in os.environ},
            "ARENA_VAR": str(folder / "var"),
            "SECRET_KEY": secrets.token_hex(32),
            "HTTPS": "0",
            "LOG_JSON": "0",
            "LOG_LEVEL": "INFO",  # the worker says which tasks it has received
            "GUNICORN_CMD_ARGS": f"--access-logfile {self.access} --access-logformat '{ACCESS}'",
            **environment,
        }

    def start(self, target: str = "run") -> str:
        """Do what `make run` does, but for installing; returns what it has said once it serves."""
        *first, last = self.recipe(target)
        exported = self.environment | {"PORT": str(self.port)}  # by the Makefile, to its recipes
        for line in first:
            self.run(line, environment=exported)
        self.note_commands(last)
        with self.output.open("ab") as sink:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", last],
                cwd=ROOT,
                env=exported,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call
            )
        return self.wait_for_words("Ctrl-C stops")

    def recipe(self, target: str) -> list[str]:
        """The commands that make would run for a target, as it would write them."""
        make = ["make", "--dry-run", "--no-print-directory", target]
        make += [f"PORT={self.port}", f"VENV={sys.prefix}"]
        lines = subprocess.check_output(make, cwd=ROOT, env=self.environment, text=True)
        return [line for line in lines.splitlines() if re.search(r"(manage|serve)\.py", line)]

    def stop(self) -> None:
        """Press Ctrl-C, as it were."""
        if self.process is not None:
            stop_process(self.process)
            self.process = None

    def run(self, line: str, folder: Path = ROOT, environment: dict[str, str] | None = None) -> str:
        """A line typed in a terminal; returns what it printed."""
        self.note_commands(line)
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            check=False,
            cwd=folder,
            env=environment or self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.fail(f"{line}\n{done.stdout}{done.stderr}", pytrace=False)
        return done.stdout

    def note_commands(self, line: str) -> None:
        """Remember which commands of manage.py a line runs; asking for help is not running one."""
        if "--help" not in line:
            self.commands.update(re.findall(r"manage\.py (\w+)", line))

    def manage(self, line: str) -> str:
        """A command of manage.py."""
        return self.run(f"{sys.executable} manage.py {line}")

    def send_task(self, name: str) -> None:
        """Hand a task to the site's worker, and wait until it has begun it."""
        before = self.received()[name]
        self.run(f"{sys.executable} -m celery --quiet -A arena call {name}")
        deadline = time.monotonic() + PATIENCE
        while self.received()[name] == before:
            assert time.monotonic() < deadline, f"{name} did not reach the worker"
            time.sleep(0.2)

    def received(self) -> Counter[str]:
        """How often the worker has received each task."""
        return Counter(re.findall(r"Task ([\w.]+)\[[\w-]+\] received", self.said()))

    def said(self) -> str:
        """What the processes have printed so far."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def wait_for_words(self, pattern: str) -> str:
        """What the processes have printed, once it holds this."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.said()):
            ended = self.process is None or self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                pytest.fail(f"it never said {pattern!r}:\n{self.said()}", pytrace=False)
            time.sleep(0.1)
        return self.said()

    def trouble(self) -> list[str]:
        """What the processes have complained of."""
        wrong = re.compile(
            r"raised unexpected|\[(error|critical) *\]|CRITICAL|Internal Server Error"
        )
        return [line for line in self.said().splitlines() if wrong.search(line)]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

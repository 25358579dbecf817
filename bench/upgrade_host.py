"""The steps of deploy/upgrade.sh for `bench.upgrade`, with processes instead of containers.

`STEPS="python -m bench.upgrade_host FILE"`; the file says what runs, and a version is
a folder with its code. Caddy is the real one, and its configuration the shipped one.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from bench.sites import find_free_port

READY_SECONDS = 120
STOP_SECONDS = 60


@contextmanager
def open_site(path: Path) -> Iterator[dict[str, Any]]:
    """What the file says, one process at a time; it is written at the end."""
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        site = json.load(file)
        yield site
        file.seek(0)
        file.truncate()
        json.dump(site, file)


def read_site(path: Path) -> dict[str, Any]:
    with open_site(path) as site:
        return site


class Host:
    """Does one step; each word of the script is a method."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.site = read_site(path)

    def environment(self, version: str, **more: str) -> dict[str, str]:
        static = Path(self.site["folder"]) / f"static-{version}"
        return {**os.environ, **self.site["environment"], "STATIC_ROOT": str(static), **more}

    def manage(self, version: str, *words: str) -> int:
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=self.site["versions"][version], env=self.environment(version),
            stdout=sys.stderr, check=False,
        ).returncode  # fmt: skip

    def current(self) -> int:
        print(self.site["current"])
        return 0

    def build(self, version: str) -> int:
        return self.manage(version, "collectstatic", "--no-input", "--verbosity", "0")

    def migrate(self, version: str) -> int:
        return self.manage(version, "migrate", "--no-input", "--verbosity", "0")

    def list(self, role: str) -> int:
        for name, process in self.site["running"].items():
            if process["role"] == role:
                print(name)
        return 0

    def start(self, version: str, role: str, _count: str) -> int:
        """One process, as the version's own Procfile has it."""
        port = find_free_port()
        procfile = (Path(self.site["versions"][version]) / "Procfile").read_text()
        command = next(line for line in procfile.splitlines() if line.startswith(f"{role}: "))
        name = f"{role}-{version}-{port}"
        # Two containers would have two names.
        command = command.split(": ", 1)[1].replace("@%h", f"@{name}")
        log = Path(self.site["folder"]) / f"{name}.log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                ["sh", "-c", f"exec {command}"],
                cwd=self.site["versions"][version], env=self.environment(version, PORT=str(port)),
                stdout=sink, stderr=sink, start_new_session=True,
            )  # fmt: skip
        if not is_ready(process, port if role == "web" else 0):
            process.kill()
            print(log.read_text()[-2000:], file=sys.stderr)
            return 1
        with open_site(self.path) as site:
            site["running"][name] = {"role": role, "port": port, "pid": process.pid}
        print(name)
        return 0

    def route(self, *names: str) -> int:
        running = self.site["running"].values()
        ports = [self.site["running"][name]["port"] for name in names]
        ports = ports or [process["port"] for process in running if process["role"] == "web"]
        web = " ".join(f"127.0.0.1:{port}" for port in ports)
        words = ["reload", "--config", self.site["caddyfile"], "--adapter", "caddyfile"]
        words += ["--address", self.site["admin"]]
        environment = {**os.environ, "SITE_HOST": self.site["url"], "WEB": web}
        return subprocess.run(
            [self.site["caddy"], *words], env=environment, capture_output=True, check=False
        ).returncode

    def stop(self, name: str) -> int:
        pid = self.site["running"][name]["pid"]
        stop_process(pid)
        with open_site(self.path) as site:
            del site["running"][name]
        return 0

    def remember(self, version: str) -> int:
        with open_site(self.path) as site:
            site["current"] = version
        return 0

    def tidy(self, _count: str) -> int:
        return 0


def is_ready(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Whether web answers, or another process has stayed for some seconds."""
    deadline = time.monotonic() + READY_SECONDS
    stays_until = time.monotonic() + 8
    while process.poll() is None and time.monotonic() < deadline:
        if not port and time.monotonic() > stays_until:
            return True
        try:
            if port and requests.get(f"http://127.0.0.1:{port}/health/", timeout=5).ok:
                return True
        except requests.RequestException:
            pass
        time.sleep(0.3)
    return False


def stop_process(pid: int) -> None:
    """SIGTERM, and SIGKILL for whoever does not end; some are children of another process."""
    try:
        os.kill(pid, signal.SIGTERM)
        for _ in range(STOP_SECONDS * 10):
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
            time.sleep(0.1)
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, FileNotFoundError):
        pass


if __name__ == "__main__":
    host = Host(Path(sys.argv[1]))
    sys.exit(getattr(host, sys.argv[2])(*sys.argv[3:]))

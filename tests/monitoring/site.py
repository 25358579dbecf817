"""Real processes of one site on the tests' database: gunicorn of two workers, beat, a worker."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import requests

from tests.services import ROOT, Services
from tests.test_serve import free_port

TOKEN = "a-token-for-the-tests-alone"


class Site:
    """Processes that log to one file, as JSON."""

    def __init__(self, services: Services, database: str, name: str) -> None:
        self.services = services
        self.log = services.folder / f"{name}.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            **services.environment(database),
            "PORT": str(self.port),
            "LOG_JSON": "1",
            "METRICS_TOKEN": TOKEN,
            "REDIS_PREFIX": f"{name}-",
            "SECRET_KEY": "for-a-site-of-the-tests",
            "WEB_WORKERS": "2",
        }

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start one process, by the program that the Procfile names."""
        command = [str(Path(sys.executable).with_name(words[0])), *words[1:]]
        return self.services.start(command, self.log, env=self.environment, cwd=ROOT)

    def get(self, path: str, **headers: str) -> requests.Response:
        """Ask web, by a connection of its own and as a machine would."""
        every = {"Host": "10.0.0.5", "Connection": "close", **headers}
        return requests.get(f"{self.url}{path}", headers=every, timeout=60)

    def status(self, path: str) -> int:
        """The status of an answer; 0 where there is none."""
        try:
            return self.get(path).status_code
        except requests.ConnectionError:
            return 0

    def is_settled(self, status: int) -> bool:
        """Whether `/readyz` answers with this status from whichever of its processes: each keeps
        an answer of its own for five seconds."""
        return all(self.status("/readyz") == status for _ in range(20))

    def tells(self, problem: str) -> bool:
        """Whether none of its processes is ready, and the log names this problem among others
        (beat's sign goes at the end of each test)."""
        return self.is_settled(503) and problem in self.log.read_text()

    def figures(self) -> dict[str, float]:
        """What Prometheus reads, by name and labels."""
        page = self.get("/metrics", Authorization=f"Bearer {TOKEN}").text
        lines = [line for line in page.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    def lines(self) -> list[str]:
        """The log so far."""
        return self.log.read_text().splitlines()

    def events(self) -> list[dict[str, str]]:
        """The log so far, each line of which is JSON."""
        return [json.loads(line) for line in self.lines()]

    def errors(self) -> str:
        """What the command that finds errors says of the log."""
        command = [sys.executable, str(ROOT / "deploy" / "errors.py")]
        done = subprocess.run(
            command, stdin=self.log.open(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 1, done
        return done.stdout


def children_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The processes that it has started."""
    return psutil.Process(process.pid).children()


def command_line(process: subprocess.Popen[bytes]) -> list[str]:
    """The words of a running process, as Linux tells them."""
    return Path(f"/proc/{process.pid}/cmdline").read_text().rstrip("\0").split("\0")

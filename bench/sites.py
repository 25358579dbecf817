"""The two sites of `bench.serving`: the product as `make run` starts it, and the bare pair."""

# ruff: noqa: PLC0415 - Django is set up once the services it points at are running
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil
import psycopg
import requests

ROOT = Path(__file__).resolve().parent.parent
SECRET = "for-a-bench-on-this-machine-alone"
SLUG = "load"
# Judgments of the first seconds are not measured: connections, imports, caches.
WARM_UP_SECONDS = 2.0
# Contributors who take turns while fewer work at the same time, so that nobody exceeds a rate
# limit; each opens one page before the first judgment, for which there is time enough.
AT_WORK, MAX_TURNS, OPENING_SECONDS = 320, 80, 300


@dataclass
class Site:
    """A site that is served, and whose contributors have sessions."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    sessions: Path
    acknowledged: list[str] = field(default_factory=list)

    def megabytes(self) -> float:
        """Memory of the web processes, shared pages divided among them."""
        processes = list_web_processes(self.process.pid)
        return sum(one.memory_full_info().pss for one in processes) / 1e6


@dataclass(frozen=True)
class Run:
    """What a number of people saw at a site."""

    people: int
    judgments: int
    per_second: float
    p50: float
    p95: float
    p99: float
    p999: float
    processor_ms: float
    megabytes: float
    failures: dict[str, int]


def list_web_processes(pid: int) -> list[psutil.Process]:
    """Gunicorn and its workers, under the process that serves a site."""
    family = psutil.Process(pid)
    everyone = [family, *family.children(recursive=True)]
    return [one for one in everyone if any("gunicorn" in part for part in one.cmdline())]


def measure_processor(pid: int) -> float:
    """Processor seconds that the web processes of a site have used so far."""
    times = [process.cpu_times() for process in list_web_processes(pid)]
    return sum(each.user + each.system for each in times)


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def build_environment(services: Any, port: int, database: str) -> dict[str, str]:
    """Settings of a site like a deployed one, on plain HTTP."""
    settings = services.environment(database) | {
        "DEBUG": "0",
        "SECRET_KEY": SECRET,
        "LOG_LEVEL": "WARNING",
        "PORT": str(port),
        "STATIC_ROOT": str(services.folder / "var" / "static"),
    }
    return {**os.environ, **settings}


def serve_product(services: Any, users: list[Any], port: int) -> Site:
    """Web server, workers and beat, as `make run` starts them; these users are signed in."""
    from bench.sessions import make_sessions

    sessions = services.folder / "sessions.json"
    sessions.write_text(json.dumps(make_sessions(users)))
    log = services.folder / "serve.log"
    process = services.start([sys.executable, "serve.py"], log, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    wait_for(f"{url}/health/", log)
    return Site("product", url, process, sessions)


def serve_bare(services: Any, pairs: int, people: int) -> Site:
    """The bare pair in a database of its own on the same server."""
    if services.database == "postgresql":
        address = services.database_url("postgres").replace("postgres://", "postgresql://")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CREATE DATABASE bare")
    port = find_free_port()
    environment = build_environment(services, port, "bare")
    environment["DJANGO_SETTINGS_MODULE"] = "bench.bare.settings"
    sessions = services.folder / "bare-sessions.json"
    command = [sys.executable, "-m", "bench.bare.prepare", str(pairs), str(people), str(sessions)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    log = services.folder / "bare.log"
    command = [sys.executable, "-m", "gunicorn", "bench.bare.wsgi", "--bind", f"127.0.0.1:{port}"]
    process = services.start(command, log, cwd=ROOT, env=environment)
    url = f"http://127.0.0.1:{port}"
    wait_for(f"{url}/next/", log)
    return Site("bare", url, process, sessions)


def wait_for(url: str, log: Path) -> None:
    """Return when the address answers anything."""
    for _ in range(240):
        try:
            requests.get(url, timeout=5, allow_redirects=False)
        except requests.RequestException:
            time.sleep(0.5)
        else:
            return
    raise SystemExit(log.read_text()[-3000:])


def run_load(site: Site, people: int, seconds: float, think: float = 0.0) -> Run:
    """So many people judge at this site for so long."""
    results = site.sessions.with_suffix(f".{people}.results")
    environment = os.environ | {
        "BENCH_SITE": site.name,
        "BENCH_SLUG": SLUG,
        "BENCH_THINK": str(think),
        "BENCH_SECONDS": str(seconds),
        "BENCH_SITE_PID": str(site.process.pid),
        "BENCH_SESSIONS": str(site.sessions),
        "BENCH_PER_USER": str(1 if think else min(MAX_TURNS, max(1, AT_WORK // people))),
        "BENCH_RESULTS": str(results),
    }
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "bench" / "load.py"), "--headless"]
    command += [
        "-u",
        str(people),
        "-r",
        str(people),
        "-t",
        f"{seconds + OPENING_SECONDS:g}s",
        "--host",
        site.url,
    ]
    command += ["--only-summary", "--loglevel", "ERROR", "--exit-code-on-error", "0"]
    log = results.with_suffix(".log")
    with log.open("wb") as sink:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=sink, stderr=sink, check=False
        )
    if done.returncode or not results.exists():
        raise SystemExit(log.read_text()[-3000:])
    seen = json.loads(results.read_text())
    if not seen["judged"]:
        raise SystemExit(log.read_text()[-3000:])
    site.acknowledged += seen["acknowledged"]
    return summarize_run(seen, people, site.megabytes())


def summarize_run(seen: dict[str, Any], people: int, megabytes: float) -> Run:
    """The figures of one run."""
    judged = seen["judged"]
    if len(judged) < 10:
        raise SystemExit(f"only {len(judged)} judgments; failures: {seen['failures']}")
    begin = judged[0][0] - judged[0][1] + WARM_UP_SECONDS
    warm = [(end, took) for end, took in judged if end - took >= begin] or judged
    took = [each for _, each in warm]
    cuts = quantiles(took, n=1000, method="inclusive")
    elapsed = max(end for end, _ in warm) - min(end - each for end, each in warm)
    return Run(
        people=people,
        judgments=len(judged),
        per_second=len(warm) / elapsed,
        p50=cuts[499],
        p95=cuts[949],
        p99=cuts[989],
        p999=cuts[998],
        processor_ms=1000 * seen["processor"] / len(judged),
        megabytes=megabytes,
        failures=dict(seen["failures"]),
    )

"""What becomes of judgments when processes are killed and servers stop.

    python -m bench.faults [--quick] [--only kills,stops,exhaustion,tasks,redis] [--database sqlite]

The real thing on this machine: gunicorn, a PostgreSQL that waits for the disk, Redis, several
people at once. At the end of each part the database is compared with what people were told:

kills       web workers are killed between two statements of a submission
stops       PostgreSQL stops at once and comes back, under load (only there)
exhaustion  an event is judged to its end amid skips, flags, expiries and killed workers
tasks       Celery tasks are sent several times, in another order, or killed
redis       Redis stops under load and comes back empty
"""

# ruff: noqa: PLC0415 - Django is set up once the services it points at are running
import argparse
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from bench.sites import ROOT, build_environment, find_free_port

PARTS = {
    "kills": "bench.fault_kills",
    "stops": "bench.fault_stops",
    "exhaustion": "bench.fault_exhaustion",
    "tasks": "bench.fault_tasks",
    "redis": "bench.fault_redis",
}


@dataclass(frozen=True)
class Scale:
    """How often is disturbed, and how much is judged meanwhile."""

    kills: int
    stops: int
    # Of the event that is judged to its end.
    records: int
    overlap: int
    # Who judge at the same time.
    people: int
    # Celery tasks that are sent twice, in another order, or killed.
    tasks: int
    redis_stops: int


FULL = Scale(kills=1_000, stops=12, records=400, overlap=5, people=32, tasks=1_000, redis_stops=5)
QUICK = Scale(kills=12, stops=1, records=40, overlap=3, people=8, tasks=30, redis_stops=1)
# SQLite has one writer at a time.
SQLITE_PEOPLE = 8


def main() -> None:
    """Start the services, create the tables, and run one part after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few of each")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between them")
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    scale = QUICK if options.quick else FULL
    if options.database == "sqlite":
        scale = replace(scale, people=min(scale.people, SQLITE_PEOPLE))
    from tests.services import Services

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a time limit cleans up, too
    services = Services(options.database)
    try:
        prepare(services)
        for part in parts:
            print(f"--- {part} on {options.database}", flush=True)
            import_module(PARTS[part]).measure(services, scale)
    finally:
        services.stop()


def prepare(services: Any) -> None:
    """Start what the site needs, point Django at it, create the tables."""
    is_postgresql = services.database == "postgresql"
    if is_postgresql:
        services.start_postgresql(durable=True)
    services.start_redis()
    database = "postgres" if is_postgresql else "arena"
    os.environ.update(build_environment(services, find_free_port(), database))
    os.environ["SQLITE_SYNCHRONOUS"] = "FULL"
    manage = [sys.executable, "manage.py"]
    for command in (["migrate"], ["collectstatic", "--no-input"]):
        subprocess.run([*manage, *command, "-v0"], cwd=ROOT, check=True)
    import django

    django.setup()


if __name__ == "__main__":
    main()

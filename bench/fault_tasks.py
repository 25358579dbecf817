"""Celery tasks that are sent several times, in another order, or whose processes are killed, beside
a clean run of the same; and Redis that stops under load. A part of `bench.faults`.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import psycopg
import redis
from django.db import connections

from arena.events.models import Event
from bench.goals import print_goal
from bench.sites import ROOT

Report = dict[str, Any]


class Scale(Protocol):
    """What is read of the scale of `bench.faults`."""

    @property
    def tasks(self) -> int: ...


def measure(services: Any, scale: Scale) -> None:
    """Play the scenario twice, each in a database of its own, and compare."""
    clean = play(services, scale.tasks, "clean")
    disturbed = play(services, scale.tasks, "disturbed", "--disturbed")
    print(
        f"{disturbed['messages']} messages, each task sent 2 to 5 times in any order; "
        f"{disturbed['kills']} processes killed, {disturbed['lost']} of them in a task"
    )
    print_goal("faults_tasks_disturbed", disturbed["messages"], scale.tasks, at_least=True)
    differing = list(compare(clean, disturbed))
    for line in [*differing, *clean["problems"], *disturbed["problems"]]:
        print(line)
    print_goal("faults_tasks_hash_differs", len(differing), 0)
    print_goal("faults_tasks_problems", len(clean["problems"]) + len(disturbed["problems"]), 0)
    for line in disturbed["half_published"]:
        print(line)
    print_goal("faults_tasks_half_published", len(disturbed["half_published"]), 0)


def play(services: Any, tasks: int, name: str, *options: str) -> Report:
    """One run in a process of its own; what it has seen."""
    var = services.folder / f"tasks-{name}"
    var.mkdir()
    environment = os.environ | services.environment(f"tasks_{name}") | {
        "ARENA_VAR": str(var), "DEBUG": "0", "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    copy_tables(services, f"tasks_{name}")
    if Event.objects.exists():
        flush = [sys.executable, "manage.py", "flush", "-v0", "--no-input"]
        subprocess.run(flush, cwd=ROOT, env=environment, check=True)
    redis.Redis.from_url(services.redis_url).flushdb()
    result, log = services.folder / f"tasks-{name}.json", services.folder / f"tasks-{name}.log"
    command = [sys.executable, "-m", "bench.task_faults.run", str(result), str(tasks), *options]
    process = services.start(command, log, cwd=ROOT, env=environment)
    if process.wait() or not result.exists():
        raise SystemExit(log.read_text()[-4000:])
    report: Report = json.loads(result.read_text())
    report["lost"] = count_lost(log)
    print(f"{name} run: {report['seconds']:.0f} s", flush=True)
    return report


def copy_tables(services: Any, name: str) -> None:
    """A database like that of the other parts; another part may have left something in it."""
    connections.close_all()  # nobody may use what is copied
    if services.database == "sqlite":
        shutil.copy(services.folder / "arena", services.folder / name)
        return
    address = services.database_url("template1").replace("postgres://", "postgresql://")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE postgres")


def count_lost(log: Path) -> int:
    """Tasks whose process ended under them, as the workers say."""
    return log.read_text().count("Worker exited prematurely: signal 9")


def compare(clean: Report, disturbed: Report) -> list[str]:
    """After which acts the two differ, and where first in each part of the state."""
    acts = enumerate(zip(disturbed["acts"], clean["acts"], strict=True), 1)
    return [
        f"after act {number}: {next(find_differences(parts[part], theirs[event][part], path))}"
        for number, (ours, theirs) in acts
        for event, parts in ours.items()
        for part in parts
        if parts[part] != theirs[event][part]
        for path in [f"{event}/{part}"]
    ]


def find_differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Every place in which two states differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        for key in ours:
            yield from find_differences(ours[key], theirs[key], f"{path}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from find_differences(one, other, f"{path}/{place}")
    elif ours != theirs:
        yield f"{path} is {str(ours)[:200]}, and in the clean run {str(theirs)[:200]}"

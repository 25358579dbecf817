"""Celery workers as processes of the tests."""

import subprocess
from pathlib import Path

import redis
from kombu.exceptions import OperationalError

from arena import celery_app
from tests.services import Services, stop_process, wait_until

# A connection that is kept from an earlier test may be one to a Redis that was stopped there.
GONE = (redis.ConnectionError, OperationalError)


def wait_for_workers(
    process: subprocess.Popen[bytes], log: Path | None = None, *, count: int = 1
) -> None:
    """Return once so many workers answer; `process` is the one whose end ends the wait."""
    wait_until(lambda: len(celery_app.control.ping(timeout=1)) == count, process, log, GONE)


def stop_started(services: Services, processes: list[subprocess.Popen[bytes]]) -> None:
    """Stop the processes of one test, the last one first."""
    for process in reversed(processes):
        services.processes.remove(process)
        stop_process(process)

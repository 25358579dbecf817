"""Running many calls in parallel, each with a database connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

Result = TypeVar("Result")


def parallel_map(
    calls: Sequence[Callable[[], Result]], threads: int = 50
) -> list[Result | BaseException]:
    """Run the calls on threads that start together; returns each result or exception."""
    gate = threading.Barrier(min(threads, len(calls)))
    passed = threading.local()

    def run(call: Callable[[], Result]) -> Result:
        if not hasattr(passed, "gate"):
            passed.gate = True
            gate.wait(60)
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(min(threads, len(calls))) as pool:
        futures = [pool.submit(run, call) for call in calls]
    return [future.exception() or future.result() for future in futures]

"""Work on many rows, divided into parts for as many threads as there are processors.

Sums over the parts are equal to the last digit on every machine: the division depends only on the
numbers of rows and sums, and the parts are added in order. It pays only for work that releases the
interpreter's lock: compiled loops, and numpy on long columns.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

MIN_ROWS_PER_PART = 1 << 17
"""Minimum number of rows in a part."""
MAX_PARTS = 8
"""Maximum number of parts: each keeps sums of its own."""
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Number of processors that this process may use."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_parts(work: Callable[[slice], Result], rows: int, sums: int = 0) -> list[Result]:
    """work(part) for all parts of `rows` rows, in order; sums: how many each part accumulates."""
    return parallel_map(work, split_rows(rows, sums))


def parallel_map(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """work(item) for all items, in order, by several threads.

    The other threads start with the first item. The caller starts with the last one that is still
    unclaimed, so that it never waits for threads that are busy elsewhere.
    """
    if len(items) == 1 or THREADS == 1:
        return [work(item) for item in items]
    helpers = _helpers(os.getpid(), THREADS - 1)
    shared = [(item, helpers.submit(work, item)) for item in items]
    results = [
        work(item) if future.cancel() else future.result() for item, future in reversed(shared)
    ]
    return results[::-1]


def split_rows(rows: int, sums: int) -> list[slice]:
    """One, two, four or eight equal slices, each with more rows than sums."""
    worth = min(rows // max(MIN_ROWS_PER_PART, sums), MAX_PARTS)
    count = 1 << max(worth.bit_length() - 1, 0)
    ends = [rows * k // count for k in range(count + 1)]
    return [slice(*ends[k : k + 2]) for k in range(count)]


@cache
def _helpers(process: int, threads: int) -> ThreadPoolExecutor:
    """Threads of this process: keyed by process id, since a fork inherits none."""
    return ThreadPoolExecutor(threads, thread_name_prefix="ratings")

"""Many rows worked on in parts, by as many threads as there are processors.

What is added up in parts is the same to the last digit whatever the machine: the division depends
on the rows and on the sums alone, and the sums of the parts are added in their order. It pays only
for work that lets go of the interpreter's lock: compiled loops, and numpy on long columns.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

MIN_ROWS_PER_PART = 1 << 17
"""Fewer rows are not worth a part, ..."""
MAX_PARTS = 8
"""... and more parts not the sums that each of them keeps."""
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""How many processors this process may use."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_parts(work: Callable[[slice], Result], rows: int, sums: int = 0) -> list[Result]:
    """work(part) of all parts of so many rows, in their order; each keeps so many sums."""
    return parallel_map(work, split_rows(rows, sums))


def parallel_map(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """work(item) of all items, in their order, by several threads.

    Other threads begin with the first item, the caller with the last that none of them has begun,
    so that it waits for nobody who is busy elsewhere.
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
    """Two, four or eight equal parts with more rows than sums, or one."""
    worth = min(rows // max(MIN_ROWS_PER_PART, sums), MAX_PARTS)
    count = 1 << max(worth.bit_length() - 1, 0)
    ends = [rows * k // count for k in range(count + 1)]
    return [slice(*ends[k : k + 2]) for k in range(count)]


@cache
def _helpers(process: int, threads: int) -> ThreadPoolExecutor:
    """Threads of this process: a fork inherits none, and its id asks for its own."""
    return ThreadPoolExecutor(threads, thread_name_prefix="ratings")

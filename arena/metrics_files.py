"""Where gunicorn's workers write what they count: a folder in memory, and a place for each worker.

Read by gunicorn.conf.py, before Django is set up and before `arena.metrics` is imported.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

# The name is the Prometheus client's.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PLACE_VARIABLE = "ARENA_METRICS_PLACE"
PREFIX = "arena-metrics-"
MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes the names in it


def make_folder() -> str:
    """Make this server's folder, once those of servers that are gone have been removed."""
    parent = MEMORY if MEMORY.is_dir() else Path(tempfile.gettempdir())
    for old in parent.glob(f"{PREFIX}*"):
        server = old.name.removeprefix(PREFIX).split("-")[0]
        if not Path("/proc", server).exists() or server == str(os.getpid()):
            remove_folder(str(old))
    return tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent)


def remove_folder(folder: str) -> None:
    """Remove what the workers wrote; what another user owns stays."""
    shutil.rmtree(folder, ignore_errors=True)


def choose_place(taken: Iterable[int]) -> int:
    """The lowest number that no living worker has: the next one goes on with the files of the last
    one there, so that sums never fall and files never grow in number."""
    occupied = set(taken)
    return next(place for place in range(len(occupied) + 1) if place not in occupied)

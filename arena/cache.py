"""The cache of a machine without Redis: files, shared by all its processes."""

import fcntl
import math
import os
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache

SWEEP_SECONDS = 600


class SharedFileCache(FileBasedCache):
    """Django's file cache with `add` and `incr` that are atomic among processes.

    Rate limits and quotas count on both: Django's own lose increments and forget the timeout, and
    make room by chance, which gives back quotas.
    """

    _dir: str
    _max_entries: int
    _key_to_file: Callable[..., str]
    _list_cache_files: Callable[[], list[str]]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the one lock of this cache, which the system releases with a killed process.

        Every ten minutes whoever holds it sweeps; the lock's own time of change tells when.
        """
        folder = Path(self._dir)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if time.time() - os.fstat(lock.fileno()).st_mtime > SWEEP_SECONDS:
                os.utime(lock.fileno())
                self.sweep()
            yield

    def add(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        """Set the key if it is not there; whether it was set."""
        with self.locked():
            return super().add(key, value, timeout, version)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Add to a number that is there, which then expires when it would have before."""
        with self.locked():
            value = self.get(key, version=version)
            if value is None:
                raise ValueError(f"Key {key!r} not found")
            expires = self.expires_at(key, version)
            left = None if expires == math.inf else max(expires - time.time(), 0)
            self.set(key, value + delta, timeout=left, version=version)
        return int(value + delta)

    def expires_at(self, key: str, version: int | None = None) -> float:
        """When the key expires, in seconds since 1970; infinity: never."""
        return read_expiry(Path(self._key_to_file(key, version)))

    def sweep(self) -> None:
        """Delete what has expired and, of more than the limit, what expires soonest.

        So pages and the counts of a minute go first, and the day's quotas and its key last.
        """
        entries = sorted((read_expiry(file), file) for file in map(Path, self._list_cache_files()))
        excess, now = len(entries) - self._max_entries, time.time()
        for place, (moment, file) in enumerate(entries):
            if moment < now or place < excess:
                file.unlink(missing_ok=True)

    def _cull(self) -> None:
        """Nothing is dropped when a key is written: see `sweep`."""


def read_expiry(file: Path) -> float:
    """When this file of a cache expires, which stands first in it; infinity: never."""
    try:
        with file.open("rb") as content:
            moment: float | None = pickle.load(content)  # noqa: S301 - written by the cache
    except (FileNotFoundError, EOFError):
        return 0.0
    return math.inf if moment is None else moment

"""The cache of a machine without Redis: files shared by all of its processes."""

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
    """Django's file cache with `add` and `incr` that are atomic across processes.

    Rate limits and quotas depend on both: Django's own lose increments, forget the timeout, and
    cull at random, which resets quotas.
    """

    _dir: str
    _max_entries: int
    _key_to_file: Callable[..., str]
    _list_cache_files: Callable[[], list[str]]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the cache's lock, which the system releases when a process is killed.

        Every ten minutes the holder sweeps; the lock file's modification time tells when it is due.
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
        """Set the key if it does not exist; returns whether it was set."""
        with self.locked():
            return super().add(key, value, timeout, version)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Increment an existing number without changing when it expires."""
        with self.locked():
            value = self.get(key, version=version)
            if value is None:
                raise ValueError(f"Key {key!r} not found")
            expires = self.expires_at(key, version)
            left = None if expires == math.inf else max(expires - time.time(), 0)
            self.set(key, value + delta, timeout=left, version=version)
        return int(value + delta)

    def expires_at(self, key: str, version: int | None = None) -> float:
        """When the key expires, as a Unix time; infinity if never."""
        return read_expiry(Path(self._key_to_file(key, version)))

    def sweep(self) -> None:
        """Delete expired entries and, above the maximum number, those that expire soonest.

        Cached pages and per-minute counts go first, daily quotas and their key last.
        """
        entries = sorted((read_expiry(file), file) for file in map(Path, self._list_cache_files()))
        excess, now = len(entries) - self._max_entries, time.time()
        for place, (moment, file) in enumerate(entries):
            if moment < now or place < excess:
                file.unlink(missing_ok=True)

    def _cull(self) -> None:
        """Do not cull on writing: see `sweep`."""


def read_expiry(file: Path) -> float:
    """When this cache file expires, stored at its beginning; infinity if never."""
    try:
        with file.open("rb") as content:
            moment: float | None = pickle.load(content)  # noqa: S301 - written by the cache
    except (FileNotFoundError, EOFError):
        return 0.0
    return math.inf if moment is None else moment

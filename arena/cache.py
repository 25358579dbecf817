"""The cache of a machine without Redis: files, shared by all its processes."""

import fcntl
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache


class SharedFileCache(FileBasedCache):
    """Django's file cache with `add` and `incr` that are atomic among processes.

    Rate limits and quotas count on both: Django's own lose increments and forget the timeout.
    """

    _dir: str
    _key_to_file: Callable[..., str]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the one lock of this cache, which the system releases with a killed process."""
        folder = Path(self._dir)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
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
            left = None if expires is None else max(expires - time.time(), 0)
            self.set(key, value + delta, timeout=left, version=version)
        return int(value + delta)

    def expires_at(self, key: str, version: int | None = None) -> float | None:
        """When the key expires, in seconds since 1970; None: never. It stands first in the file."""
        try:
            with Path(self._key_to_file(key, version)).open("rb") as file:
                moment: float | None = pickle.load(file)  # noqa: S301 - written by this cache
        except FileNotFoundError:
            return 0.0
        return moment

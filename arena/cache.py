"""Caches that count: in Redis, and in files shared by the processes of a machine without it.

Rate limits and quotas need a counter that several processes increment, and that ends by itself.
"""

import fcntl
import math
import os
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from django.core.cache import cache
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

SWEEP_SECONDS = 600
Kept = TypeVar("Kept")


class CountingCache(Protocol):
    """A cache with counters."""

    def count(self, key: str, timeout: int) -> int:
        """Increment a counter that ends so many seconds after its first use; its value."""


def count(key: str, timeout: int) -> int:
    """Increment a counter of the site's cache that ends so many seconds after its first use; its
    value."""
    return cast(CountingCache, cache).count(key, timeout)


def keep(key: str, seconds: int, compute: Callable[[], Kept]) -> Kept:
    """The value kept under this key, else the computed one, which is kept for so long; computed
    anew each time while the cache is away."""
    try:
        kept: Kept | None = cache.get(key)
        if kept is None:
            kept = compute()
            cache.set(key, kept, seconds)
    except (RedisError, OSError):
        return compute()
    return kept


class CountingRedisClient(RedisCacheClient):
    """Django's client, made once and not for each command."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clients: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """A client that threads share."""
        if write not in self._clients:
            self._clients[write] = super().get_client(key, write=write)
        return self._clients[write]

    def count(self, key: str, timeout: int) -> int:
        """Begin a counter at 0 where there is none, and increment it, by one trip."""
        commands = self.get_client(key, write=True).pipeline(transaction=False)
        commands.set(key, 0, ex=timeout, nx=True)
        commands.incr(key)
        return int(commands.execute()[-1])


class CountingRedisCache(RedisCache):
    """Django's cache in Redis, with counters."""

    _cache: CountingRedisClient

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = CountingRedisClient

    def count(self, key: str, timeout: int) -> int:
        """See `CountingCache`."""
        return int(self._cache.count(self.make_and_validate_key(key), timeout))


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

    def count(self, key: str, timeout: int) -> int:
        """See `CountingCache`."""
        with self.locked():
            super().add(key, 0, timeout)
        try:
            return self.incr(key)
        except ValueError:  # it ended between the two: a new one begins
            return 1

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

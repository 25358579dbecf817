"""Caches that count: in Redis, and in files shared by the processes of a machine without it.

Rate limits and quotas need a counter that several processes increment, and that ends by itself.
Nothing in a cache is worth an error: while Redis is away, or the disk full, whoever uses it is
served from the memory of the process, allauth included.
"""

import fcntl
import math
import os
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, cast

import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = structlog.get_logger(__name__)
SWEEP_SECONDS = 600
# One try for a connection that has ended between two requests, and no waiting for one that does not
# answer.
REDIS_OPTIONS: dict[str, Any] = {
    "retry": Retry(NoBackoff(), 1),
    "socket_connect_timeout": 1.0,
    "socket_timeout": 2.0,
}
# After a failure a thread leaves the shared cache alone for so long.
AWAY_SECONDS = 3.0
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
    """The value kept under this key, else the computed one, which is kept for so long."""
    kept: Kept | None = cache.get(key)
    if kept is None:
        kept = compute()
        cache.set(key, kept, seconds)
    return kept


class OwnCache(LocMemCache):
    """What one process keeps and counts by itself while the shared cache is away."""

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(name, params | {"OPTIONS": {"MAX_ENTRIES": 10_000}})

    def count(self, key: str, timeout: int) -> int:
        """See `CountingCache`. Each use after the first counts for as many as there are web
        processes, so that all of them together allow what was meant."""
        self.add(key, 0, timeout)
        try:
            uses = self.incr(key)
        except ValueError:  # it ended between the two: a new one begins
            return 1
        return int((uses - 1) * settings.WEB_WORKERS + 1)


class GuardedCache(BaseCache):
    """A shared cache that nothing waits for: without it each process keeps and counts by itself."""

    shared_class: ClassVar[Any]

    def __init__(self, location: Any, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.shared = self.shared_class(location, params)
        self.own = OwnCache(f"own:{location}", params)
        # Until when the shared one is not asked, by the monotonic clock.
        self.away_until = 0.0

    def ask(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method of the shared cache, or of the own one while that is away."""
        if time.monotonic() >= self.away_until:
            try:
                return getattr(self.shared, method)(*args, **options)
            except (RedisError, OSError) as error:
                self.away_until = time.monotonic() + AWAY_SECONDS
                log.error("cache away", reason=type(error).__name__)
        return getattr(self.own, method)(*args, **options)

    def add(self, *args: Any, **options: Any) -> bool:
        return bool(self.ask("add", *args, **options))

    def get(self, *args: Any, **options: Any) -> Any:
        return self.ask("get", *args, **options)

    def set(self, *args: Any, **options: Any) -> None:
        self.ask("set", *args, **options)

    def touch(self, *args: Any, **options: Any) -> bool:
        return bool(self.ask("touch", *args, **options))

    def delete(self, *args: Any, **options: Any) -> bool:
        return bool(self.ask("delete", *args, **options))

    def incr(self, *args: Any, **options: Any) -> int:
        return int(self.ask("incr", *args, **options))

    def count(self, key: str, timeout: int) -> int:
        """See `CountingCache`."""
        return int(self.ask("count", key, timeout))

    def clear(self) -> None:
        self.own.clear()
        self.ask("clear")


class CountingRedisClient(RedisCacheClient):
    """Django's client, made once and not for each command."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **REDIS_OPTIONS | kwargs)
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


class GuardedRedisCache(GuardedCache):
    """The cache of a site with Redis."""

    shared_class = CountingRedisCache


class GuardedFileCache(GuardedCache):
    """The cache of a site without."""

    shared_class = SharedFileCache


def read_expiry(file: Path) -> float:
    """When this cache file expires, stored at its beginning; infinity if never."""
    try:
        with file.open("rb") as content:
            moment: float | None = pickle.load(content)  # noqa: S301 - written by the cache
    except (FileNotFoundError, EOFError):
        return 0.0
    return math.inf if moment is None else moment

"""Temporary storage on the disk between checking and writing, so that memory does not grow with
the file."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

T = TypeVar("T")


@contextmanager
def open_database(cache_kib: int) -> Iterator[sqlite3.Connection]:
    """An empty database in a temporary file that SQLite deletes by itself."""
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute(f"PRAGMA cache_size = -{cache_kib}")
        yield database


class SeenKeys:
    """Keys met so far, with the line of the first and a word on what it said."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        database.execute(
            "CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER, said TEXT) WITHOUT ROWID"
        )

    def first_with(self, key: str, line: int, said: str = "") -> tuple[int, str] | None:
        """Line and word of the first with this key; None: this is the first."""
        done = self.database.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (key, line, said)
        )
        if done.rowcount:
            return None
        found = self.database.execute("SELECT line, said FROM seen WHERE key = ?", (key,))
        line, said = found.fetchone()
        return line, said

    def replace(self, key: str, line: int, said: str) -> None:
        """Replace the line and word that are kept for this key."""
        self.database.execute("REPLACE INTO seen VALUES (?, ?, ?)", (key, line, said))


@contextmanager
def open_seen_keys() -> Iterator[SeenKeys]:
    """An empty `SeenKeys` in a temporary file that SQLite deletes by itself."""
    with open_database(cache_kib=4_096) as database:
        yield SeenKeys(database)


class Spool:
    """Values put down in order and read back once: the checked form of what a file says."""

    def __init__(self, file: IO[str]) -> None:
        self.file = file
        self.count = 0

    def put(self, value: Any) -> None:
        """Append a JSON value."""
        self.file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
        self.count += 1

    def __iter__(self) -> Iterator[Any]:
        self.file.seek(0)
        return map(json.loads, self.file)


@contextmanager
def open_spool() -> Iterator[Spool]:
    """An empty spool in a temporary file."""
    with TemporaryFile("w+", encoding="utf-8", newline="\n") as file:
        yield Spool(file)


def split_by_cost(values: Iterable[T], cost: Callable[[T], float]) -> Iterator[list[T]]:
    """Lists of values whose costs add up to about 1: bounded in memory and in time to write."""
    batch: list[T] = []
    spent = 0.0
    for value in values:
        batch.append(value)
        spent += cost(value)
        if spent >= 1:
            yield batch
            batch, spent = [], 0.0
    if batch:
        yield batch

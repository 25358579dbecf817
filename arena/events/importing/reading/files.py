"""Files to rows with line numbers: JSONL, JSON arrays and CSV, gzipped or not, as a stream.

Memory is bounded by one row whatever the file holds. What is wrong with one row is yielded in
its place; what makes the rest of the file unreadable is raised as `UnreadableFileError`.
"""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from arena.events.importing.reading.budget import IMPORT_BUDGET, Budget, BudgetStream
from arena.events.importing.reading.formats.csv_files import read_csv
from arena.events.importing.reading.formats.json_files import read_json, read_jsonl
from arena.events.importing.reading.formats.unsupported_types import refuse_other_file_types
from arena.events.importing.reading.rows import MAX_ROW_BYTES, Row
from arena.events.importing.report import LineError, UnreadableFileError

# `{"version": 1, "records": [`: a list of records, with nothing but plain values before it.
WRAPPED = re.compile(rb"""\{(\s*"[^"\\]*"\s*:\s*("[^"\\]*"|[\w.+-]+)\s*,)*\s*"records"\s*:""")
FORMATS = ("jsonl", "json", "csv")
SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv", ".json": "json"}
UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
# What reading gives to others; a row itself lives in a module that every format shares.
__all__ = [
    "FORMATS",
    "MAX_ROW_BYTES",
    "Row",
    "Source",
    "guess_format",
    "open_source",
    "read_rows",
]


class CountingStream(io.RawIOBase):
    """A byte stream that knows how much of it has been read."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.done = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        self.done += len(data)
        return len(data)


@dataclass(frozen=True, slots=True)
class Source:
    """An opened file: its bytes as UTF-8 without a mark, and how many are read of how many."""

    stream: BinaryIO
    counted: CountingStream
    total: int | None

    @property
    def done(self) -> int:
        """Bytes read so far, of the file as it lies on the disk."""
        return self.counted.done


@contextmanager
def open_source(source: Path | BinaryIO, budget: Budget = IMPORT_BUDGET) -> Iterator[Source]:
    """Open a file by path, or go on with an open one; gzip, a UTF-8 mark and UTF-16 are taken off.

    Raises `UnreadableFileError` where the first bytes are those of another encoding or kind of
    file; reading on raises it where the budget is used up.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            refuse_other_file_types(peek_bytes(file, 4_000), source.name)
            with open_source(file, budget) as inner:
                yield Source(inner.stream, inner.counted, source.stat().st_size)
        return
    counted = CountingStream(source)
    stream = buffer_stream(counted)
    if peek_bytes(stream, 2) == b"\x1f\x8b":
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=stream))
    stream = buffer_stream(BudgetStream(stream, counted, budget))
    try:
        refuse_other_file_types(peek_bytes(stream, 4_000), "")
        yield Source(decode_to_utf8(stream), counted, None)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFileError(1, f"The file is a damaged gzip archive: {error}") from error


def buffer_stream(raw: Any) -> BinaryIO:
    """A stream with a window to look ahead in."""
    return cast("BinaryIO", io.BufferedReader(raw, 256 * 1024))


def peek_bytes(stream: BinaryIO, size: int) -> bytes:
    """The next bytes, which stay to be read."""
    return cast("io.BufferedReader", stream).peek(size)[:size]


class Utf8Stream(io.RawIOBase):
    """A byte stream in another encoding, as UTF-8."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self.stream = stream
        self.decoder = codecs.getincrementaldecoder(encoding)()
        self.rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.rest:
            data = self.stream.read(64 * 1024)
            try:
                self.rest = self.decoder.decode(data, final=not data).encode()
            except UnicodeDecodeError as error:
                message = f"The file is damaged UTF-16: {error.reason}. Save it as UTF-8."
                raise UnreadableFileError(1, message) from error
            if not data:
                break
        taken, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def decode_to_utf8(stream: BinaryIO) -> BinaryIO:
    """The stream past its mark, as UTF-8: spreadsheets like to write UTF-16 instead."""
    if peek_bytes(stream, 3) == codecs.BOM_UTF8:
        stream.read(3)
        return stream
    head = peek_bytes(stream, 4)
    if head in UTF_32:
        raise UnreadableFileError(1, "The file is UTF-32, not UTF-8. Save it as UTF-8.")
    if encoding := UTF_16.get(head[:2]):
        stream.read(2)
        return buffer_stream(Utf8Stream(stream, encoding))
    if len(head) > 1 and (head[0] == 0) != (head[1] == 0):
        raise UnreadableFileError(1, "The file is UTF-16 (or binary), not UTF-8. Save it as UTF-8.")
    return stream


def guess_format(name: str, head: bytes) -> str:
    """The format that a file's name and first bytes suggest; content wins over the name."""
    head = head.removeprefix(codecs.BOM_UTF8).lstrip()
    name = name.lower().removesuffix(".gz")
    if head.startswith(b"["):
        return "json"
    if head.startswith(b"{"):
        return "json" if is_one_object(head) else "jsonl"
    return SUFFIXES.get(Path(name).suffix, "csv")


def is_one_object(head: bytes) -> bool:
    """Whether an object goes on over several lines, as no line of JSONL does, or wraps records."""
    first, newline, _rest = head.partition(b"\n")
    goes_on = newline and first.rstrip().endswith((b"{", b"[", b",", b":"))
    return bool(goes_on or WRAPPED.match(head))


def read_rows(stream: BinaryIO, format: str) -> Iterator[Row | LineError]:
    """The rows of a stream in one of `FORMATS`."""
    readers: dict[str, Callable[[BinaryIO], Iterator[Row | LineError]]] = {
        "jsonl": read_jsonl,
        "json": read_json,
        "csv": read_csv,
    }
    return readers[format](stream)

"""Files to rows with line numbers: JSONL, JSON arrays and CSV, gzipped or not, as a stream.

Memory is bounded by one row whatever the file holds. What is wrong with one row is yielded in
its place; what makes the rest of the file unreadable is raised as `Unreadable`.
"""

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from arena.events.importing.elements import json_elements
from arena.events.importing.report import LineError, Unreadable

# The longest row, in bytes: far above any prompt with its responses, far below the memory.
LIMIT = 2 * 1024 * 1024
TOO_LONG = f"is longer than {LIMIT // 1024**2} MB"
NEVER_CLOSED = "A quotation mark is opened and never closed."
# `{"version": 1, "records": [`: a list of records, with nothing but plain values before it.
WRAPPED = re.compile(rb"""\{(\s*"[^"\\]*"\s*:\s*("[^"\\]*"|[\w.+-]+)\s*,)*\s*"records"\s*:""")
FORMATS = ("jsonl", "json", "csv")
SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv", ".json": "json"}
# The module's own limit on a cell (128 kB) is process-wide; a row's limit is kept by `CsvLines`.
csv.field_size_limit(LIMIT)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a JSON object, or the cells of a line of CSV by column; `line` is its first."""

    line: int
    data: dict[str, Any]
    # Put before the field in errors: "[17]." in a JSON array, where lines may say nothing.
    prefix: str = ""


class Counted(io.RawIOBase):
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
    counted: Counted
    total: int | None

    @property
    def done(self) -> int:
        """Bytes read so far, of the file as it lies on the disk."""
        return self.counted.done


@contextmanager
def opened(source: Path | BinaryIO) -> Iterator[Source]:
    """Open a file by path, or go on with an open one; gzip and a UTF-8 mark are taken off.

    Raises `Unreadable` where the first bytes are those of another encoding.
    """
    if isinstance(source, Path):
        with source.open("rb") as file, opened(file) as inner:
            yield Source(inner.stream, inner.counted, source.stat().st_size)
        return
    counted = Counted(source)
    stream = buffered(counted)
    if peek(stream, 2) == b"\x1f\x8b":
        stream = buffered(gzip.GzipFile(fileobj=stream))
    try:
        refuse_utf16(peek(stream, 4))
        if peek(stream, 3) == codecs.BOM_UTF8:
            stream.read(3)
        yield Source(stream, counted, None)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Unreadable(1, f"The file is a damaged gzip archive: {error}") from error


def buffered(raw: Any) -> BinaryIO:
    """A stream with a window to look ahead in."""
    return cast("BinaryIO", io.BufferedReader(raw, 256 * 1024))


def peek(stream: BinaryIO, size: int) -> bytes:
    """The next bytes, which stay to be read."""
    return cast("io.BufferedReader", stream).peek(size)[:size]


def refuse_utf16(head: bytes) -> None:
    """Name the encoding that spreadsheets like to write instead of UTF-8."""
    marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if marked or (len(head) > 1 and (head[0] == 0) != (head[1] == 0)):
        raise Unreadable(1, "The file is UTF-16 (or binary), not UTF-8. Save it as UTF-8.")


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
        "jsonl": jsonl_rows,
        "json": json_rows,
        "csv": csv_rows,
    }
    return readers[format](stream)


# --- JSON -----------------------------------------------------------------------------------
def jsonl_rows(stream: BinaryIO) -> Iterator[Row | LineError]:
    """One JSON object a line; empty lines are passed over."""
    number = 0
    while line := stream.readline(LIMIT + 1):
        number += 1
        if len(line) > LIMIT and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(LIMIT)
            yield LineError(number, "", f"The line {TOO_LONG}.")
        elif not line.isspace():
            yield json_row(number, line)


def json_rows(stream: BinaryIO) -> Iterator[Row | LineError]:
    """The objects of a JSON array, or of `{"records": [...]}`."""
    for index, (line, element) in enumerate(json_elements(stream, LIMIT)):
        if element is None:
            yield LineError(line, f"[{index}]", TOO_LONG)
        else:
            yield json_row(line, element, f"[{index}]")


def json_row(line: int, raw: bytes, place: str = "") -> Row | LineError:
    """Parse one object; `place` says which of an array it is.

    Bytes that are not UTF-8 become lone surrogates, which the check of the field finds: so the
    error names the field.
    """
    try:
        data = DECODER.decode(raw.decode(errors="surrogateescape").strip())
    except json.JSONDecodeError as error:
        if b"\x00" in raw:
            return LineError(line, place, f"holds a NUL byte (byte {raw.index(0) + 1})")
        return LineError(line, place, f"is not JSON: {error.msg}, column {error.colno}")
    except RecursionError:
        return LineError(line, place, "is nested too deeply")
    except ValueError as error:
        return LineError(line, place, f"is not acceptable JSON: {error}")
    if not isinstance(data, dict):
        return LineError(line, place, "must be a JSON object: {…}")
    return Row(line, data, f"{place}." if place else "")


def refuse_constant(name: str) -> float:
    """NaN and Infinity are not JSON, and no database stores them."""
    raise ValueError(f"{name} is not a number that JSON knows")


def finite(digits: str) -> float:
    """A float, but for those that overflow."""
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{digits} is too large a number")
    return number


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, refusing a key that is there twice: one of the two would be lost silently."""
    data = dict(pairs)
    if len(data) < len(pairs):
        keys = [key for key, _value in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return data


DECODER = json.JSONDecoder(
    parse_constant=refuse_constant, parse_float=finite, object_pairs_hook=unique_keys
)


# --- CSV ------------------------------------------------------------------------------------
class LongRow(Exception):
    """A row is longer than the limit; the next one can be read."""


class CsvLines:
    """The lines of a CSV file as text, counted, and bounded by row: a quotation mark left open
    would otherwise swallow the rest of the file."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.number = 0
        self.start = 1
        self.size = 0
        self.quotes = 0

    def __iter__(self) -> "CsvLines":
        return self

    def __next__(self) -> str:
        line = self.stream.readline(LIMIT + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self.size += len(line)
        self.quotes += line.count(b'"')
        if self.size > LIMIT:
            self.pass_over(line)
            raise LongRow
        return line.decode(errors="surrogateescape")

    def pass_over(self, line: bytes) -> None:
        """Read on to the end of the row: of a line with every quotation mark closed."""
        while self.quotes % 2 or not line.endswith(b"\n"):
            self.number += line.endswith(b"\n")
            line = self.stream.readline(LIMIT)
            if not line:
                if self.quotes % 2:
                    raise Unreadable(self.start, NEVER_CLOSED)
                return
            self.quotes += line.count(b'"')

    def next_row(self) -> None:
        """The row has ended; the next begins on the next line."""
        self.start, self.size, self.quotes = self.number + 1, 0, 0

    def too_long(self) -> LineError:
        """What to say of a row that is longer than the limit."""
        message = f"The row {TOO_LONG}"
        if self.number > self.start:
            message += f", to line {self.number}; is a quotation mark left open in it?"
        return LineError(self.start, "", message)


def csv_rows(stream: BinaryIO) -> Iterator[Row | LineError]:
    """Rows by the header's columns; comma, semicolon or tab, whichever the header has most of."""
    lines = CsvLines(stream)
    delimiter, columns = csv_header(lines)
    lines.next_row()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(reader, None)
        except (csv.Error, LongRow) as error:
            yield lines.too_long() if isinstance(error, LongRow) else csv_error(lines, str(error))
            lines.next_row()
            continue
        if cells is None:
            return
        if cells and len(cells) != len(columns):
            message = f"{len(cells)} cells where the header has {len(columns)} columns"
            yield LineError(lines.start, "", message)
        elif cells:
            yield Row(lines.start, dict(zip(columns, cells, strict=True)))
        lines.next_row()


def csv_header(lines: CsvLines) -> tuple[str, list[str]]:
    """What separates the cells, and the names of the columns. Raises `Unreadable`."""
    try:
        header = next(lines, "")
        delimiter = max(",;\t", key=header.count)
        names = next(csv.reader([header], delimiter=delimiter, strict=True), [])
    except LongRow as error:
        raise Unreadable(1, lines.too_long().message) from error
    except csv.Error as error:
        raise Unreadable(1, csv_error(lines, str(error)).message) from error
    return delimiter, csv_columns(names)


def csv_columns(header: list[str]) -> list[str]:
    """The names of the columns. Raises `Unreadable` where they cannot name anything."""
    columns = [name.strip() for name in header]
    if not any(columns):
        raise Unreadable(1, "The file has no header line.")
    for number, name in enumerate(columns, start=1):
        if not name:
            raise Unreadable(1, f"Column {number} has no name in the header line.")
        if columns.count(name) > 1:
            raise Unreadable(1, f"Two columns are called {name}.")
    return columns


def csv_error(lines: CsvLines, message: str) -> LineError:
    """What the csv module says, in words that help; raises where the rest is out of step."""
    if "unexpected end" in message:
        raise Unreadable(lines.start, NEVER_CLOSED)
    if "new-line" in message:
        raise Unreadable(lines.start, "Lines end in CR alone; save the file with LF or CRLF.")
    if "expected after" in message:
        message = 'a closing quotation mark ends the cell; write " inside a cell as ""'
    return LineError(lines.start, "", f"is not CSV: {message}")

"""CSV as spreadsheets and people write it, to rows.

What stands around the table is taken off: a line that names the separator, blank and title lines
above the header, empty rows and columns, a header that comes again, a column that only counts.
What the header lacks is checked in arena/events/importing/checking/csv_header.py.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from arena.events.importing.checking.checks import Doubt
from arena.events.importing.reading.rows import MAX_COLUMNS, MAX_ROW_BYTES, ROW_TOO_LONG, Row
from arena.events.importing.report import LineError, UnreadableFileError

UNCLOSED_QUOTE = "A quotation mark is opened and never closed."
# The module's own limit on a cell (128 kB) is process-wide; a row's limit is kept by `CsvLines`.
csv.field_size_limit(MAX_ROW_BYTES)

DELIMITERS = ",;\t"
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\s;,]*', re.IGNORECASE)
# Lines above the header at most.
MAX_TITLE_LINES = 10
# What spreadsheets and pandas call a column without a name.
NAMELESS_COLUMN = re.compile(r"(Unnamed: \d+|column \d+)", re.IGNORECASE)
ROW_NUMBER = re.compile(r"\s*\d+(\.0+)?\s*")


class RowTooLongError(Exception):
    """A row is longer than the limit; the next one can be read."""


class CsvLines:
    """The lines of a CSV file as text, counted, and bounded by row: a quotation mark left open
    would otherwise swallow the rest of the file."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.line_number = 0
        self.row_start = 1
        self.row_bytes = 0
        self.quotes = 0

    def __iter__(self) -> "CsvLines":
        return self

    def __next__(self) -> str:
        line = self.stream.readline(MAX_ROW_BYTES + 1)
        if not line:
            raise StopIteration
        self.line_number += 1
        self.row_bytes += len(line)
        self.quotes += line.count(b'"')
        if self.row_bytes > MAX_ROW_BYTES:
            self.skip_row(line)
            raise RowTooLongError
        return line.decode(errors="surrogateescape")

    def skip_row(self, line: bytes) -> None:
        """Read on to the end of the row: of a line with every quotation mark closed."""
        while self.quotes % 2 or not line.endswith(b"\n"):
            self.line_number += line.endswith(b"\n")
            line = self.stream.readline(MAX_ROW_BYTES)
            if not line:
                if self.quotes % 2:
                    raise UnreadableFileError(self.row_start, UNCLOSED_QUOTE)
                return
            self.quotes += line.count(b'"')

    def begin_row(self) -> None:
        """The row has ended; the next begins on the next line."""
        self.row_start, self.row_bytes, self.quotes = self.line_number + 1, 0, 0

    def too_long_error(self) -> LineError:
        """What to say of a row that is longer than the limit."""
        message = f"The row {ROW_TOO_LONG}"
        if self.line_number > self.row_start:
            message += f", to line {self.line_number}; is a quotation mark left open in it?"
        return LineError(self.row_start, "", message)


@dataclass(frozen=True, slots=True)
class Header:
    """What separates the cells, the columns, and which of them the file gives no name."""

    delimiter: str
    names: list[str]
    columns: list[str]
    nameless: frozenset[int]

    def read_row(self, line: int, cells: list[str]) -> Row | LineError | None:
        """A line's cells by column; None where it says nothing."""
        if not any(cell.strip() for cell in cells) or cells == self.names:
            return None
        width = len(self.columns)
        wanted = max(set(range(width)) - self.nameless) + 1
        if any(cell.strip() for cell in cells[width:]):
            message = f"{len(cells)} cells where the header has {wanted} columns"
            return LineError(line, "", message)
        doubts: tuple[Doubt, ...] = ()
        if len(cells) < wanted:
            message = f"{len(cells)} cells where the header has {wanted} columns; the rest is empty"
            doubts = (Doubt("short_row", "", message),)
        cells = [*cells, *[""] * (width - len(cells))]
        data = {
            column: cell
            for place, (column, cell) in enumerate(zip(self.columns, cells, strict=False))
            if place not in self.nameless or self.is_filled(place, cell)
        }
        return Row(line, data, doubts=doubts)

    def is_filled(self, place: int, cell: str) -> bool:
        """Whether a column without a name says anything: the first often only counts rows."""
        return bool(cell.strip()) and not (place == 0 and ROW_NUMBER.fullmatch(cell))


def read_csv(stream: BinaryIO) -> Iterator[Row | LineError]:
    """Rows by the header's columns; comma, semicolon or tab, whichever the header has most of."""
    lines = CsvLines(stream)
    header = read_header(lines)
    lines.begin_row()
    reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
    while True:
        try:
            cells = next(reader, None)
        except (csv.Error, RowTooLongError) as error:
            yield (
                lines.too_long_error()
                if isinstance(error, RowTooLongError)
                else explain_csv_error(lines, str(error))
            )
            lines.begin_row()
            continue
        if cells is None:
            return
        row = header.read_row(lines.row_start, cells)
        if row is not None:
            yield row
        lines.begin_row()


def read_header(lines: CsvLines) -> Header:
    """The header, past what stands above it. Raises `UnreadableFileError`."""
    above, delimiter = find_header(lines.stream)
    try:
        for _ in range(above):
            next(lines, "")
            lines.begin_row()
        line = next(lines, "")
        delimiter = delimiter or max(DELIMITERS, key=line.count)
        names = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except RowTooLongError as error:
        raise UnreadableFileError(lines.row_start, lines.too_long_error().message) from error
    except csv.Error as error:
        raise UnreadableFileError(
            lines.row_start, explain_csv_error(lines, str(error)).message
        ) from error
    if len(names) > MAX_COLUMNS:
        message = f"The header has {len(names):,} columns; at most {MAX_COLUMNS:,} are read."
        raise UnreadableFileError(lines.row_start, message)
    columns = name_columns(names)
    nameless = frozenset(
        place for place, column in enumerate(columns) if NAMELESS_COLUMN.fullmatch(column)
    )
    return Header(delimiter, names, columns, nameless)


def find_header(stream: BinaryIO) -> tuple[int, str]:
    """How many lines stand above the header, and the separator that the first of them names.

    A title is a line of one cell, with wider lines under it.
    """
    head = cast("io.BufferedReader", stream).peek(64 * 1024)[: 64 * 1024]
    lines = head.decode(errors="replace").splitlines()[: MAX_TITLE_LINES + 1]
    separator = SEPARATOR_LINE.fullmatch(lines[0].strip()) if lines else None
    delimiter = separator[1] if separator else ""
    first = 1 if separator else 0
    widths = [count_filled_cells(line, delimiter) for line in lines]
    wide = next((n for n in range(first, len(widths)) if widths[n] > 1), None)
    if wide is not None and not any(
        widths[n] == 1 and (lines[n].count('"') % 2 or is_header_alone(lines[n]))
        for n in range(first, wide)
    ):
        return wide, delimiter
    filled = (n for n in range(first, len(widths)) if widths[n])
    return next(filled, first), delimiter


def count_filled_cells(line: str, delimiter: str) -> int:
    """How many cells of a line say something."""
    delimiter = delimiter or max(DELIMITERS, key=line.count)
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        cells = line.split(delimiter)
    return sum(bool(cell.strip()) for cell in cells)


def is_header_alone(line: str) -> bool:
    """Whether a line of one cell is a header all the same: one word, as columns are called."""
    return bool(re.fullmatch(r'\s*"?[a-z]+(_[a-z]+)*"?\s*', line))


def name_columns(header: list[str]) -> list[str]:
    """The names of the columns, each once. Raises `UnreadableFileError` where nothing is named."""
    columns = [name.strip() for name in header]
    if all(NAMELESS_COLUMN.fullmatch(name) or not name for name in columns):
        raise UnreadableFileError(1, "The file has no header line.")
    named: list[str] = []
    for number, name in enumerate(columns, start=1):
        times = columns[:number].count(name)
        named.append(f"{name} ({times})" if name and times > 1 else name or f"column {number}")
    return named


def explain_csv_error(lines: CsvLines, message: str) -> LineError:
    """What the csv module says, in words that help; raises where the rest is out of step."""
    if "unexpected end" in message:
        raise UnreadableFileError(lines.row_start, UNCLOSED_QUOTE)
    if "new-line" in message:
        raise UnreadableFileError(
            lines.row_start, "Lines end in CR alone; save the file with LF or CRLF."
        )
    if "expected after" in message:
        message = 'a closing quotation mark ends the cell; write " inside a cell as ""'
    return LineError(lines.row_start, "", f"is not CSV: {message}")

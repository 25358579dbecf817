"""How much of a file is read: a hostile one is small on the disk and endless inside.

Bytes, lines and seconds are counted where the file is unpacked, below every format, so that nothing
is read past them: neither a line without an end nor a hundred million lines without a word.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any, BinaryIO

from arena.events.importing.reading.rows import Row
from arena.events.importing.report import ImportReport, LineError, UnreadableFileError

MEBIBYTE = 1024**2
# JSON Lines of similar records pack 50 to 1; what packs better than this says nothing.
MAX_RATIO = 200
# A small file may pack as well as it likes.
RATIO_FROM_BYTES = 16 * MEBIBYTE
# Wrong lines after which the rest of the file is not read.
MAX_WRONG_LINES = 1_000


class BudgetError(UnreadableFileError):
    """The file goes on past what is read of it."""


@dataclass(frozen=True, slots=True)
class Budget:
    """At most so much of a file is read."""

    unpacked_bytes: int
    lines: int
    seconds: float


IMPORT_BUDGET = Budget(unpacked_bytes=4096 * MEBIBYTE, lines=5_000_000, seconds=20 * 60)
# A page waits for it: two of the longest rows.
PREVIEW_BUDGET = Budget(unpacked_bytes=4 * MEBIBYTE, lines=100_000, seconds=5)
NOTHING_TO_SHOW = "The file begins with 4 MB that hold no whole row; none can be shown here."


class BudgetStream(io.RawIOBase):
    """An unpacked byte stream that is read within a budget. Raises `BudgetError`."""

    def __init__(self, stream: BinaryIO, packed: Any, budget: Budget) -> None:
        """`packed.done` says how many bytes have been read of the file as it lies on the disk."""
        self.stream = stream
        self.packed = packed
        self.budget = budget
        self.deadline = monotonic() + budget.seconds
        self.bytes = 0
        self.lines = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        self.bytes += len(data)
        self.lines += data.count(b"\n")
        self.check()
        return len(data)

    def check(self) -> None:
        """Raises `BudgetError` where any part of the budget is used up."""
        if self.bytes > self.budget.unpacked_bytes:
            size = f"{self.budget.unpacked_bytes // MEBIBYTE:,} MB"
            raise BudgetError(1, f"The file is larger than {size} unpacked. Import it in parts.")
        if self.bytes > max(RATIO_FROM_BYTES, MAX_RATIO * self.packed.done):
            message = f"The file unpacks to more than {MAX_RATIO} times its size: it repeats itself"
            raise BudgetError(1, f"{message}. Nothing like that is read.")
        if self.lines > self.budget.lines:
            message = f"The file has more than {self.budget.lines:,} lines. Import it in parts."
            raise BudgetError(1, message)
        if monotonic() > self.deadline:
            took = f"Checking the file took longer than {self.budget.seconds / 60:.0f} minutes"
            raise BudgetError(1, f"{took}, to line {self.lines + 1:,}. Import it in parts.")


def limit_rows(
    rows: Iterable[Row | LineError], report: ImportReport, *, skips_errors: bool
) -> Iterator[Row | LineError]:
    """The rows, until too many of them are wrong: then nobody needs more of the same told.

    Whoever wants wrong lines left out (`skips_errors`) gets that, unless most of them are wrong.
    Raises `BudgetError`.
    """
    for number, row in enumerate(rows, start=1):
        if number > IMPORT_BUDGET.lines:
            message = f"The file has more than {IMPORT_BUDGET.lines:,} rows. Import it in parts."
            raise BudgetError(1, message)
        wrong = report.wrong_rows
        if wrong >= MAX_WRONG_LINES and (not skips_errors or 2 * wrong > number):
            message = f"Reading stopped at line {row.line:,} after {wrong:,} wrong lines"
            if skips_errors:
                message += ", more than half of all"
            raise BudgetError(1, f"{message}; nothing after it was checked.")
        yield row

"""What an import says when it is over: counts, errors and warnings with their lines, doubts.

One fault is told once, with how often it is there and the first of its lines.
"""

import re
from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from operator import attrgetter
from typing import Any, Self

# Faults kept; the totals count all of them.
MAX_ERRORS_KEPT = 100
# Lines named of a fault that many have.
MAX_LINES_NAMED = 5
# Called with the job's state, how much is done, and of how much (None: unknown).
ProgressCallback = Callable[[str, int, int | None], None]
# What differs from line to line in the words for one and the same fault.
VARYING_PARTS = re.compile(r"0x[0-9A-F]{2}|U\+[0-9A-F]{4,6}|\d[\d,]*|“[^”]*”|'[^']*'")
# Hints for whoever types commands; pages have boxes.
COMMAND_OPTIONS = re.compile(r" \((?:probably )?--[^)]*\)")
INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class LineError:
    """Something wrong with a line of a file; `field` is empty where it is the line as a whole.

    Where other lines have the same fault, it is told of the first, with their number and the
    first of them.
    """

    line: int
    field: str
    message: str
    count: int = 1
    lines: tuple[int, ...] = ()

    @property
    def fault(self) -> str:
        """What this error shares with others that are the same fault."""
        return fault_key(self.field, self.message)

    @property
    def where(self) -> str:
        """The lines, as many as are known: "2, 3, 4 …"."""
        listed = ", ".join(map(str, self.lines or (self.line,)))
        return f"{listed} …" if self.count > len(self.lines or (self.line,)) else listed


class UnreadableFileError(Exception):
    """The file cannot be read past this line, whatever the caller wants done about errors."""

    def __init__(self, line: int, message: str, field: str = "") -> None:
        super().__init__(message)
        self.error = LineError(line, field, message)


@dataclass(slots=True)
class DoubtCount:
    """One kind of doubt: how often a file gives rise to it, and the first time."""

    kind: str
    count: int
    line: int
    field: str
    message: str


@dataclass(slots=True)
class ImportReport:
    """Counts of rows, the first errors, warnings and doubts, and how many there were of each."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    # Rows left out because something is wrong with them (on_error="skip").
    skipped: int = 0
    # Rows with an error, whatever has become of the counts.
    wrong_rows: int = 0
    errors: list[LineError] = field(default_factory=list)
    error_total: int = 0
    warnings: list[LineError] = field(default_factory=list)
    warning_total: int = 0
    # What somebody has to confirm before anything is imported; each of it is a warning, too.
    doubts: list[DoubtCount] = field(default_factory=list)
    # False where nothing was written because a line is wrong.
    landed: bool = False

    @property
    def rows(self) -> int:
        """Rows that the file holds, as far as they could be told apart."""
        return self.created + self.updated + self.unchanged + self.skipped

    def refuse(self, error: LineError) -> None:
        """Note an error."""
        self.error_total += 1
        keep_error(self.errors, error)

    def skip_row(self, *errors: LineError) -> None:
        """Note the errors of a row, which is left out."""
        for error in errors:
            self.refuse(error)
        self.wrong_rows += bool(errors)
        self.skipped += 1

    def clear_counts(self) -> None:
        """Nothing is written: count no rows."""
        self.created = self.updated = self.unchanged = self.skipped = 0

    def refuse_file(self, errors: Sequence[LineError]) -> None:
        """Note what is wrong with the file as a whole, and raise it as `UnreadableFileError`."""
        if errors:
            *most, last = errors
            for error in most:
                self.refuse(error)
            raise UnreadableFileError(last.line, last.message, last.field)

    def warn(self, warning: LineError) -> None:
        """Note a warning."""
        self.warning_total += 1
        keep_error(self.warnings, warning)

    def doubt(self, kind: str, warning: LineError) -> None:
        """Note a warning that somebody has to confirm."""
        self.warn(warning)
        warning = make_printable(warning)
        for doubted in self.doubts:
            if doubted.kind == kind:
                doubted.count += 1
                return
        self.doubts.append(DoubtCount(kind, 1, warning.line, warning.field, warning.message))

    def as_json(self) -> dict[str, Any]:
        """The report as it is stored with its job."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `checked_to_json`."""
        data = dict(data)
        for kind in ("errors", "warnings"):
            data[kind] = [
                LineError(**error | {"lines": tuple(error.get("lines", ()))})
                for error in data.get(kind, [])
            ]
        data["doubts"] = [DoubtCount(**doubt) for doubt in data.get("doubts", [])]
        return cls(**data)


def strip_options(error: LineError) -> LineError:
    """A message for a page, where boxes take the place of a command's options."""
    return replace(error, message=COMMAND_OPTIONS.sub("", error.message))


@lru_cache(maxsize=4096)
def fault_key(field: str, message: str) -> str:
    """A field and a message without what differs from line to line."""
    return f"{INDEX.sub('[]', field)}: {VARYING_PARTS.sub('#', message)}"


def keep_error(errors: list[LineError], error: LineError) -> None:
    """Put an error where its line belongs, among the first that are kept; lines are not met in
    order, since what a row is by itself is checked before what it changes. The same fault again
    is only counted."""
    error = make_printable(error)
    for place, other in enumerate(errors):
        if other.fault == error.fault:
            first = min(other, error, key=attrgetter("line"))
            lines = sorted({*(other.lines or (other.line,)), error.line})[:MAX_LINES_NAMED]
            del errors[place]
            error = replace(first, count=other.count + error.count, lines=tuple(lines))
            break
    if len(errors) < MAX_ERRORS_KEPT or error.line < errors[-1].line:
        insort(errors, error, key=attrgetter("line"))
        del errors[MAX_ERRORS_KEPT:]


def make_printable(error: LineError) -> LineError:
    """The error without characters that neither a terminal nor a database takes: NUL and lone
    surrogates."""
    return replace(
        error,
        field=replace_unprintable(error.field)[:200],
        message=replace_unprintable(error.message)[:500],
    )


def replace_unprintable(text: str) -> str:
    """Replace whatever does not print."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)

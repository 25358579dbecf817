"""What an import says when it is over: counts, errors by line, warnings by line."""

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from operator import attrgetter
from typing import Any, Self

# Errors and warnings kept; the totals count all of them.
KEPT = 100
# Called with the job's state, how much is done, and of how much (None: unknown).
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class LineError:
    """Something wrong with a line of a file; `field` is empty where it is the line as a whole."""

    line: int
    field: str
    message: str


class Unreadable(Exception):
    """The file cannot be read past this line, whatever the caller wants done about errors."""

    def __init__(self, line: int, message: str, field: str = "") -> None:
        super().__init__(message)
        self.error = LineError(line, field, message)


@dataclass(slots=True)
class ImportReport:
    """Counts of rows, the first errors and warnings, and how many there were of each."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    # Rows left out because something is wrong with them (on_error="skip").
    skipped: int = 0
    errors: list[LineError] = field(default_factory=list)
    error_total: int = 0
    warnings: list[LineError] = field(default_factory=list)
    warning_total: int = 0
    # False where nothing was written because a line is wrong.
    landed: bool = False

    @property
    def rows(self) -> int:
        """Rows that the file holds, as far as they could be told apart."""
        return self.created + self.updated + self.unchanged + self.skipped

    def refuse(self, error: LineError) -> None:
        """Note an error."""
        self.error_total += 1
        keep(self.errors, error)

    def refuse_file(self, errors: Sequence[LineError]) -> None:
        """Note what is wrong with the file as a whole, and raise it as `Unreadable`."""
        if errors:
            *most, last = errors
            for error in most:
                self.refuse(error)
            raise Unreadable(last.line, last.message, last.field)

    def warn(self, warning: LineError) -> None:
        """Note a warning."""
        self.warning_total += 1
        keep(self.warnings, warning)

    def as_json(self) -> dict[str, Any]:
        """The report as it is stored with its job."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `as_json`."""
        data = dict(data)
        for kind in ("errors", "warnings"):
            data[kind] = [LineError(**error) for error in data.get(kind, [])]
        return cls(**data)


def keep(errors: list[LineError], error: LineError) -> None:
    """Put an error where its line belongs, among the first that are kept; lines are not met in
    order, since what a row is by itself is checked before what it changes."""
    if len(errors) < KEPT or error.line < errors[-1].line:
        insort(errors, printable(error), key=attrgetter("line"))
        del errors[KEPT:]


def printable(error: LineError) -> LineError:
    """The same without what neither a terminal nor a database takes: NUL and lone surrogates."""
    return LineError(error.line, harmless(error.field)[:200], harmless(error.message)[:500])


def harmless(text: str) -> str:
    """Replace whatever does not print."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)

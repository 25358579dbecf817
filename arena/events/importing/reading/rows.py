"""One row of a file, whatever its format."""

from dataclasses import dataclass
from typing import Any

from arena.events.importing.checking.checks import Doubt

# The longest row, in bytes: far above any prompt with its responses, far below the memory.
MAX_ROW_BYTES = 2 * 1024 * 1024
# Columns of a table, and keys of an object.
MAX_COLUMNS = 1_000
ROW_TOO_LONG = f"is longer than {MAX_ROW_BYTES // 1024**2} MB"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a JSON object, or the cells of a line of CSV by column; `line` is its first."""

    line: int
    data: dict[str, Any]
    # Put before the field in errors: "[17]." in a JSON array, where lines may say nothing.
    prefix: str = ""
    # What reading it took for granted.
    doubts: tuple[Doubt, ...] = ()

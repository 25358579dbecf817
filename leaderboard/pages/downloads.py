"""The rows of a board with full figures, and the board as CSV."""

import csv
import io
from typing import Any

from arena.spreadsheets import safe_cell
from leaderboard.boards.columns import COLUMNS, BoardRow
from leaderboard.pages.board import BoardTable


def flat_rows(table: BoardTable) -> list[dict[str, Any]]:
    """Every row of a board, ranked ones first."""
    return [flat_row(row) for row in table.everybody]


def flat_row(row: BoardRow) -> dict[str, Any]:
    """One row as a dictionary by column name."""
    return {column.name: column.value(row) for column in COLUMNS}


def to_csv(table: BoardTable) -> str:
    """A CSV with a header row, in which no text can be taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in COLUMNS])
    for row in flat_rows(table):
        writer.writerow([escape_text(value) for value in row.values()])
    return out.getvalue()


def escape_text(value: Any) -> Any:
    """Escape text that a spreadsheet would run as a formula; numbers stay numbers."""
    return safe_cell(value) if isinstance(value, str) else value

"""The board as CSV and JSON, with full figures."""

import csv
import io
from typing import Any

from arena.events.models import Event
from arena.spreadsheets import safe_cell
from leaderboard.models import Snapshot
from leaderboard.pages.board import BoardChoice, BoardRow, BoardTable, board_details, read_pairs
from leaderboard.pages.columns import COLUMNS

INDEXED_PARTS, NAMED = ("pairs", "p"), ("neighbours", "unseating")
"""Parts of what a snapshot keeps of a board that speak of models by their keys."""


def flat_rows(table: BoardTable) -> list[dict[str, Any]]:
    """Every row of a board, ranked ones first."""
    return [flat_row(row) for row in table.everybody]


def flat_row(row: BoardRow) -> dict[str, Any]:
    """One row, by the names of the columns."""
    return {column.name: column.value(row) for column in COLUMNS}


def to_csv(table: BoardTable) -> str:
    """Comma-separated, with a head; no text in it can be taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in COLUMNS])
    for row in flat_rows(table):
        writer.writerow([escape_text(value) for value in row.values()])
    return out.getvalue()


def escape_text(value: Any) -> Any:
    """Text that a spreadsheet would run gets an apostrophe in front; numbers stay numbers."""
    return safe_cell(value) if isinstance(value, str) else value


def to_json(
    event: Event, snapshot: Snapshot, choice: BoardChoice, table: BoardTable
) -> dict[str, Any]:
    """The whole board with what it was computed from."""
    board = board_details(snapshot, choice.key)
    # Not from the rows: a board that could not be computed has none, but its votes have pairs.
    names = dict(event.competitors.values_list("pk", "name"))
    pairs = read_pairs(snapshot, choice)
    columns = ("first", "second", "first_won", "tied", "second_won")
    return {
        "event": event.slug,
        "question": choice.question.name,
        "category": choice.category.slug if choice.category else None,
        "weighting": choice.weighting,
        "as_of": snapshot.created_at.isoformat(),
        "ledger_position": snapshot.ledger_seq,
        "judgments": snapshot.judgments,
        "contributors": snapshot.contributors,
        "judgments_by_origin": snapshot.details.get("origins", {}),
        "method": {k: v for k, v in board.items() if k not in (*INDEXED_PARTS, *NAMED)},
        "ratings": flat_rows(table),
        "neighbours": [name_models(pair, names) for pair in board.get("neighbours", [])],
        "unseating": {
            change: name_models(kept, names) for change, kept in board.get("unseating", {}).items()
        },
        "pairs": [
            dict(zip(columns, (names[first], names[second], *counts), strict=True))
            for first, second, *counts in pairs
        ],
    }


def name_models(kept: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    """The same with the names of the two models for their keys."""
    return kept | {side: names[kept[side]] for side in ("leader", "challenger")}

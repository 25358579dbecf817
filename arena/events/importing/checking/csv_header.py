"""The check of a CSV file's header: columns that are missing, unknown, or there twice.

Where the header stands is found in arena/events/importing/reading/formats/csv_files.py; that of a
file of votes is checked in arena/judging/importing/checking/vote_header.py.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from arena.events.importing.checking.checks import Checker, InvalidRowError, Problem
from arena.events.importing.reading.columns import ImportColumns, RecordColumns
from arena.events.importing.reading.conversations import is_messages
from arena.events.importing.reading.flat_rows import (
    decode_list,
    find_response_cells,
    is_column,
    is_response_column,
)
from arena.events.importing.reading.foreign_columns import resolve_alias
from arena.events.importing.reading.rows import Row
from arena.events.importing.reading.unknown_columns import explain_wrong_column
from arena.events.importing.report import LineError


def find_header_errors(columns: RecordColumns, row: Row) -> list[LineError]:
    """What is wrong with CSV's header, seen from its first row: once, not in every line."""
    try:
        if columns.is_csv:
            check_columns(columns.renamed(row))
    except InvalidRowError as error:
        # By the base: a column may be called like a record's field.
        return [
            LineError(1, ImportColumns.name_in_file(columns, p.field, row), p.message)
            for p in error.problems
        ]
    return []


def check_columns(row: Mapping[str, Any]) -> None:
    """Refuse columns that mean nothing or are missing, once for the whole file.
    Raises `InvalidRowError`."""
    check = Checker()
    for column in row:
        if not is_column(column) and (problem := explain_wrong_column(column, row)):
            check.refuse(column, problem)
    has_responses = any(
        column == "response" or column.startswith(("response_", "responses."))
        for column in row
        if is_response_column(column)
    )
    if not has_responses:
        message = (
            "this column is missing; name the responses response_a, response_b with model_a, "
            "model_b, or responses.MODEL where a column holds one model's"
        )
        check.refuse("response_a", message)
    if "prompt" not in row and not (has_responses and has_conversations(row)):
        check.refuse("prompt", "this column is missing")
    if len(check.problems) > 1 and check.has_problem("prompt") and check.has_problem("response_a"):
        check.problems = [Problem("prompt", explain_missing_both(row))]
    check.raise_problems()


def explain_missing_both(row: Iterable[str]) -> str:
    """What to say where a file has neither prompts nor responses under names that are known."""
    columns = list(row)
    meant = [f"{column}={target}" for column in columns if (target := resolve_alias(column))]
    advice = f"; perhaps {', '.join(meant)}" if meant else ""
    return (
        "this column is missing, and so are the responses with their models; "
        f"found are {', '.join(columns)}{advice}"
    )


def has_conversations(row: Mapping[str, Any]) -> bool:
    """Whether the first row's responses are conversations, which bring the prompt with them."""
    texts = [decode_list(slot.text) for slot in find_response_cells(row)]
    return bool(texts) and all(map(is_messages, texts))

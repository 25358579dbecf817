"""The first rows of an upload, and what its columns or keys probably mean."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from arena.events.importing.cells import (
    COLUMNS,
    METADATA_COLUMN,
    RESPONSE_COLUMN,
    check_columns,
)
from arena.events.importing.checks import InvalidRow
from arena.events.importing.columns import RecordColumns
from arena.events.importing.reading import Row, guess_format, opened, peek, read_rows
from arena.events.importing.records import KEYS
from arena.events.importing.report import LineError, Unreadable, printable

ROWS = 5
EXCERPT = 120
# Names that other projects give to what we call otherwise.
ALIASES = {
    "external_id": ("id", "uid", "prompt_id", "record_id", "question_id", "idx"),
    "prompt": ("instruction", "question", "input", "query", "text", "messages", "conversation"),
    "categories": ("category", "tags", "topic", "topics", "subject", "type"),
    "responses": ("outputs", "answers", "completions"),
    "metadata": ("meta",),
    "control": ("gold", "key"),
    "expected": ("gold", "expected_answer"),
    "reason": ("explanation",),
    "model_a": ("model_1", "model1", "model a"),
    "model_b": ("model_2", "model2", "model b"),
    "response_a": ("response_1", "response1", "output_1", "output_a", "answer_a", "text_a"),
    "response_b": ("response_2", "response2", "output_2", "output_b", "answer_b", "text_b"),
}


@dataclass(slots=True)
class Preview:
    """Columns and first rows as they stand in the file, with what is wrong under a mapping."""

    columns: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    mapping: dict[str, str] = field(default_factory=dict)
    errors: list[LineError] = field(default_factory=list)
    is_csv: bool = False


def format_of(source: BinaryIO, name: str) -> str:
    """The format that an upload's name and first bytes suggest."""
    try:
        with opened(source) as inner:
            return guess_format(name, peek(inner.stream, 1_000))
    except Unreadable:  # the check of the file will say what is wrong
        return guess_format(name, b"")


def preview_of(path: Path, format: str, mapping: Mapping[str, str] | None = None) -> Preview:
    """The first rows of a file; without a mapping, with one that is guessed."""
    preview = Preview(is_csv=format == "csv")
    rows: list[Row] = []
    try:
        with opened(path) as source:
            for row in islice(read_rows(source.stream, format), ROWS):
                if isinstance(row, Row):
                    rows.append(row)
                else:
                    preview.errors.append(printable(row))
    except Unreadable as error:
        preview.errors.append(printable(error.error))
    preview.columns = list(dict.fromkeys(key for row in rows for key in row.data))
    preview.rows = [
        (row.line, [excerpt(row.data.get(column)) for column in preview.columns]) for row in rows
    ]
    if mapping is None:
        mapping = guess_mapping(preview.columns, is_csv=preview.is_csv)
    preview.mapping = {column: mapping.get(column, column) for column in preview.columns}
    preview.errors += [printable(error) for error in problems_of(rows, preview)]
    return preview


def problems_of(rows: Sequence[Row], preview: Preview) -> list[LineError]:
    """What is wrong with these rows under the preview's mapping."""
    columns = RecordColumns(preview.mapping, is_csv=preview.is_csv)
    if rows and (wrong := columns.header_errors(rows[0], check_columns)):
        return wrong
    errors: list[LineError] = []
    for row in rows:
        try:
            columns.record(row)
        except InvalidRow as error:
            errors += columns.errors(row, error.problems)
    return errors


def excerpt(value: object) -> str:
    """The beginning of a value, on one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.encode(errors="replace").decode().replace("\x00", " ").split())
    return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"


def guess_mapping(columns: Sequence[str], *, is_csv: bool) -> dict[str, str]:
    """What the columns or keys probably mean; what means nothing becomes metadata, or is left
    out where there is a place for it already."""
    known = targets(columns, is_csv=is_csv)
    mapping = {column: column for column in columns if column in known}
    mapping |= {column: column for column in columns if is_csv and METADATA_COLUMN.match(column)}
    for target in known:
        if target in mapping.values():
            continue
        aliases = ALIASES.get(target, ())
        for column in columns:
            if column not in mapping and column.strip().casefold() in aliases:
                mapping[column] = target
                break
    return {
        column: mapping.get(column, f"metadata.{column}" if is_csv else "") for column in columns
    }


def targets(columns: Sequence[str], *, is_csv: bool) -> list[str]:
    """Everything that a column or key can mean, but for leaving it out."""
    if not is_csv:
        return list(KEYS)
    letters = sorted(
        {"a", "b", *(match[2] for name in columns if (match := RESPONSE_COLUMN.fullmatch(name)))}
    )
    pairs = [f"{word}_{letter}" for letter in letters for word in ("model", "response")]
    return [*COLUMNS[:2], *pairs, *COLUMNS[2:]]

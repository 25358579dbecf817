"""The check of the header of a file of votes: columns that are missing or probably misspelt."""

import shlex
from collections.abc import Iterable

from arena.events.importing.checking.checks import InvalidRowError, Problem
from arena.events.importing.reading.rows import Row
from arena.events.importing.report import ImportReport, LineError, UnreadableFileError
from arena.judging.importing.options import VoteOptions
from arena.judging.importing.reading.vote_columns import (
    COLUMN_HELP,
    PREFERENCE_COLUMNS,
    REQUIRED_COLUMNS,
    VoteColumns,
    list_required_columns,
    resolve_vote_alias,
    split_unknown_columns,
)


def check_vote_header(
    columns: VoteColumns, row: Row, options: VoteOptions, report: ImportReport
) -> None:
    """Refuse a file whose columns cannot be votes. Raises `UnreadableFileError`."""
    try:
        names = list(columns.renamed(row))
    except InvalidRowError as error:
        report.refuse_file(columns.line_errors(row, error.problems))
    # A JSON object may lack one key because its value is not known.
    missing = explain_missing_columns(names, options)
    lacking = [name for name in REQUIRED_COLUMNS if name not in names]
    if missing and (columns.is_csv or len(lacking) > 1):
        raise UnreadableFileError(1 if columns.is_csv else row.line, missing)
    if columns.is_csv:
        report.refuse_file(
            [
                LineError(1, columns.name_in_file(p.field, row), p.message)
                for p in find_misspellings(names)
            ]
        )


def explain_missing_columns(columns: Iterable[str], options: VoteOptions) -> str:
    """A message naming the columns that a file lacks; empty if it lacks none."""
    columns = list(columns)
    lacking = [
        f"{name} ({COLUMN_HELP[name]})"
        for name in list_required_columns(options)
        if name not in columns
    ]
    if not set(columns) & {*PREFERENCE_COLUMNS, "winner_model_a"}:
        lacking.append("winner or outcome (which model is better)")
    if not lacking:
        return ""
    meant = {column: resolve_vote_alias(column, columns) for column in columns} | {
        column: name
        for column, name in split_unknown_columns(columns)[1].items()
        if name not in columns
    }
    hints = [f"{column}={name}" for column, name in meant.items() if name]
    hint = f" (probably --map {' --map '.join(map(shlex.quote, hints))})" if hints else ""
    if "worker" not in columns and "worker" in list_required_columns(options):
        hint += "; where nobody is named, say who voted (--worker NAME)"
    return (
        f"These are no votes yet: no column says {', '.join(lacking)}. Map columns to them{hint}."
    )


def find_misspellings(columns: Iterable[str]) -> list[Problem]:
    """Problems for columns that are probably misspelt; ignoring them would lose their values."""
    _, misspelt = split_unknown_columns(columns)
    return [
        Problem(column, f"is unknown; did you mean {name}?") for column, name in misspelt.items()
    ]

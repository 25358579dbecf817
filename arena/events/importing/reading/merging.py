"""Rows that share a record: one row a pair, or one a response. They become one record.

Kept in a temporary database, not in memory, until the file has been read to its end.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from arena.events.importing.checking.checks import Doubt, InvalidRowError, Problem
from arena.events.importing.reading.columns import ParsedRow
from arena.events.importing.reading.records import MAX_RESPONSES, RecordRow, derive_id
from arena.events.importing.reading.rows import Row
from arena.events.importing.writing.temporary import open_database

# An identifier that a table with a gap somewhere in the column has made a decimal number of.
WHOLE_NUMBER = re.compile(r"(\d+)\.0+")
# Characters of a cell that are kept to name it in errors: names of models are shorter.
MAX_CELL_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class CheckedRecord:
    """A record that is right in itself, with the row it stands in first."""

    row: Row
    record: RecordRow
    doubts: tuple[Doubt, ...] = ()
    is_identified: bool = True


class RecordMerger:
    """Records met so far, by what makes rows one record."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        database.execute(
            "CREATE TABLE records (key TEXT PRIMARY KEY, number INTEGER, content TEXT)"
            " WITHOUT ROWID"
        )
        # Rows met: their lines say nothing where a JSON array stands in one.
        self.count = 0
        # Whether every identifier is a whole number, written as one or with ".0".
        self.has_whole_ids = True

    def add_row(self, row: Row, parsed: ParsedRow) -> None:
        """Take a row on. Raises `InvalidRowError` where it contradicts an earlier one."""
        record = parsed.record
        if parsed.is_identified and not re.fullmatch(r"\d+(\.0+)?", record.external_id):
            self.has_whole_ids = False
        key = merge_key(parsed)
        found = self.database.execute("SELECT content FROM records WHERE key = ?", (key,))
        there = found.fetchone()
        checked = CheckedRecord(row, record, parsed.doubts, parsed.is_identified)
        if there is not None:
            checked = merge_records(checked_from_json(json.loads(there[0])), checked)
        self.count += 1
        self.database.execute(
            "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET content = ?3",
            (key, self.count, json.dumps(checked_to_json(checked))),
        )

    def __iter__(self) -> Iterator[CheckedRecord]:
        rows = self.database.execute("SELECT content FROM records ORDER BY number")
        for (content,) in rows:
            yield self.with_final_id(checked_from_json(json.loads(content)))

    def with_final_id(self, checked: CheckedRecord) -> CheckedRecord:
        """The record under the identifier that it gets in the end."""
        record = checked.record
        if not checked.is_identified:
            identifier = derive_id(
                record.prompt, record.responses, is_control=record.control is not None
            )
            return replace(checked, record=replace(record, external_id=identifier))
        if self.has_whole_ids:
            identifier = strip_decimal_zeros(record.external_id)
            return replace(checked, record=replace(record, external_id=identifier))
        return checked


@contextmanager
def open_merger() -> Iterator[RecordMerger]:
    """An empty `RecordMerger` in a temporary file that SQLite deletes by itself."""
    with open_database(cache_kib=16_384) as database:
        yield RecordMerger(database)


def merge_key(parsed: ParsedRow) -> str:
    """What makes rows one record: its identifier; the prompt where every row is one response;
    else prompt and models."""
    record = parsed.record
    if parsed.is_identified:
        return f"id {strip_decimal_zeros(record.external_id)}"
    if parsed.is_single and record.control is None:
        prompt = json.dumps(record.prompt, sort_keys=True).encode()
        return f"prompt {hashlib.sha256(prompt).hexdigest()}"
    return f"derived {record.external_id}"


def strip_decimal_zeros(identifier: str) -> str:
    """ "17" for "17.0"; others as they are."""
    whole = WHOLE_NUMBER.fullmatch(identifier)
    return whole[1] if whole else identifier


def merge_records(first: CheckedRecord, other: CheckedRecord) -> CheckedRecord:
    """One record of two rows. Raises `InvalidRowError` where they contradict each other."""
    line, record, more = first.row.line, first.record, other.record
    problems = find_conflicts(line, record, more)
    if problems:
        raise InvalidRowError(problems)
    there = {response.model for response in record.responses}
    added = tuple(one for one in more.responses if one.model not in there)
    doubts = [*first.doubts, *other.doubts]
    if not added:
        message = f"says the same as line {line}"
        doubts.append(Doubt("repeated", "", message, other.row.line))
    metadata, differs = merge_metadata(record.metadata, more.metadata)
    if differs:
        message = f"is not the same as in line {line}, for the same record"
        doubts.append(Doubt("other_metadata", f"metadata.{differs}", message, other.row.line))
    categories = record.categories
    if more.categories is not None:
        names = {name.casefold(): name for name in (*(categories or ()), *more.categories)}
        categories = tuple(names.values())
    return replace(
        first,
        row=replace(first.row, data={**other.row.data, **first.row.data}),
        record=replace(
            record,
            responses=(*record.responses, *added),
            metadata=metadata,
            categories=categories,
        ),
        doubts=tuple(doubts),
    )


def find_conflicts(line: int, record: RecordRow, more: RecordRow) -> list[Problem]:
    """What two rows of one record say differently."""
    if record.prompt != more.prompt:
        message = f"is the same as in line {line}, but the prompt is another"
        return [Problem("external_id", message)]
    if record.control != more.control or (record.control and record.responses != more.responses):
        message = f"is the same as in line {line}; one row has all of a control’s responses"
        return [Problem("external_id", message)]
    texts = {response.model: response.text for response in record.responses}
    problems = [
        Problem(
            f"responses[{index}].text",
            f"is another text of {response.model} than in line {line}, for the same record",
        )
        for index, response in enumerate(more.responses)
        if response.model in texts and texts[response.model] != response.text
    ]
    count = len(texts.keys() | {response.model for response in more.responses})
    if count > MAX_RESPONSES:
        problems.append(Problem("responses", f"more than {MAX_RESPONSES} with those before it"))
    return problems


def merge_metadata(
    first: Mapping[str, Any] | None, other: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, str]:
    """Metadata of two rows, the first's where they differ, and the first key in which they do."""
    if first is None or other is None:
        metadata = first if other is None else other
        return None if metadata is None else dict(metadata), ""
    differs = next((key for key in other if key in first and first[key] != other[key]), "")
    return {**other, **first}, differs


def checked_to_json(checked: CheckedRecord) -> list[Any]:
    """The record as JSON; of its row only what errors need to name the cells."""
    row = checked.row
    slim = {
        key: value[:MAX_CELL_CHARACTERS] if isinstance(value, str) else value
        for key, value in row.data.items()
        if isinstance(value, str | int | float | None)
    }
    slim |= {key: "[]" for key in row.data if key not in slim}
    doubts = [[doubt.kind, doubt.field, doubt.message, doubt.line] for doubt in checked.doubts]
    place = [row.line, row.prefix, slim]
    return [place, checked.record.as_json(), doubts, checked.is_identified]


def checked_from_json(data: list[Any]) -> CheckedRecord:
    """The inverse of `checked_to_json`."""
    (line, prefix, slim), record, doubts, is_identified = data
    return CheckedRecord(
        Row(line, slim, prefix),
        RecordRow.from_json(record),
        tuple(Doubt(*doubt) for doubt in doubts),
        is_identified,
    )

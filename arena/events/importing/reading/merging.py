"""Rows that share a record: one row a pair, or one a response. They become one record.

Kept in a temporary database, not in memory, until the file has been read to its end.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from arena.events.importing.checking.checks import Doubt, InvalidRowError, Problem
from arena.events.importing.reading.columns import Parsed
from arena.events.importing.reading.records import MOST_RESPONSES, RecordRow, derived_id
from arena.events.importing.reading.rows import Row

# An identifier that a table with a gap somewhere in the column has made a decimal number of.
WHOLE = re.compile(r"(\d+)\.0+")
# Characters of a cell that are kept to name it in errors: names of models are shorter.
CELL = 200


@dataclass(frozen=True, slots=True)
class Checked:
    """A record that is right in itself, with the row it stands in first."""

    row: Row
    record: RecordRow
    doubts: tuple[Doubt, ...] = ()
    is_identified: bool = True


class Merging:
    """Records met so far, by what makes rows one record."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA cache_size = -16384")
        database.execute(
            "CREATE TABLE records (key TEXT PRIMARY KEY, number INTEGER, content TEXT)"
            " WITHOUT ROWID"
        )
        # Rows met: their lines say nothing where a JSON array stands in one.
        self.count = 0
        # Whether every identifier is a whole number, written as one or with ".0".
        self.are_whole = True

    def add(self, row: Row, parsed: Parsed) -> None:
        """Take a row on. Raises `InvalidRowError` where it contradicts an earlier one."""
        record = parsed.record
        if parsed.is_identified and not re.fullmatch(r"\d+(\.0+)?", record.external_id):
            self.are_whole = False
        key = key_of(parsed)
        found = self.database.execute("SELECT content FROM records WHERE key = ?", (key,))
        there = found.fetchone()
        checked = Checked(row, record, parsed.doubts, parsed.is_identified)
        if there is not None:
            checked = merged(checked_of(json.loads(there[0])), checked)
        self.count += 1
        self.database.execute(
            "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET content = ?3",
            (key, self.count, json.dumps(as_json(checked))),
        )

    def __iter__(self) -> Iterator[Checked]:
        rows = self.database.execute("SELECT content FROM records ORDER BY number")
        for (content,) in rows:
            yield self.finished(checked_of(json.loads(content)))

    def finished(self, checked: Checked) -> Checked:
        """The record under the identifier that it gets in the end."""
        record = checked.record
        if not checked.is_identified:
            identifier = derived_id(
                record.prompt, record.responses, is_control=record.control is not None
            )
            return replace(checked, record=replace(record, external_id=identifier))
        if self.are_whole:
            identifier = without_zeros(record.external_id)
            return replace(checked, record=replace(record, external_id=identifier))
        return checked


@contextmanager
def merging() -> Iterator[Merging]:
    """An empty `Merging` in a temporary file that SQLite deletes by itself."""
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        yield Merging(database)


def key_of(parsed: Parsed) -> str:
    """What makes rows one record: its identifier; the prompt where every row is one response;
    else prompt and models."""
    record = parsed.record
    if parsed.is_identified:
        return f"id {without_zeros(record.external_id)}"
    if parsed.is_single and record.control is None:
        prompt = json.dumps(record.prompt, sort_keys=True).encode()
        return f"prompt {hashlib.sha256(prompt).hexdigest()}"
    return f"derived {record.external_id}"


def without_zeros(identifier: str) -> str:
    """ "17" for "17.0"; others as they are."""
    whole = WHOLE.fullmatch(identifier)
    return whole[1] if whole else identifier


def merged(first: Checked, other: Checked) -> Checked:
    """One record of two rows. Raises `InvalidRowError` where they contradict each other."""
    line, record, more = first.row.line, first.record, other.record
    problems = conflicts(line, record, more)
    if problems:
        raise InvalidRowError(problems)
    there = {response.model for response in record.responses}
    added = tuple(one for one in more.responses if one.model not in there)
    doubts = [*first.doubts, *other.doubts]
    if not added:
        message = f"says the same as line {line}"
        doubts.append(Doubt("repeated", "", message, other.row.line))
    metadata, differs = joined(record.metadata, more.metadata)
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


def conflicts(line: int, record: RecordRow, more: RecordRow) -> list[Problem]:
    """What two rows of one record say differently."""
    if record.prompt != more.prompt:
        message = f"is the same as in line {line}, but the prompt is another"
        return [Problem("external_id", message)]
    if record.control != more.control or (record.control and record.responses != more.responses):
        message = f"is the same as in line {line}; a control has two responses and one key"
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
    if count > MOST_RESPONSES:
        problems.append(Problem("responses", f"more than {MOST_RESPONSES} with those before it"))
    return problems


def joined(
    first: Mapping[str, Any] | None, other: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, str]:
    """Metadata of two rows, the first's where they differ, and the first key in which they do."""
    if first is None or other is None:
        metadata = first if other is None else other
        return None if metadata is None else dict(metadata), ""
    differs = next((key for key in other if key in first and first[key] != other[key]), "")
    return {**other, **first}, differs


def as_json(checked: Checked) -> list[Any]:
    """As it is kept; of the row only what names its cells."""
    row = checked.row
    slim = {
        key: value[:CELL] if isinstance(value, str) else value
        for key, value in row.data.items()
        if isinstance(value, str | int | float | None)
    }
    slim |= {key: "[]" for key in row.data if key not in slim}
    doubts = [[doubt.kind, doubt.field, doubt.message, doubt.line] for doubt in checked.doubts]
    place = [row.line, row.prefix, slim]
    return [place, checked.record.as_json(), doubts, checked.is_identified]


def checked_of(data: list[Any]) -> Checked:
    """The inverse of `as_json`."""
    (line, prefix, slim), record, doubts, is_identified = data
    return Checked(
        Row(line, slim, prefix),
        RecordRow.from_json(record),
        tuple(Doubt(*doubt) for doubt in doubts),
        is_identified,
    )

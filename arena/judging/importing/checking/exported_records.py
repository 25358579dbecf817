"""The records in a judgment export, collected from its lines.

Memory grows with records and pairs, not with judgments; texts are kept on disk.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, Self

from arena.events.importing.checking.checks import InvalidRowError, Problem
from arena.events.importing.reading.files import Row
from arena.events.importing.report import UnreadableFileError
from arena.events.importing.writing.temporary import open_database
from arena.events.models import Matchup
from arena.judging.importing.reading.export_lines import (
    ExportedResponse,
    ExportedVote,
    are_identical,
    extract_record,
)


@dataclass(slots=True)
class JudgedPair:
    """Two responses of a record, by place, that were judged together."""

    first: int
    second: int
    role: str
    expected: str
    reason: str
    number: int


@dataclass(slots=True)
class ExportedRecord:
    """What the lines read so far say about one record."""

    line: int
    head: str
    # (response, number) → (place, hash of the text). Without a competitor the text identifies the
    # response; a control may have the same text twice, then the second has number 1.
    places: dict[tuple[ExportedResponse, int], tuple[int, int]] = field(default_factory=dict)
    pairs: dict[tuple[int, int], JudgedPair] = field(default_factory=dict)

    def responses_by_place(self) -> list[ExportedResponse]:
        """The responses in the order of their places."""
        return [side for side, _number in self.places]


class ExportedRecords:
    """Records by identifier, with responses and judged pairs; also competitors and contributors."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        database.execute(
            "CREATE TABLE text (record TEXT, place INTEGER, text TEXT, PRIMARY KEY (record, place))"
            " WITHOUT ROWID"
        )
        self.records: dict[str, ExportedRecord] = {}
        # Name → id in the other event, for the order; contributors also with their kind.
        self.models: dict[str, int] = {}
        self.workers: dict[str, tuple[int, str]] = {}

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """An empty collection, in a temporary file that SQLite deletes itself."""
        with open_database(cache_kib=2_000) as database:
            yield cls(database)

    def add_line(self, row: Row, vote: ExportedVote) -> tuple[int, int]:
        """Add a line's record, responses and pair; returns the places of its two responses.

        Raises `InvalidRowError` if an earlier line contradicts it.
        """
        head = json.dumps(extract_record(row.data), ensure_ascii=False, sort_keys=True)
        entry = self.records.setdefault(vote.record, ExportedRecord(row.line, head))
        if entry.head != head:
            said = json.loads(entry.head)
            differing = [name for name, value in json.loads(head).items() if said[name] != value]
            message = f"is not that of record {vote.record} in line {entry.line}"
            raise InvalidRowError([Problem(differing[0], message)])
        first = self.place_response(entry, vote.record, vote.sides[0], "first")
        second = self.place_response(
            entry, vote.record, vote.sides[1], "second", int(are_identical(vote.sides))
        )
        pair = JudgedPair(first, second, vote.role, vote.expected, vote.reason, vote.matchup_number)
        if (second, first) in entry.pairs or entry.pairs.setdefault((first, second), pair) != pair:
            message = "is not what an earlier line says of this pair"
            raise InvalidRowError([Problem("role", message)])
        kind = self.workers.setdefault(vote.worker, (vote.worker_number, vote.kind))[1]
        if kind != vote.kind:
            message = f"{vote.worker} is a {kind} in an earlier line"
            raise InvalidRowError([Problem("contributor_kind", message)])
        for (name, _), number in zip(
            vote.sides, (vote.first_number, vote.second_number), strict=True
        ):
            if name is not None:
                self.models.setdefault(name, number)
        return first, second

    def place_response(
        self,
        entry: ExportedRecord,
        record: str,
        side: ExportedResponse,
        name: str,
        number: int = 0,
    ) -> int:
        """The place of a response among its record's responses; a new one comes last."""
        competitor, text = side
        whose = ((competitor, "" if competitor is not None else text), number)
        found = entry.places.get(whose)
        if found is None:
            place = len(entry.places)
            entry.places[whose] = (place, hash(text))
            self.database.execute("INSERT INTO text VALUES (?, ?, ?)", (record, place, text))
            return place
        if found[1] != hash(text):
            message = f"is not that of {competitor} in an earlier line of record {record}"
            raise InvalidRowError([Problem(f"{name}_response", message)])
        return found[0]

    def iter_rows(self) -> Iterator[Row]:
        """Yield each record as in a file of records, in the order of their first pairs."""
        order = sorted(
            self.records,
            key=lambda name: min(pair.number for pair in self.records[name].pairs.values()),
        )
        for name in order:
            yield Row(self.records[name].line, self.build_row(name))

    def build_row(self, name: str) -> dict[str, Any]:
        """A record with its responses in canonical order, as far as its pairs determine it."""
        entry = self.records[name]
        found = self.database.execute("SELECT place, text FROM text WHERE record = ?", (name,))
        texts: Mapping[int, str] = dict(found.fetchall())
        names = entry.responses_by_place()
        order = sort_places(entry)
        record = json.loads(entry.head)
        record["responses"] = [
            {"model": names[place][0], "text": texts[place]}
            if names[place][0] is not None
            else {"text": texts[place]}
            for place in order
        ]
        pairs = list(entry.pairs.values())
        if len(order) == 2 and pairs[0].role == Matchup.Role.CONTROL:
            record["control"] = {"expected": pairs[0].expected, "reason": pairs[0].reason}
        return {key: value for key, value in record.items() if value is not None}


def sort_places(entry: ExportedRecord) -> list[int]:
    """Order a record's places so that the first response of every pair comes first."""
    before = TopologicalSorter({place: [] for place in range(len(entry.places))})
    for pair in entry.pairs.values():
        before.add(pair.second, pair.first)
    try:
        return list(before.static_order())
    except CycleError as error:
        message = "Responses of this record stand in no common order; was the file changed?"
        raise UnreadableFileError(entry.line, message) from error

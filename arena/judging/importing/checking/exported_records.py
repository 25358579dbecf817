"""The records of an export of judgments, gathered from its lines.

Memory grows with records and pairs, not with judgments; texts lie on the disk.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, Self

from arena.events.importing.checking.checks import InvalidRowError, Problem
from arena.events.importing.reading.files import Row
from arena.events.importing.report import Unreadable
from arena.events.models import Matchup
from arena.judging.importing.reading.export_lines import ExportedVote, Side, are_twins, record_of

CONTROL = Matchup.Role.CONTROL


@dataclass(slots=True)
class Pair:
    """Two responses of a record, by place, that were judged together."""

    first: int
    second: int
    role: str
    expected: str
    reason: str
    number: int


@dataclass(slots=True)
class Gathered:
    """What the lines so far have said of one record."""

    line: int
    head: str
    # Of each response by whose it is (a text where it is nobody's, which a control may have twice:
    # then the second is number 1): its place and the text's hash.
    places: dict[tuple[Side, int], tuple[int, int]] = field(default_factory=dict)
    pairs: dict[tuple[int, int], Pair] = field(default_factory=dict)

    def names(self) -> list[Side]:
        """Whose response is at each place."""
        return [side for side, _number in self.places]


class Gathering:
    """Records by identifier, with their responses, judged pairs, models and contributors."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        database.execute("PRAGMA journal_mode = OFF")
        database.execute(
            "CREATE TABLE text (record TEXT, place INTEGER, text TEXT, PRIMARY KEY (record, place))"
            " WITHOUT ROWID"
        )
        self.records: dict[str, Gathered] = {}
        # Numbers that say in which order models and contributors came; kinds of contributors.
        self.models: dict[str, int] = {}
        self.workers: dict[str, tuple[int, str]] = {}

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """An empty one, in a temporary file that SQLite deletes by itself."""
        with closing(sqlite3.connect("", isolation_level=None)) as database:
            yield cls(database)

    def take(self, row: Row, vote: ExportedVote) -> tuple[int, int]:
        """Note what a line says of its record; the places of its two responses there. Raises
        `InvalidRowError` where an earlier line says otherwise."""
        head = json.dumps(record_of(row.data), ensure_ascii=False, sort_keys=True)
        gathered = self.records.setdefault(vote.record, Gathered(row.line, head))
        if gathered.head != head:
            said = json.loads(gathered.head)
            differing = [name for name, value in json.loads(head).items() if said[name] != value]
            message = f"is not that of record {vote.record} in line {gathered.line}"
            raise InvalidRowError([Problem(differing[0], message)])
        first = self.place_of(gathered, vote.record, vote.sides[0], "first")
        second = self.place_of(
            gathered, vote.record, vote.sides[1], "second", int(are_twins(vote.sides))
        )
        pair = Pair(first, second, vote.role, vote.expected, vote.reason, vote.matchup_number)
        if (second, first) in gathered.pairs or gathered.pairs.setdefault(
            (first, second), pair
        ) != pair:
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

    def place_of(
        self, gathered: Gathered, record: str, side: Side, name: str, number: int = 0
    ) -> int:
        """The place of a response among its record's; a new one comes last."""
        competitor, text = side
        whose = ((competitor, "" if competitor is not None else text), number)
        found = gathered.places.get(whose)
        if found is None:
            place = len(gathered.places)
            gathered.places[whose] = (place, hash(text))
            self.database.execute("INSERT INTO text VALUES (?, ?, ?)", (record, place, text))
            return place
        if found[1] != hash(text):
            message = f"is not that of {competitor} in an earlier line of record {record}"
            raise InvalidRowError([Problem(f"{name}_response", message)])
        return found[0]

    def rows(self) -> Iterator[Row]:
        """Each record as a file of records would have it, in the order of their first pairs."""
        order = sorted(
            self.records,
            key=lambda name: min(pair.number for pair in self.records[name].pairs.values()),
        )
        for name in order:
            yield Row(self.records[name].line, self.row_of(name))

    def row_of(self, name: str) -> dict[str, Any]:
        """A record with its responses in canonical order, as far as its pairs tell it."""
        gathered = self.records[name]
        found = self.database.execute("SELECT place, text FROM text WHERE record = ?", (name,))
        texts: Mapping[int, str] = dict(found.fetchall())
        names = gathered.names()
        order = canonical_order(gathered)
        record = json.loads(gathered.head)
        record["responses"] = [
            {"model": names[place][0], "text": texts[place]}
            if names[place][0] is not None
            else {"text": texts[place]}
            for place in order
        ]
        pairs = list(gathered.pairs.values())
        if len(order) == 2 and pairs[0].role == CONTROL:
            record["control"] = {"expected": pairs[0].expected, "reason": pairs[0].reason}
        return {key: value for key, value in record.items() if value is not None}


def canonical_order(gathered: Gathered) -> list[int]:
    """The places of a record's responses so that in every pair the first comes first."""
    before = TopologicalSorter({place: [] for place in range(len(gathered.places))})
    for pair in gathered.pairs.values():
        before.add(pair.second, pair.first)
    try:
        return list(before.static_order())
    except CycleError as error:
        message = "Responses of this record stand in no common order; was the file changed?"
        raise Unreadable(gathered.line, message) from error

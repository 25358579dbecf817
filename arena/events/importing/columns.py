"""What a file's columns or keys mean under a mapping, and what the file itself calls them."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from arena.events.importing.cells import (
    NAMES,
    doubts_of_cells,
    meaning_of,
    record_of_cells,
)
from arena.events.importing.checks import Checker, InvalidRow, Problem
from arena.events.importing.formulas import formulas_in
from arena.events.importing.reading import Row
from arena.events.importing.records import RecordRow, parse_record
from arena.events.importing.report import LineError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of CSV or keys of JSON, under a mapping of theirs to ours."""

    mapping: Mapping[str, str]
    is_csv: bool

    def meant(self, row: Row) -> Mapping[str, Any]:
        """The row's values under their meaning. Raises `InvalidRow`."""
        return rename(row.data, self.mapping) if self.mapping else row.data

    def read(self, row: Row, names: Collection[str], parse: Callable[[Mapping[str, Any]], T]) -> T:
        """What `parse` makes of a row, if it does not refuse it, and if no cell of a CSV file is
        a formula, `names` being the columns of names. Raises `InvalidRow` naming all problems."""
        data = self.meant(row)
        problems = formulas_in(data, names) if self.is_csv else []
        try:
            value = parse(data)
        except InvalidRow as error:
            raise InvalidRow([*problems, *error.problems]) from error
        if problems:
            raise InvalidRow(problems)
        return value

    def called(self, field: str, row: Row) -> str:
        """A field as the file calls it; as we do where the file has nothing of it."""
        for key in row.data:
            meaning = self.mapping.get(key, key)
            if field == meaning or field.startswith((f"{meaning}.", f"{meaning}[")):
                return key + field[len(meaning) :]
        return field

    def errors(self, row: Row, problems: Iterable[Problem]) -> list[LineError]:
        """Problems of a row with its line and the file's own words."""
        return [
            LineError(row.line, row.prefix + self.called(problem.field, row), problem.message)
            for problem in problems
        ]

    def header_errors(self, row: Row, check: Callable[[Iterable[str]], None]) -> list[LineError]:
        """What `check` refuses of CSV's header: it is wrong once, not in every line."""
        try:
            if self.is_csv:
                check(self.meant(row))
        except InvalidRow as error:
            # By the base: a column may be called like a record's field.
            return [
                LineError(1, Columns.called(self, p.field, row), p.message) for p in error.problems
            ]
        return []


class RecordColumns(Columns):
    """The same of a file of records."""

    __slots__ = ()

    def record(self, row: Row) -> RecordRow:
        """Check a row's every field. Raises `InvalidRow` naming all that are wrong."""
        cells = record_of_cells if self.is_csv else dict
        return self.read(row, NAMES, lambda data: parse_record(cells(data)))

    def called(self, field: str, row: Row) -> str:
        """In CSV a record's field is a column's."""
        if self.is_csv:
            meant = {self.mapping.get(key, key): value for key, value in row.data.items()}
            field = meaning_of(field, meant)
        return super().called(field, row)

    def identifies(self, row: Row) -> bool:
        """Whether the row says which record it is."""
        return self.meant(row).get("external_id") not in (None, "")

    def doubts(self, row: Row) -> list[Problem]:
        """What can be taken as it stands, and was probably meant otherwise."""
        return doubts_of_cells(self.meant(row)) if self.is_csv else []


def rename(data: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """Columns or keys under their meaning: `{"instruction": "prompt"}`; mapped to "": left out."""
    renamed = {}
    for key, value in data.items():
        name = mapping.get(key, key)
        if name in renamed:
            check = Checker()
            check.refuse(name, f"is given twice (once by {key})")
            check.finish()
        if name:
            renamed[name] = value
    return renamed

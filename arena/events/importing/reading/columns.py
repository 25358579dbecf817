"""What a file's columns or keys mean under a mapping, and what the file itself calls them."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

from arena.events.importing.checking.checks import (
    Checker,
    Doubt,
    Problem,
    normalize_name,
)
from arena.events.importing.reading.flat_rows import (
    build_record,
    canonical_name,
    column_of_field,
    find_response_cells,
    is_blank,
    is_column,
    is_column_name,
    is_flat,
    is_flat_key,
    is_record_key,
)
from arena.events.importing.reading.records import RecordRow, parse_fields
from arena.events.importing.reading.rows import Row
from arena.events.importing.reading.unknown_columns import collect_extra_metadata
from arena.events.importing.report import LineError

T = TypeVar("T")
# Characters that a cell has at most where it may be the name of a column.
MAX_COLUMN_NAME = 25


@dataclass(frozen=True, slots=True)
class ImportColumns:
    """Columns of CSV or keys of JSON, under a mapping of theirs to ours."""

    mapping: Mapping[str, str]
    is_csv: bool

    def meaning(self, key: str) -> str:
        """What a column or key means; empty: it is left out."""
        return self.mapping.get(key, key)

    def renamed(self, row: Row) -> Mapping[str, Any]:
        """The row's values under their meaning. Raises `InvalidRowError`."""
        return rename_keys(row.data, self.meaning) if self.mapping else row.data

    def parse_row(
        self, row: Row, names: Collection[str], parse: Callable[[Mapping[str, Any]], T]
    ) -> T:
        """What `parse` makes of a row. Raises `InvalidRowError` naming all problems. (`names`: the
        columns of names, which say what a row cannot do without.)"""
        return parse(self.renamed(row))

    def name_in_file(self, field: str, row: Row) -> str:
        """The name that the file uses for a field; our own name where the file lacks it."""
        for key in row.data:
            meaning = self.meaning(key)
            if meaning and (field == meaning or field.startswith((f"{meaning}.", f"{meaning}["))):
                return key + field[len(meaning) :]
        return field

    def line_errors(self, row: Row, problems: Iterable[Problem | Doubt]) -> list[LineError]:
        """Problems or doubts of a row, with its line and the file's own names of fields."""
        return [
            LineError(
                (problem.line if isinstance(problem, Doubt) else 0) or row.line,
                row.prefix + self.name_in_file(problem.field, row),
                problem.message,
            )
            for problem in problems
        ]


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """A parsed row: its record, and what is doubtful about it."""

    record: RecordRow
    doubts: tuple[Doubt, ...]
    # Columns that mean nothing to us, and are kept as metadata.
    extra_columns: tuple[str, ...]
    # Whether the row says which record it is, and whether other rows may add to it.
    is_identified: bool
    is_flat: bool
    # Whether the row is one response of a record that others share.
    is_single: bool
    # Models that the row has a place for and no response of.
    unanswered_models: tuple[str, ...]


class RecordColumns(ImportColumns):
    """Columns of a file of records, which may be flat rows or objects."""

    __slots__ = ()
    # Whether responses of records without a key may be nobody's.
    allows_nobody: ClassVar[bool] = False

    def meaning(self, key: str) -> str:
        """What a column or key means: our own names in any case, with blanks or hyphens."""
        return self.mapping[key] if key in self.mapping else canonical_name(key)

    def renamed(self, row: Row) -> Mapping[str, Any]:
        """The row's values under their meaning. Raises `InvalidRowError`."""
        return rename_keys(row.data, self.meaning)

    def parse(self, row: Row) -> ParsedRow:
        """Check a row's every field. Raises `InvalidRowError` naming all that are wrong."""
        data, check = self.renamed(row), Checker()
        if self.is_csv and looks_like_header(row.data.values()):
            check.doubt("header", "", "looks like a second header")
        flat = self.is_csv or is_flat(data)
        is_ours = is_column if self.is_csv else is_flat_key if flat else is_record_key
        spare, told = collect_extra_metadata(data, is_ours, check)
        record = build_record(data, check) if flat else collect_known_keys(data)
        if spare:
            metadata = record.get("metadata") or {}
            record["metadata"] = {**spare, **metadata} if isinstance(metadata, dict) else metadata
        parsed = parse_fields(record, check, allows_nobody=self.allows_nobody)
        return ParsedRow(
            record=parsed,
            doubts=tuple(replace(d, line=row.line) for d in (*row.doubts, *check.doubts)),
            extra_columns=tuple(told),
            is_identified=data.get("external_id") not in (None, ""),
            is_flat=flat,
            is_single=flat and "response" in data,
            unanswered_models=find_unanswered_models(data, flat=flat),
        )

    def record(self, row: Row) -> RecordRow:
        """The record that a row is. Raises `InvalidRowError` naming all that are wrong."""
        return self.parse(row).record

    def name_in_file(self, field: str, row: Row) -> str:
        """The name that the file uses for a field; in a flat row, that of the column it came
        from."""
        meant = {self.meaning(key): value for key, value in row.data.items()}
        if self.is_csv or is_flat(meant):
            field = column_of_field(field, meant)
        for key in row.data:  # what means nothing is kept as metadata of its own name
            if self.meaning(key) and field.startswith((f"metadata.{key}.", f"metadata.{key}[")):
                return field.removeprefix("metadata.")
            if field == f"metadata.{key}" and self.meaning(key):
                return key
        return super().name_in_file(field, row)


def looks_like_header(cells: Iterable[object]) -> bool:
    """Whether a row says what columns are called: some surveys have the questions in a second
    one."""
    said = [str(cell).strip() for cell in cells if not is_blank(cell)]
    named = [cell for cell in said if len(cell) < MAX_COLUMN_NAME and is_column_name(cell)]
    return len(named) > 2 and 2 * len(named) >= len(said)


def find_unanswered_models(data: Mapping[str, Any], *, flat: bool) -> tuple[str, ...]:
    """Models that a row has a place for and no response of."""
    if flat:
        pairs = [(slot.model, slot.text) for slot in find_response_cells(data)]
    else:
        listed = data.get("responses")
        pairs = list(listed.items()) if isinstance(listed, dict) else []
    return tuple(
        normalize_name(model) for model, text in pairs if isinstance(model, str) and is_blank(text)
    )


def collect_known_keys(data: Mapping[str, Any]) -> dict[str, Any]:
    """A record's own keys, and its metadata with what was mapped to `metadata.NAME`."""
    record = {key: value for key, value in data.items() if "." not in key and value is not None}
    mapped = {
        key.removeprefix("metadata."): value
        for key, value in data.items()
        if key.startswith("metadata.") and value is not None
    }
    if mapped and isinstance(record.get("metadata", {}), dict):
        record["metadata"] = {**record.get("metadata", {}), **mapped}
    return record


def rename_keys(data: Mapping[str, Any], meaning: Callable[[str], str]) -> dict[str, Any]:
    """Columns or keys under their meaning: `{"instruction": "prompt"}`; mapped to "": left out."""
    renamed = {}
    for key, value in data.items():
        name = meaning(key)
        if name in renamed:
            check = Checker()
            check.refuse(name, f"is given twice (once by {key})")
            check.raise_problems()
        if name:
            renamed[name] = value
    return renamed

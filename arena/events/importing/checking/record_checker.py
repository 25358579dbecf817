"""Check the rows of a file by themselves; errors and doubts go into the report.

The import and its preview check alike: nothing here looks at the event.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from arena.events.importing.checking.checks import Doubt, InvalidRowError, Problem
from arena.events.importing.checking.csv_header import find_header_errors
from arena.events.importing.checking.doubts import find_doubts, group_alike
from arena.events.importing.reading.columns import ParsedRow, RecordColumns
from arena.events.importing.reading.merging import CheckedRecord, RecordMerger
from arena.events.importing.reading.rows import Row
from arena.events.importing.report import ImportReport, LineError
from arena.events.importing.writing.temporary import SeenKeys

ONLY_RESPONSE = Doubt(
    "only_response",
    "responses",
    "there is only one; nobody can judge this record until it has another",
)


@dataclass
class RecordChecker:
    """The check of one file, row by row."""

    columns: RecordColumns
    report: ImportReport
    seen: SeenKeys
    merger: RecordMerger
    # Called after every row: an import says that it is alive.
    on_row: Callable[[], None] = lambda: None
    organizations: Mapping[str, str] = field(default_factory=dict)
    # Columns that were reported already: each is told of once.
    reported_columns: set[str] = field(default_factory=set)
    # Models that have a response, with the line of the first, and those that have a place only.
    first_lines: dict[str, int] = field(default_factory=dict)
    unanswered_models: dict[str, None] = field(default_factory=dict)

    def check_rows(self, rows: Iterable[Row | LineError]) -> Iterator[CheckedRecord]:
        """Records that are right in themselves and not there twice. Raises `Unreadable`."""
        header_checked = False
        for row in rows:
            self.on_row()
            if isinstance(row, LineError):
                self.report.skip_row(row)
                continue
            if not header_checked:
                self.report.refuse_file(find_header_errors(self.columns, row))
                header_checked = True
            try:
                parsed = self.columns.parse(row)
                self.note_columns(row, parsed)
                if parsed.is_flat:
                    self.merger.add_row(row, parsed)
                    continue
            except InvalidRowError as error:
                self.refuse(row, error.problems)
                continue
            yield from self.skip_repeated(CheckedRecord(row, parsed.record, parsed.doubts), parsed)
        for checked in self.merger:
            self.on_row()
            yield from self.skip_repeated(checked)

    def skip_repeated(
        self, checked: CheckedRecord, parsed: ParsedRow | None = None
    ) -> Iterator[CheckedRecord]:
        """Yield the record, unless an earlier one has its identifier: that is an error."""
        line = checked.row.line
        first = self.seen.first_with(checked.record.external_id, line)
        if first is None:
            for response in checked.record.responses:
                if response.model:
                    self.first_lines.setdefault(response.model, line)
            yield checked
            return
        message = f"is the same as in line {first[0]}"
        if parsed and not parsed.is_identified:
            message = f"is missing, and prompt and models are those of line {first[0]}"
        self.refuse(checked.row, [Problem("external_id", message)])

    def note_columns(self, row: Row, parsed: ParsedRow) -> None:
        """Warn once of each column that means nothing, and remember the models of empty cells."""
        self.unanswered_models.update(dict.fromkeys(parsed.unanswered_models))
        for column in parsed.extra_columns:
            if column not in self.reported_columns:
                self.reported_columns.add(column)
                field = self.columns.name_in_file(column, row)
                self.report.warn(
                    LineError(row.line, field, "has no meaning here; kept as metadata")
                )

    def report_doubts(self, checked: CheckedRecord, more: Sequence[Doubt] = ()) -> None:
        """Report what is doubtful about a record that is to be imported."""
        doubts = [*checked.doubts, *find_doubts(checked.record, self.organizations), *more]
        for doubt in doubts:
            (warning,) = self.columns.line_errors(checked.row, [doubt])
            self.report.doubt(doubt.kind, warning)

    def report_name_doubts(self, known: Iterable[str], wanted: Iterable[str]) -> None:
        """Report what is doubtful about the models of the file as a whole: `known` are the
        event's with responses, `wanted` those that somebody has named in a list."""
        known = set(known)
        for group in group_alike(sorted(known.union(self.first_lines))):
            if lines := [self.first_lines[name] for name in group if name in self.first_lines]:
                names = " and ".join(f"“{name}”" for name in group)
                self.report.doubt(
                    "alike", LineError(max(lines), "", f"{names} are counted separately")
                )
        for name in dict.fromkeys([*wanted, *self.unanswered_models]):
            if name not in self.first_lines and name not in known:
                message = f"{name} has no response in this file"
                self.report.doubt("no_responses", LineError(1, "", message))

    def refuse(self, row: Row, problems: Sequence[Problem]) -> None:
        """Report what is wrong with a row, which is left out."""
        self.report.skip_row(*self.columns.line_errors(row, problems))

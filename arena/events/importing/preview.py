"""The first rows of an upload: what its columns or keys probably mean, and what is wrong or
doubtful about them."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from arena.events.importing.checking.checks import fold_column
from arena.events.importing.checking.leaks import is_model_family
from arena.events.importing.checking.record_checker import ONLY_RESPONSE, RecordChecker
from arena.events.importing.reading.budget import (
    NOTHING_TO_SHOW,
    PREVIEW_BUDGET,
    BudgetError,
)
from arena.events.importing.reading.columns import RecordColumns
from arena.events.importing.reading.files import guess_format, open_source, peek_bytes, read_rows
from arena.events.importing.reading.flat_rows import (
    METADATA_COLUMN,
    MODEL_COLUMN,
    RECORD_COLUMNS,
    RESPONSE_COLUMN,
    SINGLE_COLUMNS,
    canonical_name,
    is_response_column,
)
from arena.events.importing.reading.foreign_columns import COLUMN_ALIASES
from arena.events.importing.reading.formats.csv_files import NAMELESS_COLUMN
from arena.events.importing.reading.formats.unsupported_types import refuse_other_file_types
from arena.events.importing.reading.merging import CheckedRecord, open_merger
from arena.events.importing.reading.records import RECORD_KEYS
from arena.events.importing.reading.rows import Row
from arena.events.importing.report import ImportReport, LineError, UnreadableFileError
from arena.events.importing.writing.batches import shows_pairs
from arena.events.importing.writing.temporary import open_seen_keys
from arena.events.models import Event, Record

PREVIEW_ROWS = 5
# Rows that are checked for doubts and errors, and the bytes that they may take.
MAX_ROWS_CHECKED = 1_000
MAX_BYTES_CHECKED = 2_000_000
MAX_EXCERPT = 120


@dataclass(slots=True)
class Preview:
    """Columns and first rows as they stand in the file, with what is wrong under a mapping."""

    columns: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    mapping: dict[str, str] = field(default_factory=dict)
    report: ImportReport = field(default_factory=ImportReport)
    # Rows that were checked, and whether that is the whole file.
    checked: int = 0
    is_whole: bool = True
    is_csv: bool = False

    @property
    def errors(self) -> list[LineError]:
        """What is wrong, each fault once."""
        return self.report.errors

    @property
    def notes(self) -> list[LineError]:
        """What is taken as it stands, and asks for no confirmation."""
        doubted = {(doubt.field, doubt.message) for doubt in self.report.doubts}
        return [
            warning
            for warning in self.report.warnings
            if warning.message.endswith("kept as metadata")
            and (warning.field, warning.message) not in doubted
        ]


def detect_format(source: BinaryIO, name: str) -> str:
    """The format that an upload's name and first bytes suggest."""
    try:
        with open_source(source) as inner:
            return guess_format(name, peek_bytes(inner.stream, 1_000))
    except UnreadableFileError:  # the check of the file will say what is wrong
        return guess_format(name, b"")


def build_preview(
    source: Path | BinaryIO,
    format: str,
    mapping: Mapping[str, str] | None = None,
    name: str = "",
    event: Event | None = None,
) -> Preview:
    """The first rows of a file; without a mapping, with one that is guessed. `event` tells which
    records would be left with one response."""
    preview = Preview(is_csv=format == "csv")
    rows: list[Row | LineError] = []
    try:
        refuse_other_file_types(b"", name)
        with open_source(source, PREVIEW_BUDGET) as opened:
            for row in read_rows(opened.stream, format):
                if len(rows) >= MAX_ROWS_CHECKED or opened.done > MAX_BYTES_CHECKED + 300_000:
                    preview.is_whole = False
                    break
                rows.append(row)
    except BudgetError:
        preview.is_whole = False
        if not rows:
            rows.append(LineError(1, "", NOTHING_TO_SHOW))
    except UnreadableFileError as error:
        rows.append(error.error)
    shown = [row for row in rows if isinstance(row, Row)][:PREVIEW_ROWS]
    preview.columns = list(dict.fromkeys(key for row in shown for key in row.data))
    preview.rows = [
        (row.line, [shorten(row.data.get(column)) for column in preview.columns]) for row in shown
    ]
    if mapping is None:
        mapping = guess_mapping(preview.columns, is_csv=preview.is_csv)
    preview.mapping = {
        column: mapping.get(column, canonical_name(column)) for column in preview.columns
    }
    preview.checked = len(rows)
    check_rows(rows, {**mapping, **preview.mapping}, preview, event)
    return preview


def check_rows(
    rows: Sequence[Row | LineError],
    mapping: Mapping[str, str],
    preview: Preview,
    event: Event | None,
) -> None:
    """What is wrong or doubtful about these rows under a mapping goes into the preview's report."""
    report = preview.report
    with ExitStack() as stack:
        checking = RecordChecker(
            columns=RecordColumns(mapping, is_csv=preview.is_csv),
            report=report,
            seen=stack.enter_context(open_seen_keys()),
            merger=stack.enter_context(open_merger()),
        )
        try:
            records = list(checking.check_rows(rows))
            alone = find_single_responses(records, event)
            for checked in records:
                is_alone = checked.record.external_id in alone
                checking.report_doubts(checked, [ONLY_RESPONSE] if is_alone else [])
        except UnreadableFileError as error:
            report.refuse(error.error)
        else:
            checking.report_name_doubts((), ())


def find_single_responses(records: Sequence[CheckedRecord], event: Event | None) -> set[str]:
    """Records of one response that the event does not have yet, where it shows pairs."""
    if event is None or not shows_pairs(list(event.questions.all())):
        return set()
    single = {c.record.external_id for c in records if len(c.record.responses) == 1}
    there = Record.objects.filter(event=event, external_id__in=single)
    return single - set(there.values_list("external_id", flat=True))


def shorten(value: object) -> str:
    """The beginning of a value, on one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.encode(errors="replace").decode().replace("\x00", " ").split())
    return text if len(text) <= MAX_EXCERPT else text[: MAX_EXCERPT - 1] + "…"


def guess_mapping(columns: Sequence[str], *, is_csv: bool) -> dict[str, str]:
    """What the columns or keys probably mean; what means nothing becomes metadata."""
    flat = is_csv or is_probably_flat(columns)
    known = list_targets(columns, is_csv=is_csv) if flat else list(RECORD_KEYS)
    mapping = {
        column: canonical_name(column)
        for column in columns
        if canonical_name(column) in known or METADATA_COLUMN.fullmatch(column)
    }
    for target in known:
        if target in mapping.values():
            continue
        for column in find_candidates(target, columns):
            if column not in mapping and is_compatible(target, mapping):
                mapping[column] = target
                break
    if flat and not any(map(is_response_column, mapping.values())):
        mapping |= guess_model_columns([column for column in columns if column not in mapping])
    return {column: mapping.get(column) or default_target(column) for column in columns}


def is_probably_flat(columns: Sequence[str]) -> bool:
    """Whether the keys of JSON objects are those of flat rows, by whatever name."""
    if "responses" in columns:
        return False
    guessed = {
        target
        for target in (*list_response_targets("ab"), *SINGLE_COLUMNS)
        if find_candidates(target, columns)
    }
    return bool(guessed) or any(map(is_response_column, map(canonical_name, columns)))


def find_candidates(target: str, columns: Sequence[str]) -> list[str]:
    """Columns that go by an alias of the target, the likeliest first."""
    aliases = COLUMN_ALIASES.get(target, ())
    return [
        column
        for alias in aliases
        for column in columns
        if fold_column(column) == fold_column(alias)
    ]


def is_compatible(target: str, mapping: Mapping[str, str]) -> bool:
    """Whether a guess goes with those before it: a file has pairs, or one response a row."""
    taken = mapping.values()
    if target in SINGLE_COLUMNS:
        return not any(RESPONSE_COLUMN.fullmatch(other) for other in taken)
    return True


def guess_model_columns(columns: Sequence[str]) -> dict[str, str]:
    """Columns that are called like models, as what each of them answered."""
    found = {
        column: f"responses.{column}" for column in columns if is_model_family(column.split("_")[0])
    }
    return found if len(found) > 1 else {}


def default_target(column: str) -> str:
    """Where a column goes that means nothing."""
    return "" if NAMELESS_COLUMN.fullmatch(column) else f"metadata.{column}"


def list_response_targets(letters: Sequence[str]) -> list[str]:
    """The columns of responses by these letters."""
    return [f"{word}_{letter}" for letter in letters for word in SINGLE_COLUMNS]


def list_targets(columns: Sequence[str], *, is_csv: bool) -> list[str]:
    """Everything that a column or key can mean, but for leaving it out."""
    letters = sorted(
        {
            *"ab",
            *(m[2] for name in columns if (m := RESPONSE_COLUMN.fullmatch(canonical_name(name)))),
            *(letter for letter in "cd" if find_candidates(f"response_{letter}", columns)),
        }
    )
    flat = [
        *RECORD_COLUMNS[:2],
        *list_response_targets(letters),
        *SINGLE_COLUMNS,
        *RECORD_COLUMNS[2:],
    ]
    return flat if is_csv else list(dict.fromkeys([*RECORD_KEYS, *flat]))


def list_own_targets(column: str) -> list[str]:
    """What a column can mean under its own name."""
    name = MODEL_COLUMN.fullmatch(column)
    return [f"responses.{name[1] if name else column}", f"metadata.{column}"]

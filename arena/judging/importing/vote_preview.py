"""Preview of an uploaded file of votes: the guessed columns, open questions, and the first
errors."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from random import Random
from typing import Any

from arena.events.importing.checking.checks import InvalidRowError
from arena.events.importing.jobs import JobHold
from arena.events.importing.preview import shorten
from arena.events.importing.reading.budget import (
    NOTHING_TO_SHOW,
    PREVIEW_BUDGET,
    BudgetError,
)
from arena.events.importing.reading.files import open_source, peek_bytes, read_rows
from arena.events.importing.reading.own_exports import HEAD_BYTES, looks_like_export
from arena.events.importing.reading.rows import Row
from arena.events.importing.report import (
    ImportReport,
    LineError,
    UnreadableFileError,
    strip_options,
)
from arena.events.importing.writing.temporary import open_seen_keys, open_spool
from arena.events.models import ImportJob
from arena.files.reading import open_stream
from arena.judging.importing.checking.vote_check import VoteChecker
from arena.judging.importing.imported_votes import build_vote_writer
from arena.judging.importing.options import VoteOptions
from arena.judging.importing.reading.preferences import (
    convert_grade,
    format_number,
    match_model_name,
    normalize_value,
    parse_number,
    parse_word,
)
from arena.judging.importing.reading.vote_columns import (
    COLUMN_HELP,
    PREFERENCE_COLUMNS,
    VOTE_COLUMNS,
    VoteColumns,
    resolve_vote_alias,
)

MAX_ROWS_SHOWN = 5
# The preview checks at most so many rows and bytes.
MAX_ROWS_CHECKED = 5_000
MAX_BYTES_CHECKED = 2_000_000
MAX_UNKNOWN_VALUES = 40
# A grade, its line number, and its row.
GradedRow = tuple[float, int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class UnknownValue:
    """A value of a preference column that is not understood, with its count and first line."""

    value: str
    count: int
    line: int
    answer: str | None


@dataclass(frozen=True, slots=True)
class GradeExample:
    """A row with a grade, used to ask which end of the scale favours which model.

    The scale runs from `low` to `high`.
    """

    line: int
    value: str
    model_a: str
    model_b: str
    low: str
    high: str


@dataclass(slots=True)
class VotePreview:
    """The columns and first rows of a file, and the questions to ask about them."""

    is_export: bool = False
    columns: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    mapping: dict[str, str] = field(default_factory=dict)
    report: ImportReport = field(default_factory=ImportReport)
    values: list[UnknownValue] = field(default_factory=list)
    example: GradeExample | None = None
    checked: int = 0
    is_whole: bool = True

    @property
    def has_worker(self) -> bool:
        """Whether a column holds the voter."""
        return "worker" in self.mapping.values()

    @property
    def has_left(self) -> bool:
        """Whether a column holds the model that was shown on the left."""
        return "left" in self.mapping.values()


def preview_votes(job: ImportJob, mapping: Mapping[str, str] | None, now: datetime) -> VotePreview:
    """Read the first rows with the given column mapping, or guess one."""
    preview = VotePreview()
    options = VoteOptions.from_json(job.vote_options)
    rows: list[Row | LineError] = []
    try:
        with (
            open_stream(job.file) as stream,
            open_source(stream, PREVIEW_BUDGET) as source,
        ):
            preview.is_export = not mapping and looks_like_export(
                peek_bytes(source.stream, HEAD_BYTES)
            )
            if preview.is_export:
                return preview
            for row in islice(read_rows(source.stream, job.format), MAX_ROWS_CHECKED):
                rows.append(row)
                if source.done > MAX_BYTES_CHECKED:
                    break
            preview.is_whole = not peek_bytes(source.stream, 1)
    except BudgetError:
        preview.is_whole = False
        if not rows:
            preview.report.refuse(LineError(1, "", NOTHING_TO_SHOW))
    except UnreadableFileError as error:
        preview.report.refuse(error.error)
    fill_columns(preview, [row for row in rows if isinstance(row, Row)], mapping)
    preview.checked = len(rows)
    fill_questions(preview, rows, job, options)
    if rows and not preview.report.errors and not (preview.example and options.ends is None):
        check_sample_rows(preview, rows, job, options, now)
    preview.report.errors = [strip_options(error) for error in preview.report.errors]
    preview.report.warnings = [strip_options(error) for error in preview.report.warnings]
    return preview


def fill_columns(
    preview: VotePreview, rows: Sequence[Row], mapping: Mapping[str, str] | None
) -> None:
    """Fill in the columns, their meanings, and excerpts of the first rows."""
    preview.columns = list(dict.fromkeys(key for row in rows[:100] for key in row.data))
    preview.rows = [
        (row.line, [shorten(row.data.get(column)) for column in preview.columns])
        for row in rows[:MAX_ROWS_SHOWN]
    ]
    if mapping is None:
        mapping = guess_vote_mapping(preview.columns)
    preview.mapping = {column: mapping.get(column, "") for column in preview.columns}


def guess_vote_mapping(columns: Sequence[str]) -> dict[str, str]:
    """Guess the meaning of each column; empty for columns that are ignored."""
    mapping = {column: column for column in columns if column in VOTE_COLUMNS}
    for column in columns:
        if column not in mapping and (
            name := resolve_vote_alias(column, [*columns, *mapping.values()])
        ):
            mapping[column] = name
    if "winner" in mapping.values() and "outcome" in mapping.values():
        mapping = {key: value for key, value in mapping.items() if value != "outcome"}
    return {column: mapping.get(column, "") for column in columns}


def fill_questions(
    preview: VotePreview, rows: Sequence[Row | LineError], job: ImportJob, options: VoteOptions
) -> None:
    """Fill in the unknown values, and a grade as an example if the scale's ends are unknown."""
    columns = VoteColumns(preview.mapping, is_csv=job.format == "csv")
    asked: dict[str, list[Any]] = {}
    winners: dict[str, list[Any]] = {}
    grades: list[GradedRow] = []
    for row in rows:
        try:
            data = columns.renamed(row) if isinstance(row, Row) else {}
        except InvalidRowError:  # two columns have the same meaning; the check reports it
            return
        for column in PREFERENCE_COLUMNS:
            value, number = data.get(column), parse_number(data.get(column))
            if value in (None, "") or not isinstance(value, str | int | float):
                continue
            if column == "outcome" and number is not None:
                grades.append((number, row.line, data))
            known = normalize_value(value) not in options.values
            known = known and is_understood(column, value, data, job.event.scale, options)
            target = winners if known and column == "winner" and number is not None else asked
            if target is winners or not known:
                target.setdefault(normalize_value(value), [str(value), 0, row.line])[1] += 1
    if not {parse_number(key) for key in (*winners, *asked)} <= {None, 1, 2}:
        asked |= winners  # a scale, not the first and the second model
    preview.example = find_grade_example(grades, options) if grades else None
    preview.values = [
        UnknownValue(value, count, line, options.values.get(key))
        for key, (value, count, line) in sorted(asked.items(), key=lambda one: -one[1][1])
    ][:MAX_UNKNOWN_VALUES]


def is_understood(
    column: str, value: Any, data: Mapping[str, Any], scale: int, options: VoteOptions
) -> bool:
    """Whether a value is understood without further options."""
    number = parse_number(value)
    if column == "outcome":
        if number is None:
            return False
        try:
            return options.ends is None or convert_grade(number, options.ends, scale) is not None
        except ValueError:
            low, high = min(options.ends or (0, 0)), max(options.ends or (0, 0))
            return not low <= number <= high or number % 1 != 0  # an error, not a question
    text = format_number(number) if number is not None else str(value)
    models = (str(data.get("model_a", "")), str(data.get("model_b", "")))
    return bool(match_model_name(text, *models) or parse_word(text, scale))


def find_grade_example(grades: Sequence[GradedRow], options: VoteOptions) -> GradeExample:
    """The grade farthest from the middle, with the scale from the options or guessed from the
    grades."""
    numbers = [number for number, *_ in grades]
    low, high = min(numbers), max(numbers)
    if options.ends:
        low, high = min(options.ends), max(options.ends)
    elif low < 0:
        low, high = -max(-low, high), max(-low, high)
    elif low >= 1 and high <= 7:
        low, high = 1, next(end for end in (2, 3, 4, 5, 7) if high <= end)
    elif low == high:
        low, high = min(low, 0), max(high, 1)
    middle = (low + high) / 2
    number, line, data = max(grades, key=lambda grade: abs(grade[0] - middle))
    names = [str(data.get(name, "") or name) for name in ("model_a", "model_b")]
    return GradeExample(
        line, format_number(number), names[0], names[1], format_number(low), format_number(high)
    )


def check_sample_rows(
    preview: VotePreview,
    rows: Sequence[Row | LineError],
    job: ImportJob,
    options: VoteOptions,
    now: datetime,
) -> None:
    """Check the rows as the import would, without writing anything."""
    trial = JobHold(job)
    trial.job.mapping = preview.mapping
    is_asked = any(value.answer is None for value in preview.values)
    with ExitStack() as stack:
        spool, seen = stack.enter_context(open_spool()), stack.enter_context(open_seen_keys())
        writer = build_vote_writer(trial, options, Random(0))  # noqa: S311 - draws nothing
        first = VoteChecker(writer, writer.vote_rules(now), preview.report, spool, seen)
        try:
            first.check(rows, job.format, lambda: None)
        except UnreadableFileError as error:
            if not is_asked:  # else the boxes ask for it
                preview.report.refuse(error.error)


def list_vote_columns() -> list[tuple[str, str]]:
    """The meanings that a column can be given, each with its explanation."""
    return [(name, COLUMN_HELP[name]) for name in VOTE_COLUMNS]

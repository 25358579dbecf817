"""The first rows of an upload of votes: what its columns probably mean, what is still to be asked,
and what would come of it."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from arena.events.importing.checking.checks import InvalidRowError
from arena.events.importing.jobs import JobHold
from arena.events.importing.preview import excerpt
from arena.events.importing.reading.exported import HEAD, is_export
from arena.events.importing.reading.files import opened, peek, read_rows
from arena.events.importing.reading.rows import Row
from arena.events.importing.report import ImportReport, LineError, Unreadable, without_options
from arena.events.importing.writing.staging import seen_keys, spooling
from arena.events.models import ImportJob
from arena.judging.importing.checking.vote_check import FirstPass
from arena.judging.importing.imported_votes import writer_for
from arena.judging.importing.options import VoteOptions
from arena.judging.importing.reading.preferences import (
    key_of,
    number_of,
    outcome_of_number,
    plain,
    verdict_of_name,
    verdict_of_word,
)
from arena.judging.importing.reading.vote_columns import (
    COLUMNS,
    MEANINGS,
    VERDICTS,
    VoteColumns,
    alias_of,
)

ROWS = 5
# Rows that are looked at, and the bytes that they may take.
MAX_ROWS_CHECKED = 5_000
MAX_BYTES_CHECKED = 2_000_000
MAX_VALUES = 40
# A number, its line, and the row that it stands in.
Grade = tuple[float, int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class UnknownValue:
    """A value of the verdict column that nobody knows: how often, and where first."""

    value: str
    count: int
    line: int
    answer: str | None


@dataclass(frozen=True, slots=True)
class Example:
    """A row with a grade, to ask which end is which; the numbers run from `low` to `high`."""

    line: int
    value: str
    model_a: str
    model_b: str
    low: str
    high: str


@dataclass(slots=True)
class VotePreview:
    """Columns and first rows as they stand in the file, and what is to be asked."""

    is_export: bool = False
    columns: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    mapping: dict[str, str] = field(default_factory=dict)
    report: ImportReport = field(default_factory=ImportReport)
    values: list[UnknownValue] = field(default_factory=list)
    example: Example | None = None
    checked: int = 0
    is_whole: bool = True

    @property
    def has_worker(self) -> bool:
        """Whether some column says who voted."""
        return "worker" in self.mapping.values()

    @property
    def has_left(self) -> bool:
        """Whether some column says which model stood left."""
        return "left" in self.mapping.values()


def preview_votes(job: ImportJob, mapping: Mapping[str, str] | None, now: datetime) -> VotePreview:
    """Look at the first rows under a mapping, or under one that is guessed."""
    preview = VotePreview()
    options = VoteOptions.from_json(job.vote_options)
    rows: list[Row | LineError] = []
    try:
        with opened(Path(job.file.path)) as source:
            preview.is_export = not mapping and is_export(peek(source.stream, HEAD))
            if preview.is_export:
                return preview
            for row in islice(read_rows(source.stream, job.format), MAX_ROWS_CHECKED):
                rows.append(row)
                if source.done > MAX_BYTES_CHECKED:
                    break
            preview.is_whole = not peek(source.stream, 1)
    except Unreadable as error:
        preview.report.refuse(error.error)
    describe(preview, [row for row in rows if isinstance(row, Row)], mapping)
    preview.checked = len(rows)
    ask(preview, rows, job, options)
    if rows and not preview.report.errors and not (preview.example and options.ends is None):
        try_rows(preview, rows, job, options, now)
    preview.report.errors = [without_options(error) for error in preview.report.errors]
    preview.report.warnings = [without_options(error) for error in preview.report.warnings]
    return preview


def describe(preview: VotePreview, rows: Sequence[Row], mapping: Mapping[str, str] | None) -> None:
    """The columns with what they mean, and the beginning of the first rows."""
    preview.columns = list(dict.fromkeys(key for row in rows[:100] for key in row.data))
    preview.rows = [
        (row.line, [excerpt(row.data.get(column)) for column in preview.columns])
        for row in rows[:ROWS]
    ]
    if mapping is None:
        mapping = guess_mapping(preview.columns)
    preview.mapping = {column: mapping.get(column, "") for column in preview.columns}


def guess_mapping(columns: Sequence[str]) -> dict[str, str]:
    """What the columns probably mean; what means nothing is left out."""
    mapping = {column: column for column in columns if column in COLUMNS}
    for column in columns:
        if column not in mapping and (name := alias_of(column, [*columns, *mapping.values()])):
            mapping[column] = name
    if "winner" in mapping.values() and "outcome" in mapping.values():
        mapping = {key: value for key, value in mapping.items() if value != "outcome"}
    return {column: mapping.get(column, "") for column in columns}


def ask(
    preview: VotePreview, rows: Sequence[Row | LineError], job: ImportJob, options: VoteOptions
) -> None:
    """Find the values that nobody knows, and a grade to ask which end is which."""
    columns = VoteColumns(preview.mapping, is_csv=job.format == "csv")
    asked: dict[str, list[Any]] = {}
    winners: dict[str, list[Any]] = {}
    grades: list[Grade] = []
    for row in rows:
        try:
            data = columns.meant(row) if isinstance(row, Row) else {}
        except InvalidRowError:  # two columns mean the same, as the check says
            return
        for column in VERDICTS:
            value, number = data.get(column), number_of(data.get(column))
            if value in (None, "") or not isinstance(value, str | int | float):
                continue
            if column == "outcome" and number is not None:
                grades.append((number, row.line, data))
            known = key_of(value) not in options.values
            known = known and is_understood(column, value, data, job.event.scale, options)
            kept = winners if known and column == "winner" and number is not None else asked
            if kept is winners or not known:
                kept.setdefault(key_of(value), [str(value), 0, row.line])[1] += 1
    if not {number_of(key) for key in (*winners, *asked)} <= {None, 1, 2}:
        asked |= winners  # a scale, not the first and the second model
    preview.example = example_of(grades, options) if grades else None
    preview.values = [
        UnknownValue(value, count, line, options.values.get(key))
        for key, (value, count, line) in sorted(asked.items(), key=lambda one: -one[1][1])
    ][:MAX_VALUES]


def is_understood(
    column: str, value: Any, data: Mapping[str, Any], scale: int, options: VoteOptions
) -> bool:
    """Whether a value says something without anybody's help."""
    number = number_of(value)
    if column == "outcome":
        if number is None:
            return False
        try:
            return (
                options.ends is None or outcome_of_number(number, options.ends, scale) is not None
            )
        except ValueError:
            low, high = min(options.ends or (0, 0)), max(options.ends or (0, 0))
            return not low <= number <= high or number % 1 != 0  # an error, not a question
    text = plain(number) if number is not None else str(value)
    models = (str(data.get("model_a", "")), str(data.get("model_b", "")))
    return bool(verdict_of_name(text, *models) or verdict_of_word(text, scale))


def example_of(grades: Sequence[Grade], options: VoteOptions) -> Example:
    """The clearest grade, with the scale that was named, or that the numbers seem to be of."""
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
    return Example(line, plain(number), names[0], names[1], plain(low), plain(high))


def try_rows(
    preview: VotePreview,
    rows: Sequence[Row | LineError],
    job: ImportJob,
    options: VoteOptions,
    now: datetime,
) -> None:
    """Check the rows as the import will, and write nothing."""
    trial = JobHold(job)
    trial.job.mapping = preview.mapping
    is_asked = any(value.answer is None for value in preview.values)
    with ExitStack() as stack:
        spool, seen = stack.enter_context(spooling()), stack.enter_context(seen_keys())
        writer = writer_for(trial, options, Random(0))  # noqa: S311 - draws nothing
        first = FirstPass(writer, writer.vote_rules(now), preview.report, spool, seen)
        try:
            first.check(rows, job.format, lambda: None)
        except Unreadable as error:
            if not is_asked:  # else the boxes ask for it
                preview.report.refuse(error.error)


def targets() -> list[tuple[str, str]]:
    """Everything that a column can mean, with what that is, but for leaving it out."""
    return [(name, MEANINGS[name]) for name in COLUMNS]

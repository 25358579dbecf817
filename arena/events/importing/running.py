"""The act of importing records, from the claim on the event to the report."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import Exists, OuterRef

from arena.events.importing.checking.checks import Problem
from arena.events.importing.checking.comparing import (
    KEY_MESSAGE,
    compare_record,
    find_refusals,
    load_existing_records,
)
from arena.events.importing.checking.doubts import DOUBT_KINDS
from arena.events.importing.checking.record_checker import ONLY_RESPONSE, RecordChecker
from arena.events.importing.jobs import (
    JobHold,
    adopt_stale_job,
    delete_on_conflict,
    fail_stale_jobs,
    hold_job,
)
from arena.events.importing.reading.budget import limit_rows
from arena.events.importing.reading.columns import RecordColumns
from arena.events.importing.reading.files import (
    Source,
    guess_format,
    open_source,
    peek_bytes,
    read_rows,
)
from arena.events.importing.reading.formats.unsupported_types import refuse_other_file_types
from arena.events.importing.reading.merging import CheckedRecord, open_merger
from arena.events.importing.reading.name_index import CompetitorRow, NameIndex
from arena.events.importing.reading.own_exports import EXPORT_MESSAGE, HEAD_BYTES, looks_like_export
from arena.events.importing.reading.records import RecordRow
from arena.events.importing.reading.rows import Row
from arena.events.importing.report import (
    ImportReport,
    LineError,
    ProgressCallback,
    UnreadableFileError,
)
from arena.events.importing.writing.batches import RecordWriter, create_batch, prepare_writer
from arena.events.importing.writing.keys import record_keys, rule_by
from arena.events.importing.writing.temporary import (
    Spool,
    open_seen_keys,
    open_spool,
    split_by_cost,
)
from arena.events.importing.writing.updating import apply_staged, delete_leftovers, stage_batch
from arena.events.models import Act, Competitor, Control, Event, ImportJob, Record, Response

State = ImportJob.State
MAX_SHOWN_TOGETHER = 9
# A batch is checked or written at a time; written in one transaction, which others wait for on
# SQLite: some 500 records of two responses and a matchup, a quarter of a second.
RECORDS_PER_CHECK, ROWS_PER_BATCH, CHARACTERS_PER_BATCH = 1_000, 4_000, 4_000_000


def import_records(
    event: Event,
    source: Path | BinaryIO,
    *,
    format: str = "",
    mapping: Mapping[str, str] | None = None,
    on_error: str = "stop",
    accepts_doubts: bool = False,
    competitors: Sequence[CompetitorRow] = (),
    now: datetime,
    rng: Random,
    progress: ProgressCallback | None = None,
) -> ImportReport:
    """Import records from a file. Raises `ImportBusyError` while another import is under way.

    `format` is one of `reading.FORMATS`, or empty: as the file looks. `mapping` takes the file's
    columns or keys to ours, or to "" to leave them out. Where a line is wrong, `on_error` says
    "stop" (nothing is imported) or "skip" (everything else is). Where the file gives rise to
    doubts, nothing is imported unless `accepts_doubts`. A record whose identifier is there already
    is updated; what the file does not mention stays as it is.
    """
    job = ImportJob.objects.create(
        event=event,
        created_at=now,
        file_name=source.name[:200] if isinstance(source, Path) else "",
        format=format,
        mapping=dict(mapping or {}),
        skips_errors=on_error == "skip",
        accepted=list(DOUBT_KINDS) if accepts_doubts else [],
    )
    with delete_on_conflict(job):
        return run_job(job, source, competitors, now=now, rng=rng, progress=progress)


def run_job(
    job: ImportJob,
    source: Path | BinaryIO,
    competitors: Sequence[CompetitorRow] = (),
    *,
    now: datetime,
    rng: Random,
    progress: ProgressCallback | None = None,
) -> ImportReport:
    """Run an import that is waiting, or again one that failed or was refused."""
    recover_stale_imports(job.event, now, rng)
    report = ImportReport()
    with hold_job(job, now, progress) as hold, ExitStack() as stack:
        delete_leftovers(job.event, hold)
        writer = prepare_writer(job.event, NameIndex(job.event, competitors), rng, rule_by(job))
        checker = EventChecker(writer, hold, report, stack)
        try:
            with open_source(source) as opened_source:
                checker.check_file(opened_source)
            refused = report.error_total > 0 and not job.skips_errors
        except UnreadableFileError as error:
            report.refuse(error.error)
            refused = True
        if refused or not all(doubt.kind in job.accepted for doubt in report.doubts):
            report.clear_counts()
            hold.finish(State.REFUSED if refused else State.DOUBTFUL, report, now)
        else:
            write_spooled(writer, hold, checker.spool, report, now)
    return report


def recover_stale_imports(event: Event, now: datetime, rng: Random) -> None:
    """Finish or fail imports whose process died: those that were applying changes are finished.

    An export's records that have landed are those of an import of votes, which has not."""
    fail_stale_jobs(event, now)
    if hold := adopt_stale_job(event):
        report = ImportReport.from_json(hold.job.report)
        writer = prepare_writer(event, NameIndex(event), rng, rule_by(hold.job))
        apply_staged(writer, hold, report)
        of_records = hold.job.kind == ImportJob.Kind.RECORDS
        hold.finish(State.DONE if of_records else State.FAILED, report, now)


def write_spooled(
    writer: RecordWriter, hold: JobHold, spool: Spool, report: ImportReport, now: datetime
) -> None:
    """Write what has been checked: new records first, then changes of existing ones."""
    event = writer.event
    hold.enter_state(State.WRITING, done=0, total=spool.count)
    hold.job.total = spool.count
    # Closes the race of a crash between the two: what is created is known to whoever cleans up.
    with transaction.atomic():
        added = writer.names.create_new(joined_late=event.judgments.exists())
        hold.update_job(added=added)
    done = 0
    for batch in split_by_cost(
        spool, lambda item: writing_cost(item[2], event.matchups_per_record)
    ):
        new = [RecordRow.from_json(row) for record, _line, row in batch if record is None]
        changed = [item for item in batch if item[0] is not None]
        if new:
            create_batch(writer, new, hold, done)
        if changed:
            stage_batch(hold, changed)
        done += len(batch)
        hold.yield_lock()
    report.landed = True
    # From here on the import has happened: all of its new records are visible at once.
    with transaction.atomic():
        hold.enter_state(State.APPLYING, report=report.as_json(), done=0, total=None)
        writer.names.update_competitors()
        show_records(writer, now)
    apply_staged(writer, hold, report)
    hold.finish(State.DONE, report, now)


def show_records(writer: RecordWriter, now: datetime) -> None:
    """Make the new records visible, inside the caller's transaction, and their keys known."""
    fresh = Record.objects.filter(event=writer.event, imported_at=None)
    keyed = list(Control.objects.filter(matchup__record__in=fresh).values_list("pk", flat=True))
    fresh.update(imported_at=now)
    controls = Control.objects.filter(pk__in=keyed)
    record_keys(writer.event, Act.KEY_SET, controls.order_by("pk"), writer.ruling)


def writing_cost(row: dict[str, Any], per_record: int) -> float:
    """The part of a batch that a record takes: rows to write, and characters to hold."""
    responses = row["responses"]
    matchups = per_record or len(responses) * (len(responses) - 1) // 2
    characters = sum(len(text) for _model, text in responses)
    characters += sum(len(turn["content"]) for turn in row["prompt"])
    rows = 2 + len(responses) + 3 * matchups
    return rows / ROWS_PER_BATCH + characters / CHARACTERS_PER_BATCH


class EventChecker:
    """Checks records by themselves and against the event; what has to be written is spooled."""

    def __init__(
        self, writer: RecordWriter, hold: JobHold, report: ImportReport, stack: ExitStack
    ) -> None:
        """`stack` closes the temporary files that the check needs."""
        self.writer = writer
        self.hold = hold
        self.job = hold.job
        self.report = report
        self.spool = stack.enter_context(open_spool())
        self.seen = stack.enter_context(open_seen_keys())
        self.merger = stack.enter_context(open_merger())

    def check_file(self, source: Source) -> None:
        """Check a whole file. Raises `UnreadableFileError` where it cannot be read to its end."""
        names = self.writer.names
        head = peek_bytes(source.stream, HEAD_BYTES)
        refuse_other_file_types(b"", self.job.file_name)
        if not head.strip():
            raise UnreadableFileError(1, "There are no records in the file.")
        if not self.job.mapping and looks_like_export(head):
            raise UnreadableFileError(1, EXPORT_MESSAGE)
        format = self.job.format or guess_format(self.job.file_name, head)
        checker = self.check_rows(
            limit_rows(
                read_rows(source.stream, format), self.report, skips_errors=self.job.skips_errors
            ),
            RecordColumns(self.job.mapping, is_csv=format == "csv"),
            on_row=lambda: self.hold.heartbeat(source.done, source.total),
            organizations=names.organizations,
        )
        if not self.report.rows and not self.report.error_total:
            raise UnreadableFileError(1, "There are no records in the file.")
        responding = Response.objects.filter(
            record__event=self.writer.event, competitor=OuterRef("pk")
        )
        known = Competitor.objects.filter(Exists(responding), event=self.writer.event)
        checker.report_name_doubts(known.values_list("name", flat=True), names.competitor_rows)

    def check_rows(
        self,
        rows: Iterable[Row | LineError],
        columns: RecordColumns,
        on_row: Callable[[], None],
        organizations: Mapping[str, str] | None = None,
    ) -> RecordChecker:
        """Check rows by themselves, then against the event; `on_row` is called after each.

        Raises `UnreadableFileError` where the rest cannot be read.
        """
        checker = RecordChecker(
            columns=columns,
            report=self.report,
            seen=self.seen,
            merger=self.merger,
            on_row=on_row,
            organizations=organizations or {},
        )
        records = checker.check_rows(rows)
        for batch in split_by_cost(records, lambda checked: checking_cost(checked.record)):
            self.compare_batch(batch, checker)
        return checker

    def compare_batch(self, batch: Sequence[CheckedRecord], checker: RecordChecker) -> None:
        """Check records against the event and spool those that are new or changed."""
        external_ids = [checked.record.external_id for checked in batch]
        known = load_existing_records(self.writer.event, external_ids)
        for checked in batch:
            row = checked.record
            there = known.get(row.external_id)
            changes = compare_record(row, there, self.writer.names) if there else None
            problems = self.find_misfits(row, is_new=there is None)
            if there and changes:
                problems += find_refusals(row, there, changes)
            if problems := problems or self.writer.names.note_new(row):
                checker.refuse(checked.row, problems)
            elif there and not changes:
                self.report.unchanged += 1
            else:
                self.report.created += there is None
                self.report.updated += there is not None
                kept = len(there.responses) if there else 0
                added = len(changes.added_responses) if changes else len(row.responses)
                is_alone = kept + added == 1 and self.writer.shows_pairs
                checker.report_doubts(checked, [ONLY_RESPONSE] if is_alone else [])
                if self.job.skips_errors or not self.report.error_total:
                    record = there.record.pk if there else None
                    self.spool.put([record, checked.row.line, row.as_json()])

    def find_misfits(self, row: RecordRow, *, is_new: bool) -> list[Problem]:
        """Problems of a row that fits no event with these settings."""
        if row.control and is_new and self.writer.event.is_over():
            return [Problem("control", KEY_MESSAGE)]
        if row.control and self.writer.preference is None:
            return [Problem("control", "this event asks for no preference")]
        if row.control and row.control.expected is None and not self.writer.event.offers_tie():
            message = "nobody can answer “tie” on this event's scale"
            return [Problem("control.expected", message)]
        if not self.writer.shows_pairs and len(row.responses) > MAX_SHOWN_TOGETHER:
            message = f"more than {MAX_SHOWN_TOGETHER} cannot be shown together"
            return [Problem("responses", message)]
        return []


def checking_cost(row: RecordRow) -> float:
    """The part of a batch that a row takes while it is compared."""
    characters = sum(len(response.text) for response in row.responses)
    characters += sum(len(turn["content"]) for turn in row.prompt)
    return 1 / RECORDS_PER_CHECK + characters / CHARACTERS_PER_BATCH

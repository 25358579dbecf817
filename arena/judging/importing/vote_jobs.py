"""Running a vote import, from the lock on the event to the report."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from random import Random
from typing import BinaryIO

from arena.events.importing.jobs import delete_on_conflict, hold_job
from arena.events.importing.reading.files import Source, open_source, peek_bytes
from arena.events.importing.reading.name_index import CompetitorRow
from arena.events.importing.reading.own_exports import HEAD_BYTES, looks_like_export
from arena.events.importing.report import ImportReport, ProgressCallback, UnreadableFileError
from arena.events.importing.running import recover_stale_imports
from arena.events.importing.writing.temporary import open_seen_keys, open_spool
from arena.events.models import Event, ImportJob
from arena.judging.importing.checking.export_check import ExportChecker
from arena.judging.importing.checking.exported_records import ExportedRecords
from arena.judging.importing.checking.vote_check import VoteChecker
from arena.judging.importing.imported_votes import ImportedVote, VoteWriter, build_vote_writer
from arena.judging.importing.options import VoteOptions
from arena.judging.importing.reading.value_answers import check_value_answers
from arena.judging.importing.writing.enrollments import enroll_under_pseudonyms
from arena.judging.importing.writing.judgments import delete_unfinished, write_all
from arena.judging.importing.writing.matchups import open_matchups
from arena.judging.importing.writing.records import write_exported_records

State = ImportJob.State


def import_judgments(
    event: Event,
    source: Path | BinaryIO,
    *,
    format: str = "",
    mapping: Mapping[str, str] | None = None,
    on_error: str = "stop",
    options: VoteOptions | None = None,
    now: datetime,
    rng: Random,
    progress: ProgressCallback | None = None,
) -> ImportReport:
    """Import votes from a file; they use up no overlap.

    Workers become enrollments. The judgments' origin is "machine" for machines, else "imported",
    or "simulated" if the options say so. A vote that the event already has is unchanged; another
    answer of the same worker on the same pair is an error, unless the options say what to do. An
    export of another event is recognised by its layout and brings its records along.

    Raises `ImportBusyError` while another import is running, and `ArenaError` for options that
    contradict each other.
    """
    options = options or VoteOptions()
    options.check()
    check_value_answers(options.values, event.scale, both_bad=event.both_bad)
    job = ImportJob.objects.create(
        event=event,
        kind=ImportJob.Kind.JUDGMENTS,
        created_at=now,
        file_name=source.name[:200] if isinstance(source, Path) else "",
        format=format,
        mapping=dict(mapping or {}),
        vote_options=options.as_json(),
        skips_errors=on_error == "skip",
    )
    with delete_on_conflict(job):
        return run_vote_job(job, source, now=now, rng=rng, progress=progress)


def run_vote_job(
    job: ImportJob,
    source: Path | BinaryIO,
    competitors: tuple[CompetitorRow, ...] = (),
    *,
    now: datetime,
    rng: Random,
    progress: ProgressCallback | None = None,
) -> ImportReport:
    """Run an import that is queued, or run one again that failed or was refused."""
    recover_stale_imports(job.event, now, rng)
    with hold_job(job, now, progress) as hold:
        writer = build_vote_writer(hold, VoteOptions.from_json(job.vote_options), rng)
        open_matchups(writer.event)
        delete_unfinished(writer.event, hold)
        report = ImportReport()
        try:
            with open_source(source) as opened_source:
                if not job.mapping and looks_like_export(
                    peek_bytes(opened_source.stream, HEAD_BYTES)
                ):
                    import_export_file(writer, opened_source, report, now)
                else:
                    import_vote_file(writer, opened_source, report, now)
        except UnreadableFileError as error:
            report.refuse(error.error)
            refuse_import(writer, report, now)
    return report


def import_vote_file(
    writer: VoteWriter, source: Source, report: ImportReport, now: datetime
) -> None:
    """Check a file of votes; write them unless a line is wrong."""
    rules = writer.vote_rules(now)
    with ExitStack() as stack:
        spool, seen = stack.enter_context(open_spool()), stack.enter_context(open_seen_keys())
        VoteChecker(writer, rules, report, spool, seen).run(source)
        if report.error_total and not writer.hold.job.skips_errors:
            refuse_import(writer, report, now)
        else:
            write_all(writer, map(ImportedVote.from_json, spool), spool.count, report, now)


def import_export_file(
    writer: VoteWriter, source: Source, report: ImportReport, now: datetime
) -> None:
    """Import an export of another event.

    All of it is checked first. Records, contributors and votes are written in the order they had,
    so that boards agree to the last digit.
    """
    hold = writer.hold
    rules = writer.vote_rules(now)
    with ExitStack() as stack:
        spool, seen = stack.enter_context(open_spool()), stack.enter_context(open_seen_keys())
        exported = stack.enter_context(ExportedRecords.open())
        lines = ExportChecker(writer, rules, report, exported, (spool, seen))
        lines.check(source)
        # `write_exported_records` raises `UnreadableFileError` before writing if a record is not
        # importable.
        refused = report.error_total > 0 and not hold.job.skips_errors
        if refused or not write_exported_records(writer, exported, report):
            refuse_import(writer, report, now)
            return
        enroll_under_pseudonyms(writer, exported.workers)
        write_all(writer, lines.iter_votes(), spool.count, report, now)


def refuse_import(writer: VoteWriter, report: ImportReport, now: datetime) -> None:
    """End the import as refused, with the errors in its report."""
    report.clear_counts()
    writer.hold.finish(State.REFUSED, report, now)

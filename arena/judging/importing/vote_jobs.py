"""The act of importing votes, from the claim on the event to the report."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from random import Random
from typing import BinaryIO

from arena.errors import ConflictError
from arena.events.importing.jobs import hold_job
from arena.events.importing.reading.exported import HEAD, is_export
from arena.events.importing.reading.files import Source, opened, peek
from arena.events.importing.reading.names import CompetitorRow
from arena.events.importing.report import ImportReport, Progress, Unreadable
from arena.events.importing.running import recover_stale_imports
from arena.events.importing.writing.staging import seen_keys, spooling
from arena.events.models import Event, ImportJob
from arena.judging.importing.checking.export_check import Lines
from arena.judging.importing.checking.exported_records import Gathering
from arena.judging.importing.checking.vote_check import FirstPass
from arena.judging.importing.imported_votes import ImportedVote, VoteWriter, writer_for
from arena.judging.importing.options import VoteOptions
from arena.judging.importing.reading.value_answers import check_answers
from arena.judging.importing.writing.enrollments import enroll_under_pseudonyms
from arena.judging.importing.writing.judgments import discard_unlanded, write_all
from arena.judging.importing.writing.matchups import open_matchups
from arena.judging.importing.writing.records import bring_records

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
    progress: Progress | None = None,
) -> ImportReport:
    """Import votes from a file; they never use up overlap. Raises `ImportBusyError` while another
    import is under way, and `ArenaError` where an option makes no sense.

    Workers become enrollments; machines' judgments have the origin "machine", people's "imported"
    or, where the options say so, "simulated". A vote that is there already is unchanged; the same
    worker's other answer on the same pair is an error, unless the options say what to do. An
    export of another event is known by its layout: it brings its records and says everything.
    """
    options = options or VoteOptions()
    options.check()
    check_answers(options.values, event.scale, both_bad=event.both_bad)
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
    try:
        return run_job(job, source, now=now, rng=rng, progress=progress)
    except ConflictError:
        ImportJob.objects.filter(pk=job.pk, state=State.QUEUED).delete()
        raise


def run_job(
    job: ImportJob,
    source: Path | BinaryIO,
    competitors: tuple[CompetitorRow, ...] = (),
    *,
    now: datetime,
    rng: Random,
    progress: Progress | None = None,
) -> ImportReport:
    """Run an import that is waiting, or again one that failed or was refused."""
    recover_stale_imports(job.event, now, rng)
    with hold_job(job, now, progress) as hold:
        writer = writer_for(hold, VoteOptions.from_json(job.vote_options), rng)
        open_matchups(writer.event)
        discard_unlanded(writer.event, hold)
        report = ImportReport()
        try:
            with opened(source) as opened_source:
                if not job.mapping and is_export(peek(opened_source.stream, HEAD)):
                    copy_export(writer, opened_source, report, now)
                else:
                    bring_votes(writer, opened_source, report, now)
        except Unreadable as error:
            report.refuse(error.error)
            refuse(writer, report, now)
    return report


def bring_votes(writer: VoteWriter, source: Source, report: ImportReport, now: datetime) -> None:
    """Check the file, then write it, unless a line is wrong."""
    terms = writer.vote_rules(now)
    with ExitStack() as stack:
        spool, seen = stack.enter_context(spooling()), stack.enter_context(seen_keys())
        FirstPass(writer, terms, report, spool, seen).run(source)
        if report.error_total and not writer.hold.job.skips_errors:
            refuse(writer, report, now)
        else:
            write_all(writer, map(ImportedVote.from_json, spool), spool.count, report, now)


def copy_export(writer: VoteWriter, source: Source, report: ImportReport, now: datetime) -> None:
    """Import an export of another event: check all of it, then write its records, contributors and
    votes, each in the order that they had, so that boards agree to the last digit."""
    hold = writer.hold
    terms = writer.vote_rules(now)
    with ExitStack() as stack:
        spool, seen = stack.enter_context(spooling()), stack.enter_context(seen_keys())
        gathering = stack.enter_context(Gathering.open())
        lines = Lines(writer, terms, report, gathering, (spool, seen))
        lines.check(source)
        # Raises `Unreadable`, too, and writes nothing, where a record cannot come along.
        refused = report.error_total > 0 and not hold.job.skips_errors
        if refused or not bring_records(writer, gathering, report):
            report.created = report.unchanged = report.skipped = 0
            hold.finish(State.REFUSED, report, now)
            return
        enroll_under_pseudonyms(writer, gathering.workers)
        write_all(writer, lines.votes(), spool.count, report, now)


def refuse(writer: VoteWriter, report: ImportReport, now: datetime) -> None:
    """Write nothing, and say why."""
    report.created = report.unchanged = report.skipped = 0
    writer.hold.finish(State.REFUSED, report, now)

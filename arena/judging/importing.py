"""Importing votes collected elsewhere, so that an organizer brings an old event along.

The whole file is checked first. Then judgments are written in batches, in file order; each names
its import, and an import that has not come to its end is seen by nobody: neither `standing()` nor
the ledger takes its judgments. One row, the job's, makes all of them count at once, however many
they are; what a process that died has left behind was never sealed, so it can be taken away.
(One transaction for the file would hold up every other writer on SQLite; staging elsewhere would
write everything twice and land bit by bit.)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import BinaryIO

from arena.errors import ArenaError, ConflictError
from arena.events.importing.checks import InvalidRow, Problem, unknown
from arena.events.importing.columns import Columns
from arena.events.importing.jobs import Hold, holding
from arena.events.importing.reading import Row, Source, guess_format, opened, peek, read_rows
from arena.events.importing.report import ImportReport, LineError, Progress, Unreadable
from arena.events.importing.running import recover
from arena.events.importing.staging import Seen, Spool, batches, seen_keys, spooling
from arena.events.models import Competitor, Enrollment, Event, ImportJob, Record, Response
from arena.judging.casting import (
    Ballot,
    Caster,
    cast_all,
    caster_for,
    discard_unlanded,
    enrolled_as,
    open_matchups,
    said_before,
)
from arena.judging.models import Origin
from arena.judging.votes import LEFT, NEEDED, Terms, Vote, check_columns, parse_vote
from arena.questions import KINDS, InvalidAnswer

State = ImportJob.State
BATCH = 1_000


def import_judgments(
    event: Event,
    source: Path | BinaryIO,
    *,
    format: str = "",
    mapping: Mapping[str, str] | None = None,
    on_error: str = "stop",
    left: str = "unknown",
    kind: str = Enrollment.Kind.HUMAN,
    origin: str = "",
    now: datetime,
    rng: Random,
    progress: Progress | None = None,
) -> ImportReport:
    """Import votes from a file; they never use up overlap. Raises `ImportBusyError` while another
    import is under way.

    `left` says which model stood left where the file has no such column: a, b or unknown. Workers
    become enrollments of this kind; machines' judgments have the origin "machine", people's
    "imported" or, where the caller says so, "simulated". A vote that is there already is
    unchanged; the same worker's other answer on the same pair is an error.
    """
    origin = origin or (Origin.MACHINE if kind == Enrollment.Kind.MACHINE else Origin.IMPORTED)
    if origin == Origin.SCREEN or (kind == Enrollment.Kind.MACHINE) != (origin == Origin.MACHINE):
        raise ArenaError(f"A {kind}'s judgments cannot be of origin {origin}.", "wrong_origin")
    if left not in LEFT:
        raise ArenaError("Left is a, b or unknown.", "unknown_side")
    job = ImportJob.objects.create(
        event=event,
        kind=ImportJob.Kind.JUDGMENTS,
        created_at=now,
        file_name=source.name[:200] if isinstance(source, Path) else "",
        format=format,
        mapping=dict(mapping or {}),
        skips_errors=on_error == "skip",
    )
    try:
        recover(event, now, rng)
        with holding(job, now, progress) as hold:
            return run(caster_for(hold, kind, origin, rng), source, left, now)
    except ConflictError:
        ImportJob.objects.filter(pk=job.pk, state=State.QUEUED).delete()
        raise


def run(caster: Caster, source: Path | BinaryIO, left: str, now: datetime) -> ImportReport:
    """Check the file, then write it, unless a line is wrong."""
    hold, event = caster.hold, caster.event
    open_matchups(event)
    discard_unlanded(event, hold)
    terms = Terms(
        scale=event.scale,
        both_bad=event.both_bad,
        takes_comments=caster.comment is not None,
        zone=event.zone(),
        now=now,
        left=left,
    )
    report = ImportReport()
    with ExitStack() as stack:
        spool, seen = stack.enter_context(spooling()), stack.enter_context(seen_keys())
        try:
            with opened(source) as opened_source:
                FirstPass(caster, terms, report, spool, seen).run(opened_source)
            refused = report.error_total > 0 and not hold.job.skips_errors
        except Unreadable as error:
            report.refuse(error.error)
            refused = True
        if refused:
            report.created = report.unchanged = report.skipped = 0
            hold.finish(State.REFUSED, report, now)
        else:
            cast_all(caster, spool, report, now)
    return report


@dataclass(frozen=True, slots=True)
class Checked:
    """A vote that is right in itself, with its row in the file."""

    row: Row
    vote: Vote


class FirstPass:
    """Checks every vote, by itself and against what is there; new ones are spooled."""

    def __init__(
        self, caster: Caster, terms: Terms, report: ImportReport, spool: Spool, seen: Seen
    ) -> None:
        self.caster = caster
        self.terms = terms
        self.report = report
        self.spool = spool
        self.seen = seen
        competitors = Competitor.objects.filter(event=caster.event)
        self.competitors = dict(competitors.values_list("name", "pk"))
        self.has_workers = caster.event.enrollments.exclude(external_id=None).exists()

    @property
    def hold(self) -> Hold:
        """The right to work on this import."""
        return self.caster.hold

    def run(self, source: Source) -> None:
        """Check a whole file. Raises `Unreadable` where it cannot be read to its end."""
        job = self.hold.job
        head = peek(source.stream, 1_000)
        if not head.strip():
            raise Unreadable(1, "There are no votes in the file.")
        format = job.format or guess_format(job.file_name, head)
        self.columns = Columns(job.mapping, is_csv=format == "csv")
        rows = self.parsed(read_rows(source.stream, format))
        for batch in batches(rows, lambda checked: 1 / BATCH + len(checked.vote.comment) / 1e6):
            self.compare(batch)
            self.hold.glance(source.done, source.total)
        if not self.report.rows and not self.report.error_total:
            raise Unreadable(1, "There are no votes in the file.")

    def parsed(self, rows: Iterable[Row | LineError]) -> Iterator[Checked]:
        """Votes that are right in themselves; the others are reported."""
        parse = partial(parse_vote, terms=self.terms)
        header_checked = False
        for row in rows:
            if isinstance(row, LineError):
                self.report.refuse(row)
                self.report.skipped += 1
                continue
            if not header_checked:
                self.report.refuse_file(self.columns.header_errors(row, check_columns))
                header_checked = True
            try:
                yield Checked(row, self.columns.read(row, NEEDED, parse))
            except InvalidRow as error:
                self.refuse(row, error.problems)

    def compare(self, batch: Sequence[Checked]) -> None:
        """Check votes against the event, the file and the database."""
        records, responses = self.known([checked.vote for checked in batch])
        ballots = []
        for checked in batch:
            try:
                ballots.append((checked, self.ballot_of(checked, records, responses)))
            except InvalidRow as error:
                self.refuse(checked.row, error.problems)
        there, kinds = self.before([ballot for _, ballot in ballots])
        for checked, ballot in ballots:
            if kinds.get(ballot.worker, self.caster.kind) != self.caster.kind:
                message = f"is enrolled as a {kinds[ballot.worker]} already"
                self.refuse(checked.row, [Problem("worker", message)])
                continue
            who = ballot.who()
            before = there.get(who)
            where = "in this event"
            if before is None and (first := self.seen.meet(who, ballot.line, ballot.said())):
                before, where = first[1], f"in line {first[0]}"
            if before is None:
                self.report.created += 1
                self.spool.put(ballot.as_json())
            elif before == ballot.said():
                self.report.unchanged += 1
            else:
                message = f"this worker's vote on this pair is {where} already, and says otherwise"
                self.refuse(checked.row, [Problem("worker", message)])

    def before(self, ballots: Sequence[Ballot]) -> tuple[dict[str, str], dict[str, str]]:
        """What these workers have said on these pairs already, and of what kind they are."""
        if not self.has_workers:  # the first import into an event: nothing to look up
            return {}, {}
        return said_before(self.caster, ballots), enrolled_as(self.caster, ballots)

    def known(self, votes: Sequence[Vote]) -> tuple[dict[str, int], dict[tuple[int, int], int]]:
        """Records by identifier, and responses by record and competitor, as far as named here."""
        visible = Record.objects.filter(event=self.caster.event, imported_at__isnull=False)
        records = dict(
            visible.filter(external_id__in={vote.record for vote in votes}).values_list(
                "external_id", "pk"
            )
        )
        names = {vote.model_a for vote in votes} | {vote.model_b for vote in votes}
        competitors = [self.competitors[name] for name in names if name in self.competitors]
        found = Response.objects.filter(record__in=records.values(), competitor__in=competitors)
        responses = {
            (record, competitor): pk
            for record, competitor, pk in found.values_list("record_id", "competitor_id", "pk")
            if competitor is not None
        }
        return records, responses

    def ballot_of(
        self,
        checked: Checked,
        records: Mapping[str, int],
        responses: Mapping[tuple[int, int], int],
    ) -> Ballot:
        """The vote in canonical order. Raises `InvalidRow` where the event knows nothing of it."""
        vote, problems, pair = checked.vote, [], []
        record = records.get(vote.record)
        if record is None:
            problems.append(Problem("record", f"there is no record {vote.record}"))
        for field, name in (("model_a", vote.model_a), ("model_b", vote.model_b)):
            if name not in self.competitors:
                message = f"{name} {unknown(name, self.competitors)}"
                problems.append(Problem(field, message))
            elif record is not None:
                pair.append(responses.get((record, self.competitors[name])))
                if pair[-1] is None:
                    message = f"{name} has no response to {vote.record}"
                    problems.append(Problem(field, message))
        comment = self.comment_of(vote, problems)
        if problems:
            raise InvalidRow(problems)
        assert record is not None
        a, b = (pk for pk in pair if pk is not None)
        straight = a < b
        return Ballot(
            line=checked.row.line,
            worker=vote.worker,
            record=record,
            first=min(a, b),
            second=max(a, b),
            outcome=vote.outcome if straight else -vote.outcome,
            both_bad=vote.both_bad,
            first_on_left=None if vote.a_on_left is None else vote.a_on_left == straight,
            judged_at=vote.judged_at.isoformat() if vote.judged_at else None,
            comment=comment,
        )

    def comment_of(self, vote: Vote, problems: list[Problem]) -> str:
        """The comment as the event's text question stores it."""
        question = self.caster.comment
        if not vote.comment or question is None:
            return ""
        try:
            value = KINDS[question.kind].check_answer(question.all_settings(), vote.comment, ())
        except InvalidAnswer as error:
            problems.append(Problem("comment", str(error)))
            return ""
        return str(value["text"]) if value else ""

    def refuse(self, row: Row, problems: Sequence[Problem]) -> None:
        """Report what is wrong with a vote, which is left out."""
        for error in self.columns.errors(row, problems):
            self.report.refuse(error)
        self.report.skipped += 1

"""Checking an export of another event: every line by itself, then against this event."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from arena.events.importing.checking.checks import InvalidRowError, Problem
from arena.events.importing.reading.budget import limit_rows
from arena.events.importing.reading.columns import ImportColumns
from arena.events.importing.reading.files import Row, Source, guess_format, peek_bytes, read_rows
from arena.events.importing.report import ImportReport, LineError, UnreadableFileError
from arena.events.importing.writing.temporary import SeenKeys, Spool, split_by_cost
from arena.events.models import Matchup
from arena.judging.importing.checking.existing import (
    ExistingResponses,
    find_existing_responses,
    find_previous_votes,
)
from arena.judging.importing.checking.exported_records import ExportedRecords
from arena.judging.importing.imported_votes import ImportedVote, VoteWriter
from arena.judging.importing.reading.export_lines import (
    ExportedVote,
    explain_scale_mismatch,
    parse_export_line,
)
from arena.judging.importing.reading.vote_lines import VoteRules
from arena.judging.models import Judgment, Origin

BATCH_SIZE = 1_000
EXPORT_COLUMNS = ImportColumns({}, is_csv=False)
# A valid line, its vote, and the places of its two responses in the record.
CheckedLine = tuple[Row, ExportedVote, tuple[int, int]]


class ExportChecker:
    """Checks each line of an export by itself and against the event; new votes are spooled."""

    def __init__(
        self,
        writer: VoteWriter,
        rules: VoteRules,
        report: ImportReport,
        exported: ExportedRecords,
        kept: tuple[Spool, SeenKeys],
    ) -> None:
        self.writer = writer
        self.rules = rules
        self.report = report
        self.exported = exported
        self.spool, self.seen = kept
        others = writer.event.questions.filter(kind="text")
        self.questions = dict(others.values_list("name", "pk"))
        if writer.comment:
            self.questions.pop(writer.comment.name)
        self.lost: Counter[str] = Counter()
        self.origins: Counter[str] = Counter()

    def check(self, source: Source) -> None:
        """Check every line. Raises `UnreadableFileError` if the file cannot be imported at all."""
        job = self.writer.hold.job
        format = job.format or guess_format(job.file_name, peek_bytes(source.stream, 1_000))
        rows = self.parse_lines(
            limit_rows(read_rows(source.stream, format), self.report, skips_errors=job.skips_errors)
        )
        for batch in split_by_cost(
            rows, lambda checked: 1 / BATCH_SIZE + len(checked[1].comment) / 1e6
        ):
            self.compare(batch)
            self.writer.hold.heartbeat(source.done, source.total)
        self.warn_of_losses()

    def parse_lines(self, rows: Iterator[Row | LineError]) -> Iterator[CheckedLine]:
        """Yield the lines that are valid in themselves and agree with earlier ones."""
        parse = partial(parse_export_line, rules=self.rules)
        for row in rows:
            if isinstance(row, LineError):
                self.report.skip_row(row)
                continue
            if mismatch := explain_scale_mismatch(row.data, self.rules.scale):
                raise UnreadableFileError(row.line, mismatch, "scale")
            try:
                vote = parse(row.data)
                self.check_comment(vote)
                places = self.exported.add_line(row, vote)
            except InvalidRowError as error:
                self.refuse(row, error.problems)
            else:
                yield row, vote, places

    def check_comment(self, vote: ExportedVote) -> None:
        """Require a text question for a comment. Raises `InvalidRowError`."""
        if vote.comment and self.writer.comment is None:
            message = "this event has no question that takes text"
            raise InvalidRowError([Problem("comment", message)])

    def compare(self, batch: Sequence[CheckedLine]) -> None:
        """Check lines against the event, and spool the new votes."""
        event = self.writer.event
        uuids = [vote.uuid for _, vote, _ in batch]
        if Judgment.objects.filter(event=event, uuid__in=uuids).exists():
            message = "This is an export of this very event: its judgments are here already."
            raise UnreadableFileError(batch[0][0].line, message)
        resolved = find_existing_responses(event, {vote.record for _, vote, _ in batch})
        known = {row.line: self.convert_existing(row, vote, resolved) for row, vote, _ in batch}
        there = find_previous_votes(self.writer, [vote for vote in known.values() if vote])
        enrolled = event.enrollments.filter(external_id__in={vote.worker for _, vote, _ in batch})
        kinds = dict(enrolled.values_list("external_id", "kind"))
        roles = self.find_roles([vote for vote in known.values() if vote])
        for row, vote, places in batch:
            here = known[row.line]
            problem = self.find_contradiction(vote, here, kinds, roles)
            if problem is None and self.seen.first_with(
                f"{vote.worker}\n{vote.record}\n{places}", row.line
            ):
                problem = Problem("pseudonym", "has judged this pair in an earlier line")
            before = there.get(here.duplicate_key()) if here else None
            if problem is None and here and before not in (None, here.content()):
                message = "this contributor's vote on this pair is here already, and says otherwise"
                problem = Problem("pseudonym", message)
            if problem:
                self.refuse(row, [problem])
            elif before is not None:
                self.report.unchanged += 1
            else:
                self.spool_vote(row, vote, places)

    def find_roles(self, votes: Sequence[ImportedVote]) -> dict[str, str]:
        """Roles of the matchups that exist already, by key."""
        matchups = Matchup.objects.filter(
            record__in={vote.record for vote in votes},
            key__in={vote.matchup_key() for vote in votes},
        )
        return dict(matchups.values_list("key", "role"))

    def find_contradiction(
        self,
        vote: ExportedVote,
        here: ImportedVote | None,
        kinds: dict[Any, str],
        roles: dict[str, str],
    ) -> Problem | None:
        """The problem if the event contradicts the line, else None."""
        if kinds.get(vote.worker, vote.kind) != vote.kind:
            return Problem("contributor_kind", f"is enrolled as a {kinds[vote.worker]} already")
        role = roles.get(here.matchup_key(), vote.role) if here else vote.role
        if role != vote.role:
            message = f"is {vote.role}, and this pair is {role} in this event"
            return Problem("role", message)
        return None

    def spool_vote(self, row: Row, vote: ExportedVote, places: tuple[int, int]) -> None:
        """Spool a vote until its record has been written."""
        self.report.created += 1
        self.origins[vote.origin] += 1
        others = {}
        for name, value in vote.others.items():
            text = value.get("text") if isinstance(value, dict) else None
            if name in self.questions and isinstance(text, str):
                others[str(self.questions[name])] = text
            else:
                self.lost[name] += 1
        self.spool.put(
            [row.line, vote.record, places, vote.worker, [*extract_content(vote), others]]
        )

    def iter_votes(self) -> Iterator[ImportedVote]:
        """Yield the spooled votes, once their records exist."""
        for batch in split_by_cost(self.spool, lambda _: 1 / BATCH_SIZE):
            resolved = find_existing_responses(
                self.writer.event, {record for _, record, *_ in batch}
            )
            for line, record, places, worker, said in batch:
                sides = self.exported.records[record].responses_by_place()
                pair = resolved.find_pair(record, (sides[places[0]], sides[places[1]]))
                if pair is None:  # its record was skipped because of an error
                    self.report.created -= 1
                    self.report.skipped += 1
                    continue
                yield build_vote(line, worker, resolved.records[record], pair, said)

    def convert_existing(
        self, row: Row, vote: ExportedVote, resolved: ExistingResponses
    ) -> ImportedVote | None:
        """The vote on this event's responses, if its record exists already."""
        pair = resolved.find_pair(vote.record, vote.sides)
        if pair is None:
            return None
        record, said = resolved.records[vote.record], [*extract_content(vote), {}]
        return build_vote(row.line, vote.worker, record, pair, said)

    def warn_of_losses(self) -> None:
        """Warn of answers that are not imported and of votes that will not count."""
        for name, count in self.lost.items():
            message = (
                f"{count:,} answers to “{name}” are left out: this event does not ask that question"
            )
            self.report.warn(LineError(1, "other_answers", message))
        counted = self.writer.event.counted_origins()
        for origin, count in self.origins.items():
            if origin not in counted:
                label = Origin(origin).label.lower()
                message = f"{count:,} votes are {label}, which this event's boards do not count"
                self.report.warn(LineError(1, "origin", message))

    def refuse(self, row: Row, problems: Sequence[Problem]) -> None:
        """Report the problems of a line, which is skipped."""
        self.report.skip_row(*EXPORT_COLUMNS.line_errors(row, problems))


def extract_content(vote: ExportedVote) -> list[Any]:
    """The content of a vote in the other event's canonical order, as it is spooled."""
    moment = vote.judged_at.isoformat() if vote.judged_at else None
    answer = [vote.outcome, vote.both_bad, vote.first_on_left, moment, vote.comment]
    return [*answer, vote.origin, vote.exclusion, vote.note]


def build_vote(
    line: int,
    worker: str,
    record: int,
    pair: tuple[int, int],
    said: list[Any],
) -> ImportedVote:
    """Build the vote in this event's canonical order; `pair` is in that of the other event."""
    outcome, both_bad, first_on_left, moment, comment, origin, exclusion, note, others = said
    straight = pair[0] < pair[1]
    if not straight:
        outcome = None if outcome is None else -outcome
        first_on_left = None if first_on_left is None else not first_on_left
    return ImportedVote(
        line=line,
        worker=worker,
        record=record,
        first=min(pair),
        second=max(pair),
        outcome=outcome,
        both_bad=both_bad,
        first_on_left=first_on_left,
        judged_at=moment,
        comment=comment,
        origin=origin,
        exclusion=exclusion,
        note=note,
        others=others,
    )

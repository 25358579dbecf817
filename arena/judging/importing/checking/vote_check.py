"""The first pass over a file of votes: check every line by itself and against the event."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from arena.events.importing.checking.checks import InvalidRowError, Problem, explain_unknown
from arena.events.importing.jobs import JobHold
from arena.events.importing.reading.budget import limit_rows
from arena.events.importing.reading.files import Row, Source, guess_format, peek_bytes, read_rows
from arena.events.importing.reading.merging import strip_decimal_zeros
from arena.events.importing.report import ImportReport, LineError, UnreadableFileError
from arena.events.importing.writing.temporary import SeenKeys, Spool, split_by_cost
from arena.events.models import Competitor, Record, Response
from arena.judging.importing.checking.existing import find_previous_votes, find_worker_kinds
from arena.judging.importing.checking.vote_header import check_vote_header, find_misspellings
from arena.judging.importing.imported_votes import ImportedVote, VoteWriter
from arena.judging.importing.options import VoteOptions
from arena.judging.importing.reading.preferences import format_number, normalize_value, parse_number
from arena.judging.importing.reading.vote_columns import (
    REQUIRED_COLUMNS,
    VoteColumns,
    split_unknown_columns,
)
from arena.judging.importing.reading.vote_lines import (
    UNKNOWN_WORD_MESSAGE,
    ScaleEndsNeeded,
    Vote,
    VoteLeftOut,
    VoteRules,
    parse_vote,
)
from arena.questions import KINDS, InvalidAnswerError
from arena.questions.preference import SCALES

BATCH_SIZE = 1_000
# Numbers collected from the winner column; enough to see that they form a scale.
MAX_WINNER_NUMBERS = 20
# Unknown words listed in the report.
MAX_UNKNOWN_WORDS = 15


@dataclass(frozen=True, slots=True)
class CheckedVote:
    """A vote that is valid in itself, with its row in the file."""

    row: Row
    vote: Vote


class VoteChecker:
    """Checks every vote by itself and against the event; new votes are spooled."""

    def __init__(
        self,
        writer: VoteWriter,
        rules: VoteRules,
        report: ImportReport,
        spool: Spool,
        seen: SeenKeys,
    ) -> None:
        self.writer = writer
        self.rules = rules
        self.report = report
        self.spool = spool
        self.seen = seen
        competitors = Competitor.objects.filter(event=writer.event)
        self.competitors = dict(competitors.values_list("name", "pk"))
        self.has_workers = writer.event.enrollments.exclude(external_id=None).exists()
        # Kinds of warnings already given, each once per file.
        self.told: set[str] = set()
        # Numbers in the winner column, which may be a scale.
        self.numbers: set[float] = set()
        self.foreign: dict[str, None] = {}
        # Unknown words of the winner column, each of which needs an answer from the organizer.
        self.unknown: dict[str, None] = {}

    @property
    def hold(self) -> JobHold:
        """The lock on the event that this import holds."""
        return self.writer.hold

    @property
    def options(self) -> VoteOptions:
        """The options of the import."""
        return self.writer.options

    def run(self, source: Source) -> None:
        """Check a whole file. Raises `UnreadableFileError` if it cannot be read to its end."""
        job = self.hold.job
        head = peek_bytes(source.stream, 1_000)
        if not head.strip():
            raise UnreadableFileError(1, "There are no votes in the file.")
        format = job.format or guess_format(job.file_name, head)
        rows = limit_rows(
            read_rows(source.stream, format), self.report, skips_errors=job.skips_errors
        )
        self.check(rows, format, lambda: self.hold.heartbeat(source.done, source.total))

    def check(self, rows: Iterable[Row | LineError], format: str, tick: Callable[[], None]) -> None:
        """Check rows, calling `tick` after each batch.

        Raises `UnreadableFileError` if they are not votes.
        """
        self.columns = VoteColumns(self.hold.job.mapping, is_csv=format == "csv")
        self.warn_of_degrees()
        votes = self.parse_rows(rows)
        for batch in split_by_cost(
            votes, lambda checked: 1 / BATCH_SIZE + len(checked.vote.comment) / 1e6
        ):
            self.compare(batch)
            tick()
        if not self.report.rows and not self.report.error_total:
            raise UnreadableFileError(1, "There are no votes in the file.")
        self.refuse_scale()
        if len(self.unknown) > 1:
            words = ", ".join(self.unknown)
            self.report.warn(LineError(1, "winner", f"These words are not known: {words}"))
        if self.foreign:
            names = ", ".join(self.foreign)
            message = f"These columns are no part of a vote and are left out: {names}"
            self.report.warn(LineError(1, "", message))

    def warn_of_degrees(self) -> None:
        """Warn that degrees are lost if the event asks only which response is better."""
        ends = self.options.ends
        if ends and abs(ends[0] - ends[1]) > 2 and max(SCALES[self.rules.scale]) == 1:
            message = "this event asks only which is better, so that the degrees are left out"
            self.report.warn(LineError(1, "outcome", message))

    def refuse_scale(self) -> None:
        """Refuse numbers in `winner` other than 1 and 2, which may be a scale.

        Raises `UnreadableFileError`.
        """
        if self.numbers and not self.numbers <= {1, 2}:
            numbers = ", ".join(map(format_number, sorted(self.numbers)))
            message = (
                f"holds the numbers {numbers}, and nothing says what they mean; map the column to "
                "outcome and name the ends of the scale, or say what each means (--values)"
            )
            raise UnreadableFileError(1, message, "winner")

    def parse_rows(self, rows: Iterable[Row | LineError]) -> Iterator[CheckedVote]:
        """Yield the votes that are valid in themselves; report the others."""
        header_checked = False
        for row in rows:
            if isinstance(row, LineError):
                self.report.skip_row(row)
                continue
            if not header_checked:
                check_vote_header(self.columns, row, self.options, self.report)
                header_checked = True
            try:
                yield CheckedVote(row, self.read_vote(row))
            except VoteLeftOut:
                self.report.skipped += 1
                self.warn_once(row.line, "winner", "votes of this value are left out, as you said")
            except InvalidRowError as error:
                for problem in error.problems:
                    word, is_unknown, _ = problem.message.partition(UNKNOWN_WORD_MESSAGE)
                    if is_unknown and len(self.unknown) < MAX_UNKNOWN_WORDS:
                        self.unknown[word.strip()] = None
                self.refuse(row, error.problems)

    def read_vote(self, row: Row) -> Vote:
        """The vote in a row.

        Raises `InvalidRowError`, `VoteLeftOut`, and `UnreadableFileError` for grades whose scale is
        unknown.
        """
        try:
            vote = self.columns.parse_row(row, REQUIRED_COLUMNS, partial(self.parse_fields, row))
        except ScaleEndsNeeded as error:
            raise UnreadableFileError(
                row.line, ask_for_scale_ends(error), self.columns.name_in_file("outcome", row)
            ) from error
        if vote.left_assumed:
            message = (
                "“left” and “right” are taken for model_a and model_b; nothing in the file says "
                "which model stood left; say so where it was the other one (--left b)"
            )
            self.warn_once(row.line, "winner", message)
        return vote

    def parse_fields(self, row: Row, data: Mapping[str, object]) -> Vote:
        """Parse a row's fields; columns that are not part of a vote are noted and ignored."""
        foreign, _ = split_unknown_columns(data)
        self.foreign |= dict.fromkeys(self.columns.name_in_file(name, row) for name in foreign[:50])
        if problems := find_misspellings(data):
            raise InvalidRowError(problems)
        winner = data.get("winner")
        number = parse_number(winner)
        if number is not None and len(self.numbers) < MAX_WINNER_NUMBERS:
            is_name = winner in (data.get("model_a"), data.get("model_b"))
            if not is_name and normalize_value(winner) not in self.options.values:
                self.numbers.add(number)
        return parse_vote(data, self.rules)

    def compare(self, batch: Sequence[CheckedVote]) -> None:
        """Check votes against the event and earlier lines."""
        records, responses = self.find_existing([checked.vote for checked in batch])
        votes = []
        for checked in batch:
            try:
                votes.append((checked, self.convert_vote(checked, records, responses)))
            except InvalidRowError as error:
                self.refuse(checked.row, error.problems)
        there, kinds = self.find_previous([vote for _, vote in votes])
        for checked, vote in votes:
            if kinds.get(vote.worker, self.options.kind) != self.options.kind:
                message = f"is enrolled as a {kinds[vote.worker]} already"
                self.refuse(checked.row, [Problem("worker", message)])
            else:
                self.spool_vote(checked.row, vote, there.get(vote.duplicate_key()))

    def spool_vote(self, row: Row, vote: ImportedVote, before: str | None) -> None:
        """Spool a vote that is new; `before` is this worker's vote on the pair in the
        event, if any."""
        duplicates, where = self.options.duplicates, "in this event"
        first = None
        if before is None and (
            first := self.seen.first_with(vote.duplicate_key(), vote.line, vote.content())
        ):
            before, where = first[1], f"in line {first[0]}"
        if before is None:
            self.report.created += 1
            self.spool.put(vote.as_json())
        elif before == vote.content():
            self.report.unchanged += 1
        elif duplicates == "first":
            self.report.skipped += 1
            self.warn_once(
                row.line, "worker", f"has voted on this pair {where} already; the first vote stands"
            )
        elif first is not None and duplicates in ("last", "both"):
            self.seen.replace(vote.duplicate_key(), vote.line, vote.content())
            self.spool.put(replace(vote, repeats=True).as_json())
            message = f"has voted on this pair {where} already; the last vote stands"
            if duplicates == "both":
                self.report.created += 1
                message += ", the earlier one is kept as its earlier revision"
            else:
                self.report.skipped += 1
            self.warn_once(row.line, "worker", message)
        else:
            message = f"this worker's vote on this pair is {where} already, and says otherwise"
            if first is not None:
                message += "; say which one is wanted (--duplicates)"
            self.refuse(row, [Problem("worker", message)])

    def find_previous(self, votes: Sequence[ImportedVote]) -> tuple[dict[str, str], dict[str, str]]:
        """The workers' earlier votes on these pairs, and the kinds of those enrolled."""
        if not self.has_workers:  # the first import into an event: nothing to look up
            return {}, {}
        return find_previous_votes(self.writer, votes), find_worker_kinds(self.writer, votes)

    def find_existing(
        self, votes: Sequence[Vote]
    ) -> tuple[dict[str, int], dict[tuple[int, int], int]]:
        """Records by identifier, and responses by record and competitor, as far as the votes name
        them."""
        visible = Record.objects.filter(event=self.writer.event, imported_at__isnull=False)
        wanted = {
            name for vote in votes for name in (vote.record, strip_decimal_zeros(vote.record))
        }
        records = dict(visible.filter(external_id__in=wanted).values_list("external_id", "pk"))
        names = {vote.model_a for vote in votes} | {vote.model_b for vote in votes}
        competitors = [self.competitors[name] for name in names if name in self.competitors]
        found = Response.objects.filter(record__in=records.values(), competitor__in=competitors)
        responses = {
            (record, competitor): pk
            for record, competitor, pk in found.values_list("record_id", "competitor_id", "pk")
            if competitor is not None
        }
        return records, responses

    def convert_vote(
        self,
        checked: CheckedVote,
        records: Mapping[str, int],
        responses: Mapping[tuple[int, int], int],
    ) -> ImportedVote:
        """The vote in canonical order.

        Raises `InvalidRowError` if the event lacks what it names.
        """
        vote, problems, pair = checked.vote, [], []
        # Tables turn integers with gaps into floats.
        record = records.get(vote.record, records.get(strip_decimal_zeros(vote.record)))
        if record is None:
            problems.append(Problem("record", f"there is no record {vote.record}"))
        for field, name in (("model_a", vote.model_a), ("model_b", vote.model_b)):
            if name not in self.competitors:
                message = f"{name} {explain_unknown(name, self.competitors)}"
                problems.append(Problem(field, message))
            elif record is not None:
                pair.append(responses.get((record, self.competitors[name])))
                if pair[-1] is None:
                    message = f"{name} has no response to {vote.record}"
                    problems.append(Problem(field, message))
        comment = self.clean_comment(vote, problems)
        if problems:
            raise InvalidRowError(problems)
        assert record is not None
        a, b = (pk for pk in pair if pk is not None)
        straight = a < b
        return ImportedVote(
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

    def clean_comment(self, vote: Vote, problems: list[Problem]) -> str:
        """The comment as the event's text question stores it; adds to `problems` if invalid."""
        question = self.writer.comment
        if not vote.comment or question is None:
            return ""
        try:
            value = KINDS[question.kind].check_answer(question.all_settings(), vote.comment, ())
        except InvalidAnswerError as error:
            problems.append(Problem("comment", str(error)))
            return ""
        return str(value["text"]) if value else ""

    def warn_once(self, line: int, field: str, message: str) -> None:
        """Warn of something that applies to many lines: once per kind, with the first line."""
        kind = message.partition(" in ")[0]
        if kind not in self.told:
            self.told.add(kind)
            self.report.warn(LineError(line, field, message))

    def refuse(self, row: Row, problems: Sequence[Problem]) -> None:
        """Report the problems of a vote, which is skipped."""
        self.report.skip_row(*self.columns.line_errors(row, problems))


def ask_for_scale_ends(error: ScaleEndsNeeded) -> str:
    """Ask which end of the scale favours which model, with the line as an example."""
    value = error.value
    a, b = f"{error.model_a} (model_a)", f"{error.model_b} (model_b)"
    return (
        f"The value {value} is a grade, and nothing says which end is which: is {a} or {b} better "
        "here? Say which number means that each is much better (--ends a=-3,b=3, or the other way "
        "round --ends a=3,b=-3)"
    )

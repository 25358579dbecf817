"""The first pass over a file of votes: every line by itself, and against the event."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from arena.events.importing.checking.checks import InvalidRowError, Problem, explain_unknown
from arena.events.importing.jobs import JobHold
from arena.events.importing.reading.files import Row, Source, guess_format, peek, read_rows
from arena.events.importing.reading.merging import without_zeros
from arena.events.importing.report import ImportReport, LineError, Unreadable
from arena.events.importing.writing.staging import Seen, Spool, batches
from arena.events.models import Competitor, Record, Response
from arena.judging.importing.checking.existing import enrolled_as, said_before
from arena.judging.importing.imported_votes import ImportedVote, VoteWriter
from arena.judging.importing.options import VoteOptions
from arena.judging.importing.reading.preferences import key_of, number_of, plain
from arena.judging.importing.reading.vote_columns import (
    NEEDED,
    VoteColumns,
    missing_columns,
    split_columns,
)
from arena.judging.importing.reading.vote_lines import (
    UNKNOWN_WORD,
    EndsNeeded,
    LeftOut,
    Terms,
    Vote,
    parse_vote,
)
from arena.questions import KINDS, InvalidAnswer
from arena.questions.preference import SCALES

BATCH = 1_000
# Enough to show that the numbers in a column are a scale.
MAX_NUMBERS = 20
# Words that are named where nobody knows them.
MAX_WORDS = 15


@dataclass(frozen=True, slots=True)
class Checked:
    """A vote that is right in itself, with its row in the file."""

    row: Row
    vote: Vote


class FirstPass:
    """Checks every vote, by itself and against what is there; new ones are spooled."""

    def __init__(
        self, writer: VoteWriter, terms: Terms, report: ImportReport, spool: Spool, seen: Seen
    ) -> None:
        self.writer = writer
        self.terms = terms
        self.report = report
        self.spool = spool
        self.seen = seen
        competitors = Competitor.objects.filter(event=writer.event)
        self.competitors = dict(competitors.values_list("name", "pk"))
        self.has_workers = writer.event.enrollments.exclude(external_id=None).exists()
        # What is told once for the whole file.
        self.told: set[str] = set()
        # Numbers met among the winners, which may be a scale.
        self.numbers: set[float] = set()
        self.foreign: dict[str, None] = {}
        # Words that nobody knows: one fault in the report, and each wants an answer.
        self.unknown: dict[str, None] = {}

    @property
    def hold(self) -> JobHold:
        """The right to work on this import."""
        return self.writer.hold

    @property
    def options(self) -> VoteOptions:
        """What the organizer says about the file."""
        return self.writer.options

    def run(self, source: Source) -> None:
        """Check a whole file. Raises `Unreadable` where it cannot be read to its end."""
        job = self.hold.job
        head = peek(source.stream, 1_000)
        if not head.strip():
            raise Unreadable(1, "There are no votes in the file.")
        format = job.format or guess_format(job.file_name, head)
        rows = read_rows(source.stream, format)
        self.check(rows, format, lambda: self.hold.heartbeat(source.done, source.total))

    def check(self, rows: Iterable[Row | LineError], format: str, tick: Callable[[], None]) -> None:
        """Check rows, calling `tick` now and then. Raises `Unreadable` where they are no votes."""
        self.columns = VoteColumns(self.hold.job.mapping, is_csv=format == "csv")
        self.warn_of_degrees()
        votes = self.parsed(rows)
        for batch in batches(votes, lambda checked: 1 / BATCH + len(checked.vote.comment) / 1e6):
            self.compare(batch)
            tick()
        if not self.report.rows and not self.report.error_total:
            raise Unreadable(1, "There are no votes in the file.")
        self.refuse_scale()
        if len(self.unknown) > 1:
            words = ", ".join(self.unknown)
            self.report.warn(LineError(1, "winner", f"These words are not known: {words}"))
        if self.foreign:
            names = ", ".join(self.foreign)
            message = f"These columns are no part of a vote and are left out: {names}"
            self.report.warn(LineError(1, "", message))

    def warn_of_degrees(self) -> None:
        """Say that degrees are lost where the event asks only which is better."""
        ends = self.options.ends
        if ends and abs(ends[0] - ends[1]) > 2 and max(SCALES[self.terms.scale]) == 1:
            message = "this event asks only which is better, so that the degrees are left out"
            self.report.warn(LineError(1, "outcome", message))

    def refuse_scale(self) -> None:
        """Refuse winners that are numbers of a scale: 1 and 2 may say who won, 0 to 4 do not.
        Raises `Unreadable`."""
        if self.numbers and not self.numbers <= {1, 2}:
            numbers = ", ".join(map(plain, sorted(self.numbers)))
            message = (
                f"holds the numbers {numbers}, and nothing says what they mean; map the column to "
                "outcome and name the ends of the scale, or say what each means (--values)"
            )
            raise Unreadable(1, message, "winner")

    def parsed(self, rows: Iterable[Row | LineError]) -> Iterator[Checked]:
        """Votes that are right in themselves; the others are reported."""
        header_checked = False
        for row in rows:
            if isinstance(row, LineError):
                self.report.refuse(row)
                self.report.skipped += 1
                continue
            if not header_checked:
                self.check_columns(row)
                header_checked = True
            try:
                yield Checked(row, self.vote_of(row))
            except LeftOut:
                self.report.skipped += 1
                self.tell(row.line, "winner", "votes of this value are left out, as you said")
            except InvalidRowError as error:
                for problem in error.problems:
                    word, is_unknown, _ = problem.message.partition(UNKNOWN_WORD)
                    if is_unknown and len(self.unknown) < MAX_WORDS:
                        self.unknown[word.strip()] = None
                self.refuse(row, error.problems)

    def check_columns(self, row: Row) -> None:
        """Refuse a file that cannot be votes, in one sentence. Raises `Unreadable`."""
        try:
            columns = list(self.columns.meant(row))
        except InvalidRowError as error:
            self.report.refuse_file(self.columns.errors(row, error.problems))
        # A JSON object may lack one key because its value is not known.
        missing = missing_columns(columns, self.options)
        lacking = [name for name in NEEDED if name not in columns]
        if missing and (self.columns.is_csv or len(lacking) > 1):
            raise Unreadable(1 if self.columns.is_csv else row.line, missing)
        if self.columns.is_csv:
            problems = misspellings(columns)
            self.report.refuse_file(
                [LineError(1, self.columns.called(p.field, row), p.message) for p in problems]
            )

    def vote_of(self, row: Row) -> Vote:
        """The vote in a row. Raises `InvalidRowError`, `LeftOut`, and `Unreadable` where numbers
        have no ends."""
        try:
            vote = self.columns.read(row, NEEDED, partial(self.parse, row))
        except EndsNeeded as error:
            raise Unreadable(
                row.line, ends_question(error), self.columns.called("outcome", row)
            ) from error
        if vote.left_assumed:
            message = (
                "“left” and “right” are taken for model_a and model_b; nothing in the file says "
                "which model stood left; say so where it was the other one (--left b)"
            )
            self.tell(row.line, "winner", message)
        return vote

    def parse(self, row: Row, data: Mapping[str, object]) -> Vote:
        """Check a row's fields; columns that are no part of a vote are noted and left out."""
        foreign, _ = split_columns(data)
        self.foreign |= dict.fromkeys(self.columns.called(name, row) for name in foreign[:50])
        if problems := misspellings(data):
            raise InvalidRowError(problems)
        winner = data.get("winner")
        number = number_of(winner)
        if number is not None and len(self.numbers) < MAX_NUMBERS:
            is_name = winner in (data.get("model_a"), data.get("model_b"))
            if not is_name and key_of(winner) not in self.options.values:
                self.numbers.add(number)
        return parse_vote(data, self.terms)

    def compare(self, batch: Sequence[Checked]) -> None:
        """Check votes against the event, the file and the database."""
        records, responses = self.known([checked.vote for checked in batch])
        votes = []
        for checked in batch:
            try:
                votes.append((checked, self.imported(checked, records, responses)))
            except InvalidRowError as error:
                self.refuse(checked.row, error.problems)
        there, kinds = self.before([vote for _, vote in votes])
        for checked, vote in votes:
            if kinds.get(vote.worker, self.options.kind) != self.options.kind:
                message = f"is enrolled as a {kinds[vote.worker]} already"
                self.refuse(checked.row, [Problem("worker", message)])
            else:
                self.take(checked.row, vote, there.get(vote.who()))

    def take(self, row: Row, vote: ImportedVote, before: str | None) -> None:
        """Spool a vote that says something new; `before`: what this worker has said on this pair
        in this event."""
        duplicates, where = self.options.duplicates, "in this event"
        first = None
        if before is None and (first := self.seen.meet(vote.who(), vote.line, vote.said())):
            before, where = first[1], f"in line {first[0]}"
        if before is None:
            self.report.created += 1
            self.spool.put(vote.as_json())
        elif before == vote.said():
            self.report.unchanged += 1
        elif duplicates == "first":
            self.report.skipped += 1
            self.tell(
                row.line, "worker", f"has voted on this pair {where} already; the first vote stands"
            )
        elif first is not None and duplicates in ("last", "both"):
            self.seen.replace(vote.who(), vote.line, vote.said())
            self.spool.put(replace(vote, repeats=True).as_json())
            message = f"has voted on this pair {where} already; the last vote stands"
            if duplicates == "both":
                self.report.created += 1
                message += ", the earlier one is kept as its earlier revision"
            else:
                self.report.skipped += 1
            self.tell(row.line, "worker", message)
        else:
            message = f"this worker's vote on this pair is {where} already, and says otherwise"
            if first is not None:
                message += "; say which one is wanted (--duplicates)"
            self.refuse(row, [Problem("worker", message)])

    def before(self, votes: Sequence[ImportedVote]) -> tuple[dict[str, str], dict[str, str]]:
        """What these workers have said on these pairs already, and of what kind they are."""
        if not self.has_workers:  # the first import into an event: nothing to look up
            return {}, {}
        return said_before(self.writer, votes), enrolled_as(self.writer, votes)

    def known(self, votes: Sequence[Vote]) -> tuple[dict[str, int], dict[tuple[int, int], int]]:
        """Records by identifier, and responses by record and competitor, as far as named here."""
        visible = Record.objects.filter(event=self.writer.event, imported_at__isnull=False)
        wanted = {name for vote in votes for name in (vote.record, without_zeros(vote.record))}
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

    def imported(
        self,
        checked: Checked,
        records: Mapping[str, int],
        responses: Mapping[tuple[int, int], int],
    ) -> ImportedVote:
        """The vote in canonical order. Raises `InvalidRowError` where the event knows nothing of
        it."""
        vote, problems, pair = checked.vote, [], []
        # A table with a gap in the column has made decimal numbers of whole ones.
        record = records.get(vote.record, records.get(without_zeros(vote.record)))
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
        comment = self.comment_of(vote, problems)
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

    def comment_of(self, vote: Vote, problems: list[Problem]) -> str:
        """The comment as the event's text question stores it."""
        question = self.writer.comment
        if not vote.comment or question is None:
            return ""
        try:
            value = KINDS[question.kind].check_answer(question.all_settings(), vote.comment, ())
        except InvalidAnswer as error:
            problems.append(Problem("comment", str(error)))
            return ""
        return str(value["text"]) if value else ""

    def tell(self, line: int, field: str, message: str) -> None:
        """Warn of something that holds for many lines: of each kind once, with the first line."""
        kind = message.partition(" in ")[0]
        if kind not in self.told:
            self.told.add(kind)
            self.report.warn(LineError(line, field, message))

    def refuse(self, row: Row, problems: Sequence[Problem]) -> None:
        """Report what is wrong with a vote, which is left out."""
        for error in self.columns.errors(row, problems):
            self.report.refuse(error)
        self.report.skipped += 1


def misspellings(columns: Iterable[str]) -> list[Problem]:
    """Columns that are probably misspelt, so that leaving them out would lose what they say."""
    _, misspelt = split_columns(columns)
    return [
        Problem(column, f"is unknown; did you mean {name}?") for column, name in misspelt.items()
    ]


def ends_question(error: EndsNeeded) -> str:
    """Which end is which: the question, with the line that raises it as the example."""
    value = error.value
    a, b = f"{error.model_a} (model_a)", f"{error.model_b} (model_b)"
    return (
        f"The value {value} is a grade, and nothing says which end is which: is {a} or {b} better "
        "here? Say which number means that each is much better (--ends a=-3,b=3, or the other way "
        "round --ends a=3,b=-3)"
    )

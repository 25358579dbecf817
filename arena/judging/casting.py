"""Casting ballots: checked votes become enrollments, matchups where they are missing, judgments.

Everything is written by the import that holds the event, and lands with it.
"""

import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from random import Random
from typing import Any, Self
from uuid import UUID

from django.db import transaction

from arena.errors import ArenaError
from arena.events.importing.jobs import Hold
from arena.events.importing.report import ImportReport
from arena.events.importing.staging import Spool, batches
from arena.events.importing.writing import Group, matchup_key, new_matchup
from arena.events.models import (
    Enrollment,
    Event,
    ImportJob,
    Matchup,
    MatchupResponse,
    Question,
    Response,
)
from arena.events.pseudonyms import pseudonym
from arena.judging.models import Answer, Judgment

State = ImportJob.State
BATCH = 500
# Matchups put into service in one statement: finding them walks through the event's.
OPENED = 5_000


@dataclass(frozen=True, slots=True)
class Ballot:
    """A checked vote in canonical order, as it is kept for the second pass."""

    line: int
    worker: str
    record: int
    first: int
    second: int
    outcome: int
    both_bad: bool
    first_on_left: bool | None
    judged_at: str | None
    comment: str

    def key(self) -> str:
        """Its matchup's key."""
        return matchup_key((self.first, self.second))

    def who(self) -> str:
        """Whose vote on what: at most one each."""
        return f"{self.key()} {self.worker}"

    def said(self) -> str:
        """What it says, to be compared with another vote of this worker on this matchup."""
        return say(self.outcome, self.both_bad, self.first_on_left, self.judged_at, self.comment)

    def as_json(self) -> list[Any]:
        """As it is kept on the disk."""
        return list(astuple(self))

    @classmethod
    def from_json(cls, data: list[Any]) -> Self:
        """The inverse of `as_json`."""
        return cls(*data)


def say(*said: object) -> str:
    """What a vote says, as one comparable string."""
    return json.dumps(said)


@dataclass(frozen=True, slots=True)
class Caster:
    """Everything that casting into one event needs."""

    event: Event
    hold: Hold
    preference: Question
    # Takes comments; null where the event asks for no text.
    comment: Question | None
    kind: str
    origin: str
    rng: Random


def caster_for(hold: Hold, kind: str, origin: str, rng: Random) -> Caster:
    """A caster that knows the event's questions. Raises `ArenaError` without a preference."""
    event = hold.job.event
    questions = list(event.questions.all())
    preference = next((one for one in questions if one.kind == "preference"), None)
    if preference is None:
        raise ArenaError("This event asks for no preference, so it takes no votes.", "no_votes")
    comment = next((one for one in questions if one.kind == "text"), None)
    return Caster(event, hold, preference, comment, kind, origin, rng)


def said_before(caster: Caster, ballots: Iterable[Ballot]) -> dict[str, str]:
    """What these workers have said on these matchups already, by `Ballot.who()`."""
    ballots = list(ballots)
    workers = {ballot.worker for ballot in ballots}
    answers = Answer.objects.filter(
        judgment__standing=True,
        judgment__enrollment__in=list(
            caster.event.enrollments.filter(external_id__in=workers).values_list("pk", flat=True)
        ),
        judgment__matchup__in=known_matchups(ballots).values(),
    )
    comments = dict(
        answers.filter(question=caster.comment).values_list("judgment_id", "value")
        if caster.comment
        else ()
    )
    said = {}
    for judgment, key, worker, judged_at, *answer in answers.filter(
        question=caster.preference
    ).values_list(
        "judgment_id",
        "judgment__matchup__key",
        "judgment__enrollment__external_id",
        "judgment__judged_at",
        "outcome",
        "both_bad",
        "first_on_left",
    ):
        moment = judged_at.isoformat() if judged_at else None
        comment = (comments.get(judgment) or {}).get("text", "")
        said[f"{key} {worker}"] = say(*answer, moment, comment)
    return said


def cast_all(caster: Caster, spool: Spool, report: ImportReport, now: datetime) -> None:
    """Write every ballot in its order, then let all of them land at once."""
    hold = caster.hold
    hold.move(State.WRITING, done=0, total=spool.count)
    done = 0
    ballots = map(Ballot.from_json, spool)
    for batch in batches(ballots, lambda ballot: 1 / BATCH + len(ballot.comment) / 1e6):
        done += len(batch)
        # Closes the race with whoever takes this import for dead (`beat` looks at its row), and
        # keeps judgments and their answers together.
        with transaction.atomic():
            hold.beat(done, spool.count)
            cast_batch(caster, batch)
        hold.give_way()
    report.landed = True
    # From here on the import has happened: the job's row says so for all of its judgments.
    hold.finish(State.DONE, report, now)
    open_matchups(caster.event)


def cast_batch(caster: Caster, ballots: Sequence[Ballot]) -> None:
    """Judgments and answers, their primary keys ascending in the file's order."""
    enrollments = enrollments_of(caster, ballots)
    matchups = matchups_of(caster, ballots)
    judgments = Judgment.objects.bulk_create(
        Judgment(
            event_id=caster.event.pk,
            enrollment_id=enrollments[ballot.worker],
            matchup_id=matchups[ballot.key()],
            origin=caster.origin,
            import_job_id=caster.hold.job.pk,
            judged_at=datetime.fromisoformat(ballot.judged_at) if ballot.judged_at else None,
        )
        for ballot in ballots
    )
    Answer.objects.bulk_create(
        Answer(
            judgment_id=judgment.pk,
            question_id=caster.preference.pk,
            first_id=ballot.first,
            second_id=ballot.second,
            outcome=ballot.outcome,
            both_bad=ballot.both_bad,
            first_on_left=ballot.first_on_left,
        )
        for judgment, ballot in zip(judgments, ballots, strict=True)
    )
    Answer.objects.bulk_create(
        Answer(judgment=judgment, question=caster.comment, value={"text": ballot.comment})
        for judgment, ballot in zip(judgments, ballots, strict=True)
        if ballot.comment
    )


def enrollments_of(caster: Caster, ballots: Iterable[Ballot]) -> dict[str, int]:
    """The enrollment of each worker, made where it is missing."""
    workers = {ballot.worker: None for ballot in ballots}
    enrolled = Enrollment.objects.filter(event=caster.event, external_id__in=workers)
    found = dict(enrolled.values_list("external_id", "pk"))
    new = new_enrollments(caster, [worker for worker in workers if worker not in found])
    for enrollment in Enrollment.objects.bulk_create(new):
        found[enrollment.external_id] = enrollment.pk
    return {str(worker): pk for worker, pk in found.items()}


def new_enrollments(caster: Caster, workers: Sequence[str]) -> list[Enrollment]:
    """Enrollments, not yet saved, under pseudonyms that nobody has.

    Public identifier and pseudonym follow from the worker's name, keyed by the event's secret:
    the same on every import, and saying nothing to whoever does not know the secret.
    """
    secret = caster.event.secret
    event = Enrollment.objects.filter(event=caster.event)
    enrollments, attempt = [], 0
    waiting = {worker: identity(secret, worker) for worker in workers}
    while waiting:
        drawn = {pseudonym(secret, uuid, attempt): worker for worker, uuid in waiting.items()}
        for name in event.filter(pseudonym__in=drawn).values_list("pseudonym", flat=True):
            del drawn[name]
        enrollments += [
            Enrollment(
                event=caster.event,
                kind=caster.kind,
                external_id=worker,
                public_id=waiting.pop(worker),
                pseudonym=name,
                joined_at=caster.hold.job.created_at,
            )
            for name, worker in drawn.items()
        ]
        attempt += 1
    return enrollments


def identity(secret: str, worker: str) -> UUID:
    """The public identifier of a worker."""
    digest = hmac.digest(secret.encode(), f"worker|{worker}".encode(), "sha256")
    return UUID(bytes=digest[:16], version=4)


def enrolled_as(caster: Caster, ballots: Iterable[Ballot]) -> dict[str, str]:
    """The kind of those workers who are enrolled already."""
    workers = {ballot.worker for ballot in ballots}
    enrolled = Enrollment.objects.filter(event=caster.event, external_id__in=workers)
    return {str(worker): kind for worker, kind in enrolled.values_list("external_id", "kind")}


def matchups_of(caster: Caster, ballots: Iterable[Ballot]) -> dict[str, int]:
    """The matchup of each pair, made where it is missing.

    A new one is out of service until the import has landed; when it was retired, to the
    microsecond, says whose it is.
    """
    ballots = {ballot.key(): ballot for ballot in ballots}.values()
    found = known_matchups(ballots)
    missing = [ballot for ballot in ballots if ballot.key() not in found]
    matchups = []
    for ballot in missing:
        pair = [Response(pk=pk, record_id=ballot.record) for pk in (ballot.first, ballot.second)]
        matchup = new_matchup(caster.event, Group(pair), caster.rng)
        matchup.retired_at = caster.hold.job.created_at
        matchups.append(matchup)
    Matchup.objects.bulk_create(matchups)
    MatchupResponse.objects.bulk_create(
        MatchupResponse(matchup=matchup, response_id=response, position=position)
        for matchup, ballot in zip(matchups, missing, strict=True)
        for position, response in enumerate((ballot.first, ballot.second))
    )
    return found | {matchup.key: matchup.pk for matchup in matchups}


def known_matchups(ballots: Iterable[Ballot]) -> dict[str, int]:
    """Primary keys of matchups by their key. (Found by record, which is the event's: with the event
    as a condition SQLite walks through all of the event's matchups.)"""
    ballots = list(ballots)
    matchups = Matchup.objects.filter(
        record__in={ballot.record for ballot in ballots},
        key__in={ballot.key() for ballot in ballots},
    )
    return dict(matchups.values_list("key", "pk"))


def open_matchups(event: Event) -> None:
    """Put the matchups that landed imports have made into service, a few at a time; where that
    was cut short, the next import goes on."""
    landed = event.import_jobs.filter(kind=ImportJob.Kind.JUDGMENTS, state=State.DONE)
    moments = list(landed.values_list("created_at", flat=True))
    closed = Matchup.objects.filter(event=event, retired_at__in=moments)
    while batch := list(closed.values_list("pk", flat=True)[:OPENED]):
        Matchup.objects.filter(pk__in=batch).update(retired_at=None)


def discard_unlanded(event: Event, hold: Hold) -> None:
    """Take away what imports of judgments that died have left behind; never sealed, never seen."""
    dead = event.import_jobs.filter(kind=ImportJob.Kind.JUDGMENTS, state=State.FAILED)
    moments = list(dead.values_list("created_at", flat=True))
    judgments = Judgment.objects.filter(event=event, import_job__in=dead)
    while batch := list(judgments.values_list("pk", flat=True)[:BATCH]):
        Answer.objects.filter(judgment__in=batch).delete()
        Judgment.objects.filter(pk__in=batch).delete()
        hold.glance(0, None)
    Matchup.objects.filter(
        event=event, retired_at__in=moments, judgments=None, assignments=None
    ).delete()
    Enrollment.objects.filter(
        event=event,
        joined_at__in=moments,
        external_id__isnull=False,
        judgments=None,
        assignments=None,
    ).delete()

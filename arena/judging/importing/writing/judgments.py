"""Checked votes become enrollments, matchups where they are missing, judgments and answers.

Everything is written by the import that holds the event, and lands with it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.db import transaction

from arena.events.importing.jobs import JobHold
from arena.events.importing.report import ImportReport
from arena.events.importing.writing.staging import batches
from arena.events.models import Enrollment, Event, ImportJob, Matchup
from arena.judging.importing.imported_votes import ImportedVote, VoteWriter
from arena.judging.importing.writing.enrollments import enrollments_of
from arena.judging.importing.writing.matchups import matchups_of, open_matchups
from arena.judging.models import Answer, Exclusion, Judgment

State = ImportJob.State
BATCH = 500


def write_all(
    writer: VoteWriter,
    votes: Iterable[ImportedVote],
    total: int,
    report: ImportReport,
    now: datetime,
) -> None:
    """Write every vote in its order, then let all of them land at once."""
    hold = writer.hold
    hold.enter_state(State.WRITING, done=0, total=total)
    done = 0
    for batch in batches(votes, lambda vote: 1 / BATCH + len(vote.comment) / 1e6):
        done += len(batch)
        # Closes the race with whoever takes this import for dead (`beat` looks at its row), and
        # keeps judgments and their answers together.
        with transaction.atomic():
            hold.write_heartbeat(done, total)
            for part in without_repeats(batch):
                write_batch(writer, part)
        hold.yield_lock()
    report.landed = True
    # From here on the import has happened: the job's row says so for all of its judgments.
    hold.finish(State.DONE, report, now)
    open_matchups(writer.event)


def without_repeats(votes: Sequence[ImportedVote]) -> Iterator[list[ImportedVote]]:
    """The votes in their order, cut wherever a worker votes on a pair once more."""
    part: list[ImportedVote] = []
    met: set[str] = set()
    for vote in votes:
        if vote.repeats and vote.who() in met:
            yield part
            part, met = [], set()
        part.append(vote)
        met.add(vote.who())
    yield part


def write_batch(writer: VoteWriter, votes: Sequence[ImportedVote]) -> None:
    """Judgments and answers, their primary keys ascending in the file's order."""
    enrollments = enrollments_of(writer, votes)
    matchups = matchups_of(writer, votes)
    earlier = earlier_revisions(writer, votes, enrollments, matchups)
    judgments = [
        Judgment(
            event_id=writer.event.pk,
            enrollment_id=enrollments[vote.worker],
            matchup_id=matchups[vote.key()],
            origin=vote.origin or writer.options.judgments_origin(),
            import_job_id=writer.hold.job.pk,
            judged_at=datetime.fromisoformat(vote.judged_at) if vote.judged_at else None,
        )
        for vote in votes
    ]
    for judgment, vote in zip(judgments, votes, strict=True):
        if revised := earlier.get(vote.who()):
            judgment.revises_id, judgment.revision = revised[0], revised[1] + 1
    Judgment.objects.bulk_create(judgments)
    Answer.objects.bulk_create(
        Answer(
            judgment_id=judgment.pk,
            question_id=writer.preference.pk,
            first_id=vote.first,
            second_id=vote.second,
            outcome=vote.outcome,
            both_bad=vote.both_bad,
            first_on_left=vote.first_on_left,
        )
        for judgment, vote in zip(judgments, votes, strict=True)
        if vote.outcome is not None
    )
    write_texts(writer, list(zip(judgments, votes, strict=True)))
    Exclusion.objects.bulk_create(
        Exclusion(
            event_id=writer.event.pk,
            judgment=judgment,
            reason=vote.exclusion,
            note=vote.note,
            created_at=writer.hold.job.created_at,
        )
        for judgment, vote in zip(judgments, votes, strict=True)
        if vote.exclusion
    )


def write_texts(writer: VoteWriter, pairs: Sequence[tuple[Judgment, ImportedVote]]) -> None:
    """Comments, and the texts that answer further questions."""
    Answer.objects.bulk_create(
        Answer(judgment=judgment, question=writer.comment, value={"text": vote.comment})
        for judgment, vote in pairs
        if vote.comment
    )
    Answer.objects.bulk_create(
        Answer(judgment=judgment, question_id=int(question), value={"text": text})
        for judgment, vote in pairs
        for question, text in vote.others.items()
    )


def earlier_revisions(
    writer: VoteWriter,
    votes: Sequence[ImportedVote],
    enrollments: dict[str, int],
    matchups: dict[str, int],
) -> dict[str, tuple[int, int]]:
    """What these votes revise, by `who()`: primary key and revision.

    At most one judgment of a person and matchup stands, so that a repeated vote makes the earlier
    one its earlier revision; or replaces it, where only the last is wanted. Neither has landed.
    """
    repeated = {
        (enrollments[vote.worker], matchups[vote.key()]): vote.who()
        for vote in votes
        if vote.repeats
    }
    if not repeated:
        return {}
    standing = Judgment.objects.filter(
        import_job=writer.hold.job,
        standing=True,
        enrollment__in={enrollment for enrollment, _ in repeated},
        matchup__in={matchup for _, matchup in repeated},
    )
    found = {
        repeated[enrollment, matchup]: (pk, revision)
        for pk, revision, enrollment, matchup in standing.values_list(
            "pk", "revision", "enrollment_id", "matchup_id"
        )
        if (enrollment, matchup) in repeated
    }
    replaced = Judgment.objects.filter(pk__in=[pk for pk, _ in found.values()])
    if writer.options.duplicates == "last":
        Answer.objects.filter(judgment__in=replaced).delete()
        replaced.delete()
        return {}
    replaced.update(standing=False)
    return found


def discard_unlanded(event: Event, hold: JobHold) -> None:
    """Take away what imports of judgments that died have left behind; never sealed, never seen."""
    dead = event.import_jobs.filter(kind=ImportJob.Kind.JUDGMENTS, state=State.FAILED)
    moments = list(dead.values_list("created_at", flat=True))
    judgments = Judgment.objects.filter(event=event, import_job__in=dead)
    while batch := list(judgments.values_list("pk", flat=True)[:BATCH]):
        Answer.objects.filter(judgment__in=batch).delete()
        Judgment.objects.filter(pk__in=batch).delete()
        hold.heartbeat(0, None)
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

"""Writing checked votes: enrollments, missing matchups, judgments and answers.

All of it is invisible until the import that holds the event ends.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from arena.events.importing.jobs import JobHold
from arena.events.importing.report import ImportReport
from arena.events.importing.writing.temporary import split_by_cost
from arena.events.models import Enrollment, Event, ImportJob, Matchup
from arena.judging.importing.imported_votes import ImportedVote, VoteWriter
from arena.judging.importing.writing.enrollments import get_or_create_enrollments
from arena.judging.importing.writing.matchups import get_or_create_matchups, open_matchups
from arena.judging.models import Answer, Exclusion, Judgment

State = ImportJob.State
BATCH_SIZE = 500


def write_all(
    writer: VoteWriter,
    votes: Iterable[ImportedVote],
    total: int,
    report: ImportReport,
    now: datetime,
) -> None:
    """Write all votes in their order, then make them visible at once."""
    hold = writer.hold
    hold.enter_state(State.WRITING, done=0, total=total)
    done = 0
    for batch in split_by_cost(votes, lambda vote: 1 / BATCH_SIZE + len(vote.comment) / 1e6):
        done += len(batch)
        # Closes the race with whoever declares this import dead (`write_heartbeat` checks its row),
        # and keeps judgments and their answers together.
        with transaction.atomic():
            hold.write_heartbeat(done, total)
            for part in split_at_repeats(batch):
                write_batch(writer, part)
        hold.yield_lock()
    report.landed = True
    # The job's state makes all of its judgments visible at once.
    hold.finish(State.DONE, report, now)
    open_matchups(writer.event)


def split_at_repeats(votes: Sequence[ImportedVote]) -> Iterator[list[ImportedVote]]:
    """Split the votes, in order, wherever a worker votes on a pair once more."""
    part: list[ImportedVote] = []
    met: set[str] = set()
    for vote in votes:
        if vote.repeats and vote.duplicate_key() in met:
            yield part
            part, met = [], set()
        part.append(vote)
        met.add(vote.duplicate_key())
    yield part


def write_batch(writer: VoteWriter, votes: Sequence[ImportedVote]) -> None:
    """Write judgments and answers, with primary keys ascending in the file's order."""
    enrollments = get_or_create_enrollments(writer, votes)
    matchups = get_or_create_matchups(writer, votes)
    earlier = find_revised(writer, votes, enrollments, matchups)
    judgments = [
        Judgment(
            event_id=writer.event.pk,
            enrollment_id=enrollments[vote.worker],
            matchup_id=matchups[vote.matchup_key()],
            origin=vote.origin or writer.options.judgments_origin(),
            import_job_id=writer.hold.job.pk,
            judged_at=datetime.fromisoformat(vote.judged_at) if vote.judged_at else None,
        )
        for vote in votes
    ]
    for judgment, vote in zip(judgments, votes, strict=True):
        if revised := earlier.get(vote.duplicate_key()):
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
    """Write comments and the answers to further text questions."""
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


def find_revised(
    writer: VoteWriter,
    votes: Sequence[ImportedVote],
    enrollments: dict[str, int],
    matchups: dict[str, int],
) -> dict[str, tuple[int, int]]:
    """The judgments these votes revise: (primary key, revision) by duplicate key.

    At most one judgment of a contributor and matchup stands. A repeated vote makes the earlier one
    an earlier revision, or deletes it if only the last is wanted; neither is visible yet.
    """
    repeated = {
        (enrollments[vote.worker], matchups[vote.matchup_key()]): vote.duplicate_key()
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


def delete_unfinished(event: Event, hold: JobHold) -> None:
    """Delete what failed vote imports left behind, and earlier attempts at the one that begins; it
    was never sealed and never visible."""
    failed = Q(state=State.FAILED) | Q(pk=hold.job.pk)
    dead = event.import_jobs.filter(failed, kind=ImportJob.Kind.JUDGMENTS)
    moments = list(dead.values_list("created_at", flat=True))
    judgments = Judgment.objects.filter(event=event, import_job__in=dead)
    while batch := list(judgments.values_list("pk", flat=True)[:BATCH_SIZE]):
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

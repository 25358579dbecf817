"""Recording what a contributor decided: a judgment or a revision of it.

An acknowledged judgment is stored exactly once. What a person typed is never lost: an answer
that comes too late to count is kept as an excluded one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.models import Enrollment, Matchup, Question
from arena.judging.models import Answer, Assignment, Exclusion, Flag, Judgment, Origin
from arena.judging.receipts import answer_label
from arena.judging.serving.assigning import (
    expire,
    give_back_slots,
    holds_slot,
    shown_assignment,
    take_slot,
)
from arena.questions import KINDS, InvalidAnswer, Value

Answers = Mapping[Question, Value]
State = Assignment.State
# Somebody who went back within the undo window gets to finish changing their mind.
REVISION_SLACK = timedelta(minutes=2)
# What an answer says that it replaces, where that is a skip; else the number of a revision.
SKIP = "skip"


class InvalidAnswers(ValueError):
    """Some answers are not acceptable; `errors` maps the question's name to a message."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


class ChangeableError(ConflictError):
    """The assignment was decided before, in another tab perhaps, and that may still be changed:
    by the same answers once more, saying what they replace."""


def check_answers(assignment: Assignment, posted: Mapping[str, str]) -> dict[Question, Value]:
    """What was posted, as values in canonical order. Raises `InvalidAnswers`."""
    answers: dict[Question, Value] = {}
    errors: dict[str, str] = {}
    for question in assignment.enrollment.event.questions.all():
        kind, raw = KINDS[question.kind], posted.get(question.name, "")
        try:
            value = kind.check_answer(question.all_settings(), raw, assignment.order)
        except InvalidAnswer as error:
            errors[question.name] = str(error)
            continue
        if value is not None:
            answers[question] = value
        elif question.required:
            errors[question.name] = _("Choose an answer first.")
    if errors:
        raise InvalidAnswers(errors)
    return answers


def record_judgment(
    assignment: Assignment,
    answers: Answers,
    *,
    now: datetime,
    origin: str = Origin.SCREEN,
    replaces: str = "",
) -> Judgment:
    """Store the answers to a shown assignment; the same answers again return the same judgment.

    Within the undo window other answers become a revision, and a skip becomes a judgment, where
    they say what they replace (`SKIP` or the number of the standing revision). Raises
    `ChangeableError` where they do not, and `ConflictError` after the window and where the final
    result is published.
    """
    event = assignment.enrollment.event
    if event.state == event.State.PUBLISHED:
        message = _("The result of this event is published, so your answer was not saved.")
        raise ConflictError(message, "closed")
    try:
        # Closes the race of identical submissions: one of them finds the row undecided, and its
        # judgment is there before anybody else sees "done".
        with transaction.atomic():
            judgment = decided_judgment(assignment, answers, now, origin, replaces)
    except IntegrityError as error:
        # The same matchup was given to this person again after the lease ran out and is answered
        # there, or another revision came in at the same moment.
        raise ConflictError(already_judged(assignment), "already_judged") from error
    settle_skips(assignment, now)
    return judgment


def decided_judgment(
    assignment: Assignment, answers: Answers, now: datetime, origin: str, replaces: str
) -> Judgment:
    """The judgment that these answers make or repeat, inside the caller's transaction."""
    in_time = is_in_time(assignment, now)
    if finish(assignment, now, state=State.SHOWN):
        return insert_judgment(assignment, answers, now, origin, late=not in_time)
    end_second_lease(assignment, now)
    if finish(assignment, now, state=State.EXPIRED):
        reclaimed = in_time and reclaim(assignment)
        return insert_judgment(assignment, answers, now, origin, late=not reclaimed)
    if replaces == SKIP and finish_skipped(assignment, now):
        return insert_judgment(assignment, answers, now, origin, late=not reclaim(assignment))
    return settled_judgment(assignment, answers, now, origin, replaces)


def is_in_time(assignment: Assignment, now: datetime) -> bool:
    """Whether an answer at this moment counts, as far as the event's times and its lease go."""
    event = assignment.enrollment.event
    return event.is_open(now) or (event.takes_answer(now) and now < assignment.lease_until)


def is_awaited(enrollment: Enrollment, now: datetime) -> bool:
    """Whether this contributor has a matchup on the screen that may still be answered."""
    shown = shown_assignment(enrollment)
    return shown is not None and is_in_time(shown, now)


def end_second_lease(assignment: Assignment, now: datetime) -> None:
    """Where this lease ran out and the same matchup was given to this person again, let that one
    end: what they decide here is about both, and a slot is free for it."""
    same = Assignment.objects.filter(enrollment=assignment.enrollment, matchup=assignment.matchup)
    expire(same.live().exclude(pk=assignment.pk), now)


def finish(assignment: Assignment, now: datetime, **expected: object) -> bool:
    """Turn the assignment to done if it is as expected."""
    rows = Assignment.objects.filter(pk=assignment.pk, **expected)
    return bool(rows.update(state=State.DONE, finished_at=now))


def finish_skipped(assignment: Assignment, now: datetime) -> bool:
    """Turn a skip that may still be undone to done and take its flag back.

    It gives back its slot, to take it again like an expired one: controls have none and go the
    same way.
    """
    if not assignment.enrollment.event.is_open(now):
        return False
    if not finish(assignment, now, state=State.SKIPPED, lease_until__gt=now):
        return False
    give_back_slots(Assignment.objects.filter(pk=assignment.pk))
    Flag.objects.waiting().filter(assignment=assignment).update(withdrawn_at=now)
    return True


def settle_skips(assignment: Assignment, now: datetime) -> None:
    """What this person skipped before the assignment just decided can no longer be undone, so
    that its slot is free. (By times alone: a control is settled by the same statements.)"""
    mine = Assignment.objects.filter(enrollment=assignment.enrollment_id)
    earlier = mine.undoable_skips(now).exclude(pk=assignment.pk)
    for pk in list(earlier.values_list("pk", flat=True)):
        # Closes the race with an answer to it from another tab: whoever updates it first wins.
        with transaction.atomic():
            if earlier.filter(pk=pk).update(lease_until=now):
                give_back_slots(Assignment.objects.filter(pk=pk))


def reclaim(assignment: Assignment) -> bool:
    """Take a slot again for an answer whose lease had run out; False where none is left."""
    holds = holds_slot(assignment.enrollment, assignment.matchup)
    if not take_slot(assignment.matchup_id, holds=holds):
        return False
    Assignment.objects.filter(pk=assignment.pk).update(holds_slot=holds)
    return True


def insert_judgment(
    assignment: Assignment,
    answers: Answers,
    now: datetime,
    origin: str,
    *,
    late: bool = False,
    revises: Judgment | None = None,
) -> Judgment:
    """The judgment's rows, inside the caller's transaction."""
    judgment = Judgment.objects.create(
        event=assignment.enrollment.event,
        enrollment=assignment.enrollment,
        matchup=assignment.matchup,
        assignment=assignment,
        guidelines=assignment.guidelines,
        origin=origin,
        judged_at=now,
        revision=revises.revision + 1 if revises else 0,
        revises=revises,
    )
    Answer.objects.bulk_create(answer_row(judgment, q, value) for q, value in answers.items())
    if late:
        keep_as_late(judgment, now)
    return judgment


def answer_row(judgment: Judgment, question: Question, value: Value) -> Answer:
    """An answer in its columns: typed for a preference, a value for everything else."""
    if question.kind != "preference":
        return Answer(judgment=judgment, question=question, value=value)
    first, second = judgment.matchup.places.order_by("position").values_list("response", flat=True)
    return Answer(judgment=judgment, question=question, first_id=first, second_id=second, **value)


def keep_as_late(judgment: Judgment, now: datetime) -> None:
    """Keep an answer that came too late, without letting it count or hold a slot."""
    Exclusion.objects.create(
        event=judgment.event, judgment=judgment, reason=Exclusion.Reason.LATE, created_at=now
    )
    give_back_slots(Assignment.objects.filter(judgments=judgment))


def settled_judgment(
    assignment: Assignment, answers: Answers, now: datetime, origin: str, replaces: str
) -> Judgment:
    """The judgment already there if it says the same, else a revision of it while undo lasts."""
    earlier = Judgment.objects.standing().filter(assignment=assignment).first()
    if earlier is None:
        raise skipped_before(assignment, now)
    if same_answers(earlier, answers):
        return earlier
    event, until = assignment.enrollment.event, undo_until(assignment)
    slack = REVISION_SLACK if event.undo_seconds else timedelta(0)
    stands = {"answer": answer_label(earlier)}
    if until is None or now >= until + slack or not event.is_open(now):
        message = _(
            "You have already answered this pair: “%(answer)s” stands. It is too late to change it."
        )
        raise ConflictError(message % stands, "undo_over")
    if replaces != str(earlier.revision):
        message = _(
            "You have already answered this pair: “%(answer)s” stands, unless you save this change."
        )
        raise ChangeableError(message % stands, "answered")
    Judgment.objects.filter(pk=earlier.pk).update(standing=False)
    revision = insert_judgment(assignment, answers, now, origin, revises=earlier)
    carry_exclusion(earlier, revision)
    return revision


def skipped_before(assignment: Assignment, now: datetime) -> ConflictError:
    """What to say of an answer to a skipped pair."""
    skips = Assignment.objects.undoable_skips(now).filter(pk=assignment.pk)
    if assignment.enrollment.event.is_open(now) and skips.exists():
        message = _("You have skipped this pair. It stays skipped, unless you submit this answer.")
        return ChangeableError(message, "skipped")
    message = _("You have skipped this pair. It is too late to answer it after all.")
    return ConflictError(message, "skipped")


def already_judged(assignment: Assignment) -> str:
    """What to say of a further decision on a pair that this person has answered."""
    answered = Judgment.objects.standing().filter(
        enrollment=assignment.enrollment, matchup=assignment.matchup
    )
    judgment = answered.first()
    answer = answer_label(judgment) if judgment else ""
    return _("You have already answered this pair: “%(answer)s” stands.") % {"answer": answer}


def carry_exclusion(earlier: Judgment, revision: Judgment) -> None:
    """What did not count does not begin to count by being changed."""
    exclusion = earlier.exclusions.in_force().first()
    if exclusion is not None:
        exclusion.pk = None
        exclusion.judgment = revision
        exclusion.save(force_insert=True)


def same_answers(judgment: Judgment, answers: Answers) -> bool:
    """Whether a judgment holds exactly these answers."""
    stored = {answer.question_id: answer.as_value() for answer in judgment.answers.all()}
    return stored == {question.pk: value for question, value in answers.items()}


def undo_until(assignment: Assignment) -> datetime | None:
    """Until when changing what was decided about this assignment is offered; null: it is not.

    With the deadline it ends in any case.
    """
    event = assignment.enrollment.event
    if assignment.state == State.SKIPPED:
        until = assignment.lease_until - REVISION_SLACK
    else:
        first = Judgment.objects.filter(assignment=assignment, revision=0).first()
        if first is None or first.judged_at is None:
            return None
        until = first.judged_at + timedelta(seconds=event.undo_seconds)
    return min(until, event.closes_at) if event.closes_at else until


def is_undoable(assignment: Assignment, now: datetime) -> bool:
    """Whether this assignment was decided and a change of mind is still offered.

    What has been taken out of service since it was skipped is not shown again.
    """
    until = undo_until(assignment)
    if until is None or now >= until or not assignment.enrollment.event.is_open(now):
        return False
    in_service = Matchup.objects.serving().filter(pk=assignment.matchup_id)
    return assignment.state != State.SKIPPED or in_service.exists()

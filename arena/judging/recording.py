"""Recording what a contributor decided: a judgment, a revision, a skip, a flag.

An acknowledged judgment is stored exactly once. What a person typed is never lost: an answer
that comes too late to count is kept as an excluded one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.models import Enrollment, Question
from arena.judging.assigning import (
    expire,
    give_back_slots,
    holds_slot,
    shown_assignment,
    take_slot,
)
from arena.judging.models import Answer, Assignment, Exclusion, Flag, Judgment, Origin
from arena.questions import KINDS, InvalidAnswer, Value

Answers = Mapping[Question, Value]
State = Assignment.State
# Somebody who opened an earlier answer within the undo window gets to finish changing it.
REVISION_SLACK = timedelta(minutes=2)


class InvalidAnswers(ValueError):
    """Some answers are not acceptable; `errors` maps the question's name to a message."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


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
    assignment: Assignment, answers: Answers, *, now: datetime, origin: str = Origin.SCREEN
) -> Judgment:
    """Store the answers to a shown assignment; the same answers again return the same judgment.

    Other answers within the undo window become a revision. Raises `ConflictError` after it, where
    the assignment was skipped, and where the final result is published.
    """
    event = assignment.enrollment.event
    if event.state == event.State.PUBLISHED:
        raise ConflictError(_("This event has closed."), "closed")
    in_time = is_in_time(assignment, now)
    try:
        # Closes the race of identical submissions: one of them finds the row still shown, and
        # its judgment is there before anybody else sees "done".
        with transaction.atomic():
            if finish(assignment, State.SHOWN, now):
                return insert_judgment(assignment, answers, now, origin, late=not in_time)
            end_second_lease(assignment, now)
            if finish(assignment, State.EXPIRED, now):
                reclaimed = in_time and reclaim(assignment)
                return insert_judgment(assignment, answers, now, origin, late=not reclaimed)
            return settled_judgment(assignment, answers, now, origin)
    except IntegrityError as error:
        # The same matchup was given to this person again after the lease ran out and is answered
        # there, or another revision came in at the same moment.
        raise ConflictError(_("You have already judged this pair."), "already_judged") from error


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


def finish(assignment: Assignment, expected: str, now: datetime) -> bool:
    """Turn the assignment to done if it is in the expected state."""
    rows = Assignment.objects.filter(pk=assignment.pk, state=expected)
    return bool(rows.update(state=State.DONE, finished_at=now))


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
    assignment: Assignment, answers: Answers, now: datetime, origin: str
) -> Judgment:
    """The judgment already there if it says the same, else a revision of it while undo lasts."""
    earlier = Judgment.objects.standing().filter(assignment=assignment).first()
    if earlier is None:
        raise ConflictError(_("You have skipped this pair."), "skipped")
    if same_answers(earlier, answers):
        return earlier
    event, until = assignment.enrollment.event, undo_until(assignment)
    slack = REVISION_SLACK if event.undo_seconds else timedelta(0)
    if until is None or now >= until + slack or not event.is_open(now):
        raise ConflictError(_("It is too late to change this answer."), "undo_over")
    Judgment.objects.filter(pk=earlier.pk).update(standing=False)
    revision = insert_judgment(assignment, answers, now, origin, revises=earlier)
    carry_exclusion(earlier, revision)
    return revision


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


def skip_assignment(assignment: Assignment, reason: str, *, now: datetime) -> None:
    """Pass on a shown matchup, in its time or after; its slot goes to somebody else. Doing so
    twice is once.

    Raises `ConflictError` where it was answered.
    """
    # Closes the race with an answer from another tab: whoever finds the row undecided wins.
    with transaction.atomic():
        end_second_lease(assignment, now)
        undecided = Assignment.objects.filter(
            pk=assignment.pk, state__in=(State.SHOWN, State.EXPIRED)
        )
        if undecided.update(state=State.SKIPPED, finished_at=now, skip_reason=reason):
            give_back_slots(Assignment.objects.filter(pk=assignment.pk))
            return
    assignment.refresh_from_db()
    if assignment.state == State.DONE:
        raise ConflictError(_("You have already answered this pair."), "already_judged")


def flag_assignment(assignment: Assignment, reason: str, note: str, *, now: datetime) -> None:
    """Report a matchup, and pass on it where it was not answered. Doing so twice is once."""
    # Closes the race of two identical reports: the second finds the flag there.
    with transaction.atomic():
        Flag.objects.get_or_create(
            assignment=assignment, defaults={"reason": reason, "note": note, "created_at": now}
        )
        try:
            skip_assignment(assignment, Assignment.SkipReason.FLAGGED, now=now)
        except ConflictError:
            # An answered matchup may be reported as well; its judgment stays.
            return


def undo_until(assignment: Assignment) -> datetime | None:
    """Until when changing the answer to this assignment is offered; null where there is none.

    With the deadline it ends in any case.
    """
    first = Judgment.objects.filter(assignment=assignment, revision=0).first()
    if first is None or first.judged_at is None:
        return None
    event = assignment.enrollment.event
    until = first.judged_at + timedelta(seconds=event.undo_seconds)
    return min(until, event.closes_at) if event.closes_at else until


def is_undoable(assignment: Assignment, now: datetime) -> bool:
    """Whether this assignment was answered and changing the answer is still offered."""
    until = undo_until(assignment)
    return until is not None and now < until and assignment.enrollment.event.is_open(now)

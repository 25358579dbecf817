"""Recording what a contributor decided: a judgment or a revision of it.

An acknowledged judgment is stored exactly once. What a person typed is never lost: an answer
that comes too late to count is kept as an excluded one.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.current_rules import EventRules, get_rules
from arena.events.lifecycle.locking import is_result_locked
from arena.events.models import Enrollment, Event, Matchup, Question
from arena.judging.models import Answer, Assignment, Exclusion, Flag, Judgment, Origin
from arena.judging.receipts import format_answer
from arena.judging.serving.hot_path_sql import can_store_at_once, store_judgment
from arena.judging.serving.leases import expire_leases, get_shown_assignment
from arena.judging.serving.slots import (
    lock_matchups,
    release_slots,
    should_hold_slot,
    take_slot,
)
from arena.questions import KINDS, InvalidAnswerError, Value

Answers = Mapping[Question, Value]
State = Assignment.State
# Added to the undo window for saving: whoever went back in time may finish the change.
REVISION_GRACE = timedelta(minutes=2)
# The value of `replaces` for an answer to a skipped matchup; else it is a revision number.
SKIP = "skip"


class InvalidAnswers(ValueError):
    """Some answers are not acceptable; `errors` maps the question's name to a message."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


class ChangeableError(ConflictError):
    """The assignment is already answered or skipped, perhaps in another tab, and can still be
    changed: send the answers again with `replaces` set to what they replace."""


def check_answers(
    assignment: Assignment, posted: Mapping[str, str], rules: EventRules | None = None
) -> dict[Question, Value]:
    """Convert posted answers to values in canonical order. Raises `InvalidAnswers`."""
    answers: dict[Question, Value] = {}
    errors: dict[str, str] = {}
    event = assignment.enrollment.event
    for question in (rules or get_rules(event)).build_questions(event):
        kind, raw = KINDS[question.kind], posted.get(question.name, "")
        try:
            value = kind.check_answer(question.all_settings(), raw, assignment.order)
        except InvalidAnswerError as error:
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
    has_undoable_skips: bool = True,
) -> Judgment:
    """Store the answers to a shown assignment; the same answers again return the same judgment.

    Within the undo window, different answers are stored as a revision, and answers to a skipped
    matchup as a judgment, if `replaces` names what they replace (the number of the standing
    revision, or `SKIP`). Raises `ChangeableError` if it does not, and `ConflictError` after the
    window or once the final result is published. `has_undoable_skips` is False where it is known
    that no earlier skip waits to be finalized. How the answer was given is the instance's
    `behaviour`, stored where the assignment becomes done; a revision leaves the first answer's.
    """
    event = assignment.enrollment.event
    if is_result_locked(event):
        message = _("The result of this event is published, so your answer was not saved.")
        raise ConflictError(message, "closed")
    try:
        # Closes the race of identical submissions: one of them finds the row undecided, and its
        # judgment is there before anybody else sees "done".
        judgment = store_in_time(assignment, answers, now, origin)
        if judgment is None:
            with transaction.atomic():
                judgment = apply_answers(assignment, answers, now, origin, replaces)
    except IntegrityError as error:
        # The same matchup was given to this person again after the lease ran out and is answered
        # there, or another revision came in at the same moment.
        raise ConflictError(explain_already_judged(assignment), "already_judged") from error
    if has_undoable_skips:
        finalize_skips(assignment, now)
    return judgment


def store_in_time(
    assignment: Assignment, answers: Answers, now: datetime, origin: str
) -> Judgment | None:
    """Store an answer to a shown matchup that is in time, by one statement; None if it is
    anything else, or if this database takes several."""
    if not can_store_at_once() or not is_in_time(assignment, now):
        return None
    judgment = build_judgment(assignment, now, origin)
    rows = [build_answer(judgment, question, value) for question, value in answers.items()]
    # Inside a caller's transaction, which an error must not end.
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        return judgment if store_judgment(judgment, rows, now) else None


def apply_answers(
    assignment: Assignment, answers: Answers, now: datetime, origin: str, replaces: str
) -> Judgment:
    """Store or return the judgment for these answers, depending on the assignment's state.

    Runs inside the caller's transaction.
    """
    in_time = is_in_time(assignment, now)
    if in_time and mark_done(assignment, now, state=State.SHOWN):
        return insert_judgment(assignment, answers, now, origin)
    # What follows may take or release a slot: matchups are locked before assignments.
    lock_matchups(Assignment.objects.filter(pk=assignment.pk))
    if mark_done(assignment, now, state=State.SHOWN):
        return insert_judgment(assignment, answers, now, origin, late=not in_time)
    expire_duplicate_lease(assignment, now)
    if mark_done(assignment, now, state=State.EXPIRED):
        reclaimed = in_time and reclaim_slot(assignment)
        return insert_judgment(assignment, answers, now, origin, late=not reclaimed)
    if replaces == SKIP and mark_skip_done(assignment, now):
        return insert_judgment(assignment, answers, now, origin, late=not reclaim_slot(assignment))
    return repeat_or_revise(assignment, answers, now, origin, replaces)


def is_in_time(assignment: Assignment, now: datetime) -> bool:
    """Whether an answer given now is in time for the event's schedule and the lease."""
    event = assignment.enrollment.event
    return event.is_open(now) or (event.takes_answer(now) and now < assignment.lease_until)


def has_answerable_assignment(enrollment: Enrollment, now: datetime) -> bool:
    """Whether this contributor has a shown matchup that may still be answered."""
    shown = get_shown_assignment(enrollment)
    return shown is not None and is_in_time(shown, now)


def expire_duplicate_lease(assignment: Assignment, now: datetime) -> None:
    """Expire the contributor's other live lease on the same matchup, if this one ran out and the
    matchup was served again: the decision covers both, and the slot is freed for it."""
    same = Assignment.objects.filter(enrollment=assignment.enrollment, matchup=assignment.matchup)
    expire_leases(same.live().exclude(pk=assignment.pk), now)


def mark_done(assignment: Assignment, now: datetime, **expected: object) -> bool:
    """Set the assignment to done if its fields match `expected`; returns whether they did.

    The instance's `behaviour` is stored with it.
    """
    rows = Assignment.objects.filter(pk=assignment.pk, **expected)
    done = {"state": State.DONE, "finished_at": now, "behaviour": assignment.behaviour}
    return bool(rows.update(**done))


def mark_skip_done(assignment: Assignment, now: datetime) -> bool:
    """Set a skip that may still be undone to done, and withdraw its flag.

    The slot is released and then reclaimed as for an expired lease, so that controls, which hold
    no slot, take the same path.
    """
    if not assignment.enrollment.event.is_open(now):
        return False
    if not mark_done(assignment, now, state=State.SKIPPED, lease_until__gt=now):
        return False
    release_slots(Assignment.objects.filter(pk=assignment.pk))
    Flag.objects.waiting().filter(assignment=assignment).update(withdrawn_at=now)
    return True


def finalize_skips(assignment: Assignment, now: datetime) -> None:
    """End the undo window of this contributor's earlier skips and release their slots.

    It depends on times alone, so controls take the same statements.
    """
    mine = Assignment.objects.filter(enrollment=assignment.enrollment_id)
    earlier = mine.undoable_skips(now).exclude(pk=assignment.pk)
    for pk in list(earlier.values_list("pk", flat=True)):
        # Closes the race with an answer to it from another tab: whoever updates it first wins.
        with transaction.atomic():
            lock_matchups(Assignment.objects.filter(pk=pk))
            if earlier.filter(pk=pk).update(lease_until=now):
                release_slots(Assignment.objects.filter(pk=pk))


def reclaim_slot(assignment: Assignment) -> bool:
    """Take a slot again for an answer whose lease has expired; False if none is left."""
    holds = should_hold_slot(assignment.enrollment, assignment.matchup)
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
    """Insert the judgment and its answers, inside the caller's transaction."""
    judgment = build_judgment(assignment, now, origin, revises)
    judgment.save(force_insert=True)
    Answer.objects.bulk_create(build_answer(judgment, q, value) for q, value in answers.items())
    if late:
        exclude_as_late(judgment, now)
    return judgment


def build_judgment(
    assignment: Assignment, now: datetime, origin: str, revises: Judgment | None = None
) -> Judgment:
    """The unsaved judgment."""
    return Judgment(
        event=assignment.enrollment.event,
        enrollment=assignment.enrollment,
        matchup=assignment.matchup,
        assignment=assignment,
        guidelines_id=assignment.guidelines_id,
        origin=origin,
        judged_at=now,
        revision=revises.revision + 1 if revises else 0,
        revises=revises,
    )


def build_answer(judgment: Judgment, question: Question, value: Value) -> Answer:
    """The unsaved answer row: typed columns for a preference, a JSON value for other kinds."""
    if question.kind != "preference":
        return Answer(judgment=judgment, question=question, value=value)
    first, second = judgment.matchup.response_ids()
    return Answer(judgment=judgment, question=question, first_id=first, second_id=second, **value)


def exclude_as_late(judgment: Judgment, now: datetime) -> None:
    """Exclude a judgment that came too late to count, and release its slot."""
    Exclusion.objects.create(
        event=judgment.event, judgment=judgment, reason=Exclusion.Reason.LATE, created_at=now
    )
    release_slots(Assignment.objects.filter(judgments=judgment))


def repeat_or_revise(
    assignment: Assignment, answers: Answers, now: datetime, origin: str, replaces: str
) -> Judgment:
    """Return the earlier judgment if its answers are the same, else revise it while undo lasts."""
    earlier = Judgment.objects.standing().filter(assignment=assignment).first()
    if earlier is None:
        raise build_skip_error(assignment, now)
    if has_same_answers(earlier, answers):
        return earlier
    event, until = assignment.enrollment.event, get_undo_deadline(assignment)
    grace = REVISION_GRACE if event.undo_seconds else timedelta(0)
    stands = {"answer": format_answer(earlier)}
    if until is None or now >= until + grace or not event.is_open(now):
        message = _(
            "You have already answered this pair: “%(answer)s”. It is too late to change it."
        )
        raise ConflictError(message % stands, "undo_over")
    if replaces != str(earlier.revision):
        message = _(
            "You have already answered this pair: “%(answer)s”. Saving this change replaces it."
        )
        raise ChangeableError(message % stands, "answered")
    Judgment.objects.filter(pk=earlier.pk).update(standing=False)
    revision = insert_judgment(assignment, answers, now, origin, revises=earlier)
    copy_exclusion(earlier, revision)
    return revision


def build_skip_error(assignment: Assignment, now: datetime) -> ConflictError:
    """The error for an answer to a skipped matchup: changeable while the skip can be undone."""
    skips = Assignment.objects.undoable_skips(now).filter(pk=assignment.pk)
    if assignment.enrollment.event.is_open(now) and skips.exists():
        message = _("You have skipped this pair. It stays skipped unless you submit this answer.")
        return ChangeableError(message, "skipped")
    message = _("You have skipped this pair. It is too late to answer it now.")
    return ConflictError(message, "skipped")


def explain_already_judged(assignment: Assignment) -> str:
    """The message for a second decision on a matchup that this contributor has answered."""
    answered = Judgment.objects.standing().filter(
        enrollment=assignment.enrollment, matchup=assignment.matchup
    )
    judgment = answered.first()
    answer = format_answer(judgment) if judgment else ""
    return _("You have already answered this pair: “%(answer)s”.") % {"answer": answer}


def copy_exclusion(earlier: Judgment, revision: Judgment) -> None:
    """Copy an exclusion in force to the revision: revising does not make a judgment count."""
    exclusion = earlier.exclusions.in_force().first()
    if exclusion is not None:
        exclusion.pk = None
        exclusion.judgment = revision
        exclusion.save(force_insert=True)


def has_same_answers(judgment: Judgment, answers: Answers) -> bool:
    """Whether the judgment has exactly these answers."""
    stored = {answer.question_id: answer.as_value() for answer in judgment.answers.all()}
    return stored == {question.pk: value for question, value in answers.items()}


def get_undo_deadline(assignment: Assignment) -> datetime | None:
    """When undo stops being offered for this assignment; None if it was never decided here.

    Never later than the event's deadline.
    """
    event = assignment.enrollment.event
    if assignment.state == State.SKIPPED:
        until = assignment.lease_until - REVISION_GRACE
    else:
        first = Judgment.objects.filter(assignment=assignment, revision=0).first()
        if first is None or first.judged_at is None:
            return None
        return end_of_undo(event, first.judged_at)
    return min(until, event.closes_at) if event.closes_at else until


def end_of_undo(event: Event, judged_at: datetime) -> datetime:
    """When undo stops being offered for a judgment of this moment: with the deadline at last."""
    until = judged_at + timedelta(seconds=event.undo_seconds)
    return min(until, event.closes_at) if event.closes_at else until


def is_undoable(assignment: Assignment, now: datetime) -> bool:
    """Whether the decision on this assignment can still be undone.

    A skipped matchup that has been retired since is not shown again.
    """
    until = get_undo_deadline(assignment)
    if until is None or now >= until or not assignment.enrollment.event.is_open(now):
        return False
    in_service = Matchup.objects.serving().filter(pk=assignment.matchup_id)
    return assignment.state != State.SKIPPED or in_service.exists()

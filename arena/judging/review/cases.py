"""Opening cases, and deciding them: dismissed, or ended by a warning, a block or an exclusion, by a
person with a reason; and taking that back.

Nobody is asked twice: a question that is open, or that was dismissed, is raised again only once its
contributor has made twice as many judgments. Whom a person has reinstated is never excluded again
without one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.decision_record import Ruling, record_decision
from arena.events.models import Act, Decision, Enrollment, Event
from arena.judging.models import Case, Exclusion, Judgment
from arena.judging.review.exclusions import exclude, exclude_judgments, lift_exclusion
from arena.judging.review.warnings import (
    block_enrollment,
    send_warning,
    unblock_enrollment,
    withdraw_warning,
)

State, Reason = Case.State, Case.Reason
# What an exclusion is called that ends a case.
EXCLUSION_REASONS = {
    Reason.RIGGING: Exclusion.Reason.RIGGING,
    Reason.SIDES: Exclusion.Reason.UNRELIABLE,
    Reason.GAP: Exclusion.Reason.UNRELIABLE,
    Reason.TWIN: Exclusion.Reason.RIGGING,
    Reason.UNRELIABLE: Exclusion.Reason.UNRELIABLE,
}


@dataclass(frozen=True)
class Question:
    """What is asked about a contributor: by primary key, with figures by name, and how many
    judgments of theirs it rests on."""

    enrollment: int
    reason: str
    evidence: dict[str, Any]
    judgments: int


def open_cases(event: Event, questions: Iterable[Question], now: datetime) -> list[Case]:
    """Open a case for each question that is not asked already; returns the new ones."""
    asked = list(questions)
    earlier: dict[tuple[int, str], Case] = {}
    known = Case.objects.filter(event=event, enrollment__in={one.enrollment for one in asked})
    for case in known.order_by("pk"):
        earlier[case.enrollment_id, case.reason] = case
    new = [
        Case(
            event=event,
            enrollment_id=one.enrollment,
            reason=one.reason,
            evidence=one.evidence,
            judgments=one.judgments,
            opened_at=now,
        )
        for one in asked
        if may_ask(one, earlier.get((one.enrollment, one.reason)))
    ]
    # Two workers at once: the unique constraint lets one open case of each kind through.
    return Case.objects.bulk_create(new, ignore_conflicts=True)


def may_ask(question: Question, last: Case | None) -> bool:
    """Whether a question is raised, given the last case of its kind about the same person."""
    if last is None:
        return True
    return last.state != State.OPEN and question.judgments >= 2 * last.judgments


def dismiss(case: Case, ruling: Ruling) -> None:
    """Say that there is nothing in it, nor in any other that is open about the same person: the
    reviewer has seen all that is claimed. Raises `ConflictError` where it is decided already."""
    # Cases that are decided and the record of it are there together, here and below.
    with transaction.atomic():
        close_all(case, State.DISMISSED, ruling, record(case, Act.DISMISSED, ruling))


def warn(case: Case, ruling: Ruling, text: str = "") -> None:
    """End all open cases of this one's contributor with a warning, which they read once, before
    their next matchup.

    text: the reviewer's words to them. Raises `ConflictError` where it is decided already, or where
    an earlier warning is unread.
    """
    with transaction.atomic():
        close_all(case, State.WARNED, ruling, record(case, Act.WARNED, ruling))
        send_warning(case.enrollment, ruling, text, case)


def block(case: Case, ruling: Ruling) -> None:
    """End all open cases of this one's contributor by letting them judge no more; what they have
    judged goes on counting.

    Raises `ConflictError` where it is decided already, or they are blocked.
    """
    with transaction.atomic():
        close_all(case, State.BLOCKED, ruling, record(case, Act.BLOCKED, ruling))
        block_enrollment(case.enrollment, ruling.now)


def exclude_for(
    case: Case,
    ruling: Ruling,
    *,
    judgments: Sequence[Judgment] | None = None,
    is_grave: bool = False,
    since: datetime | None = None,
) -> Exclusion:
    """End all open cases of this one's contributor by excluding them; or this case alone, by
    excluding these judgments of theirs, since: the moment from which on these are all of theirs.

    Raises `ConflictError` where it is decided already, or they are excluded.
    """
    reason = EXCLUSION_REASONS.get(Reason(case.reason), Exclusion.Reason.ORGANIZER)
    with transaction.atomic():
        if judgments is None:
            exclusion = exclude(case.enrollment, reason, ruling, is_grave=is_grave)
            close_all(case, State.EXCLUDED, ruling, exclusion.decision)
            Case.objects.filter(pk=case.pk).update(exclusion=exclusion)
        else:
            chosen = exclude_judgments(judgments, reason, ruling, is_grave=is_grave, since=since)
            exclusion = chosen[0]
            close(case, State.EXCLUDED, ruling, exclusion.decision)
    return exclusion


def exclude_since(
    case: Case, since: datetime, ruling: Ruling, *, is_grave: bool = False
) -> Exclusion:
    """End a case by excluding what its contributor has judged from a moment on, and letting them
    judge no more: one decision, and what takes it back lets them judge again.

    Raises `ConflictError` as `exclude_for` does, and `ArenaError` where nothing counts since then.
    """
    counted = Judgment.objects.standing().not_excluded().filter(enrollment=case.enrollment_id)
    # Nobody goes on judging whose latest judgments are excluded, nor the other way round.
    with transaction.atomic():
        judgments = list(counted.filter(judged_at__gte=since).order_by("pk"))
        excluded = exclude_for(case, ruling, judgments=judgments, is_grave=is_grave, since=since)
        if case.enrollment.blocked_at is None:
            block_enrollment(case.enrollment, ruling.now)
    return excluded


def record(case: Case, act: str, ruling: Ruling) -> Decision:
    """Write down a decision about a case."""
    said = {"contributor": case.enrollment.pseudonym, "reason": case.reason}
    return record_decision(case.event, act, ruling, **said)


def close_all(case: Case, state: str, ruling: Ruling, decision: Decision | None) -> None:
    """Decide an open case, and with it all that are open about the same person. Raises
    `ConflictError` where it is decided already."""
    close(case, state, ruling, decision)
    close_others(case.enrollment, state, ruling, decision)


def close_others(
    enrollment: Enrollment, state: str, ruling: Ruling, decision: Decision | None
) -> None:
    """Decide whatever is open about somebody."""
    for other in Case.objects.waiting().filter(enrollment=enrollment):
        close(other, state, ruling, decision)


def close(case: Case, state: str, ruling: Ruling, decision: Decision | None) -> None:
    """Decide an open case. Raises `ConflictError` where it is decided already."""
    # Closes the race of two reviewers: one UPDATE finds it open.
    waiting = Case.objects.waiting().filter(pk=case.pk)
    changes = {"state": state, "decided_by": ruling.by, "decided_at": ruling.now}
    if not waiting.update(note=ruling.note.strip(), decision=decision, **changes):
        raise ConflictError(_("This case has been decided already."), "already_decided")


def exclude_on_review(
    enrollment: Enrollment, reason: str, ruling: Ruling, *, is_grave: bool = False
) -> Exclusion:
    """Exclude a contributor on a reviewer's own finding, with a case that says so; open ones about
    them end with it. Raises `ConflictError` where they are excluded already."""
    with transaction.atomic():
        exclusion = exclude(enrollment, reason, ruling, is_grave=is_grave)
        close_others(enrollment, State.EXCLUDED, ruling, exclusion.decision)
        Case.objects.create(
            event=enrollment.event,
            enrollment=enrollment,
            reason=Reason.REVIEW,
            state=State.EXCLUDED,
            judgments=count_judgments(enrollment),
            opened_at=ruling.now,
            opened_by=ruling.by,
            decided_at=ruling.now,
            decided_by=ruling.by,
            decision=exclusion.decision,
            note=ruling.note.strip(),
            exclusion=exclusion,
        )
    return exclusion


def exclude_automatically(event: Event, question: Question, now: datetime) -> None:
    """Exclude by the event's own rule; the case that is open, or a new one, says so."""
    note = _("By the event’s own rule: the controls failed, and no agreement with anybody.")
    enrollment = Enrollment.objects.get(pk=question.enrollment)
    open_cases(event, [question], now)
    case = Case.objects.filter(enrollment=enrollment, reason=question.reason).latest("pk")
    try:
        exclude_for(case, Ruling(None, now, note))
    except ConflictError:
        return  # a reviewer was faster


def find_reinstated(event: Event) -> set[int]:
    """Contributors whom a person has reinstated: the event's rule lets them be."""
    lifted = Exclusion.objects.filter(event=event, enrollment__isnull=False)
    return set(lifted.exclude(lifted_at=None).values_list("enrollment", flat=True))


def reinstate(exclusion: Exclusion, ruling: Ruling, act: str = Act.REINSTATED) -> None:
    """Lift an exclusion, and what the same decision excluded; the cases that ended so say it."""
    with transaction.atomic():
        if lift(exclusion, ruling, act) is None:
            return
        ended = Case.objects.filter(exclusion.find_cases(), state=State.EXCLUDED)
        changes = {"decided_by": ruling.by, "decided_at": ruling.now, "note": ruling.note.strip()}
        ended.update(state=State.REINSTATED, **changes)


def lift(exclusion: Exclusion, ruling: Ruling, act: str = Act.REINSTATED) -> Decision | None:
    """Lift an exclusion and what rests on the same decision, a block too; the decision that lifts
    it, or None where it was lifted already. In the caller's transaction."""
    lifted = lift_exclusion(exclusion, ruling, act)
    if lifted is not None and exclusion.decision is not None:
        # The same moment to the microsecond: they were blocked with it, and by nothing else.
        author, moment = exclusion.find_author(), exclusion.decision.made_at
        Enrollment.objects.filter(pk=author.pk, blocked_at=moment).update(blocked_at=None)
    return lifted


def undo(case: Case, ruling: Ruling) -> None:
    """Take back how a case was decided, and open it again with all that ended with it.

    Raises `ConflictError` where it is open, where a warning has been read, or where what followed
    was taken back otherwise.
    """
    with transaction.atomic():
        locked = Case.objects.select_for_update().get(pk=case.pk)
        take_back = TAKE_BACK.get(State(locked.state))
        if take_back is None:
            raise ConflictError(_("There is nothing to undo."), "nothing_decided")
        take_back(locked, ruling)
        together = Case.objects.filter(pk=case.pk)
        if locked.decision_id is not None:
            together |= Case.objects.filter(decision=locked.decision_id)
        reopened = {"decided_at": None, "decided_by": None, "decision": None, "exclusion": None}
        together.exclude(state=State.OPEN).update(state=State.OPEN, note="", **reopened)


def take_dismissal_back(case: Case, ruling: Ruling) -> None:
    """Open a dismissed case again."""
    record(case, Act.REOPENED, ruling)


def take_exclusion_back(case: Case, ruling: Ruling) -> None:
    """Lift what a case's decision excluded."""
    rows = Exclusion.objects.in_force().filter(decision=case.decision_id)
    first = rows.first() if case.decision_id else case.exclusion
    if first is None or lift(first, ruling) is None:
        raise ConflictError(_("This was lifted already."), "already_lifted")


def take_warning_back(case: Case, ruling: Ruling) -> None:
    """Withdraw a case's warning, unless it has been read."""
    withdraw_warning(case, ruling.now)
    record(case, Act.WARNING_WITHDRAWN, ruling)


def take_block_back(case: Case, ruling: Ruling) -> None:
    """Let a case's contributor judge again."""
    unblock_enrollment(case.enrollment)
    record(case, Act.UNBLOCKED, ruling)


TAKE_BACK = {
    State.DISMISSED: take_dismissal_back,
    State.EXCLUDED: take_exclusion_back,
    State.WARNED: take_warning_back,
    State.BLOCKED: take_block_back,
}


def count_automatic_exclusions(event: Event) -> int:
    """How many people the event has excluded by its own rule, reinstated ones among them."""
    alone = Exclusion.objects.filter(event=event, enrollment__isnull=False, created_by=None)
    return alone.filter(reason=Exclusion.Reason.UNRELIABLE).values("enrollment").distinct().count()


def count_judgments(enrollment: Enrollment) -> int:
    """How many judgments of theirs stand."""
    return Judgment.objects.standing().filter(enrollment=enrollment).count()

"""Opening cases, and deciding them: dismissed, or ended by an exclusion, by a person with a reason.

Nobody is asked twice: a question that is open, or that was dismissed, is raised again only once its
contributor has made twice as many judgments. Whom a person has reinstated is never excluded again
without one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from arena.errors import ArenaError, ConflictError
from arena.events.models import Enrollment, Event
from arena.judging.models import Case, Exclusion, Judgment
from arena.judging.review.exclusions import exclude, lift_exclusion
from arena.people.models import User

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


def dismiss(case: Case, *, by: User, now: datetime, note: str) -> None:
    """Say that there is nothing in it. Raises `ConflictError` where it is decided already."""
    if not close(case, State.DISMISSED, by=by, now=now, note=note):
        raise ConflictError(_("This case has been decided already."), "already_decided")


def exclude_for(case: Case, *, by: User | None, now: datetime, note: str) -> Exclusion:
    """End a case, and any other that is open about the same person, by excluding them.

    Raises `ConflictError` where it is decided already, or they are excluded.
    """
    reason = EXCLUSION_REASONS.get(Reason(case.reason), Exclusion.Reason.ORGANIZER)
    # A case that ends in an exclusion and the exclusion are there together.
    with transaction.atomic():
        if not close(case, State.EXCLUDED, by=by, now=now, note=note):
            raise ConflictError(_("This case has been decided already."), "already_decided")
        exclusion = exclude(case.enrollment, reason, by=by, now=now, note=note)
        Case.objects.filter(pk=case.pk).update(exclusion=exclusion)
        for other in Case.objects.waiting().filter(enrollment=case.enrollment_id):
            close(other, State.EXCLUDED, by=by, now=now, note=note)
    return exclusion


def close(case: Case, state: str, *, by: User | None, now: datetime, note: str) -> bool:
    """Decide an open case; whether it was open. Raises `ArenaError` without a reason."""
    if not note.strip():
        raise ArenaError(_("Say why."), "reason_missing")
    # Closes the race of two reviewers: one UPDATE finds it open.
    waiting = Case.objects.waiting().filter(pk=case.pk)
    return bool(waiting.update(state=state, decided_by=by, decided_at=now, note=note.strip()))


def exclude_on_review(
    enrollment: Enrollment, reason: str, *, by: User, now: datetime, note: str
) -> Exclusion:
    """Exclude a contributor on a reviewer's own finding, with a case that says so; open ones about
    them end with it. Raises `ConflictError` where they are excluded already."""
    with transaction.atomic():
        exclusion = exclude(enrollment, reason, by=by, now=now, note=note)
        waiting = Case.objects.waiting().filter(enrollment=enrollment)
        waiting.update(state=State.EXCLUDED, decided_by=by, decided_at=now, note=note)
        Case.objects.create(
            event=enrollment.event,
            enrollment=enrollment,
            reason=Reason.REVIEW,
            state=State.EXCLUDED,
            judgments=count_judgments(enrollment),
            opened_at=now,
            opened_by=by,
            decided_at=now,
            decided_by=by,
            note=note,
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
        exclude_for(case, by=None, now=now, note=note)
    except ConflictError:
        return  # a reviewer was faster


def find_reinstated(event: Event) -> set[int]:
    """Contributors whom a person has reinstated: the event's rule lets them be."""
    lifted = Exclusion.objects.filter(event=event, enrollment__isnull=False)
    return set(lifted.exclude(lifted_at=None).values_list("enrollment", flat=True))


def reinstate(exclusion: Exclusion, *, by: User, now: datetime, because: str) -> None:
    """Lift an exclusion; the case that ended in it says so."""
    with transaction.atomic():
        lift_exclusion(exclusion, by=by, now=now, because=because)
        ended = Case.objects.filter(enrollment=exclusion.enrollment_id, state=State.EXCLUDED)
        ended.update(state=State.REINSTATED, decided_by=by, decided_at=now, note=because)


def count_automatic_exclusions(event: Event) -> int:
    """How many people the event has excluded by its own rule, reinstated ones among them."""
    alone = Exclusion.objects.filter(event=event, enrollment__isnull=False, created_by=None)
    return alone.filter(reason=Exclusion.Reason.UNRELIABLE).values("enrollment").distinct().count()


def count_judgments(enrollment: Enrollment) -> int:
    """How many judgments of theirs stand."""
    return Judgment.objects.standing().filter(enrollment=enrollment).count()

"""Excluding judgments and contributors, and reinstating them.

An exclusion is a row with a reason. `Judgment.objects.counted()` follows it, and with it boards,
standings and exports; lifting it restores every number.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.models import Enrollment
from arena.judging.assigning import give_back_slots, take_slot
from arena.judging.models import Assignment, Exclusion, Judgment
from arena.people.models import User


def exclude_judgment(
    judgment: Judgment, reason: str, *, by: User | None, now: datetime, note: str = ""
) -> Exclusion:
    """Take one judgment out of everything that counts; its slot opens again.

    Raises `ConflictError` where it is excluded already.
    """
    return exclude(
        Exclusion(
            event=judgment.event,
            judgment=judgment,
            reason=reason,
            note=note,
            created_by=by,
            created_at=now,
        )
    )


def exclude_contributor(
    enrollment: Enrollment, reason: str, *, by: User | None, now: datetime, note: str = ""
) -> Exclusion:
    """Take everything of a contributor out, what is yet to come included.

    Raises `ConflictError` where they are excluded already.
    """
    return exclude(
        Exclusion(
            event=enrollment.event,
            enrollment=enrollment,
            reason=reason,
            note=note,
            created_by=by,
            created_at=now,
        )
    )


def exclude(exclusion: Exclusion) -> Exclusion:
    """Store an exclusion and open the slots of what it names."""
    try:
        # Closes the race of two reviewers: one exclusion of a thing is in force at a time.
        with transaction.atomic():
            exclusion.save(force_insert=True)
            give_back_slots(done_assignments(exclusion))
    except IntegrityError as error:
        raise ConflictError(_("This is excluded already."), "already_excluded") from error
    return exclusion


def lift_exclusion(exclusion: Exclusion, *, by: User | None, now: datetime) -> None:
    """Let what was excluded count again. Doing so twice is once.

    A slot that has gone to somebody else in the meantime is not taken away from them: the
    matchup then has one counted judgment more than its overlap.
    """
    # Closes the race of two reviewers: whoever updates the row in force does the rest.
    with transaction.atomic():
        in_force = Exclusion.objects.in_force().filter(pk=exclusion.pk)
        if not in_force.update(lifted_at=now, lifted_by=by):
            return
        counted = Judgment.objects.standing().not_excluded()
        assignments = done_assignments(exclusion).filter(judgments__in=counted, holds_slot=False)
        for assignment in assignments.select_related("matchup"):
            if assignment.matchup.role == assignment.matchup.Role.ORDINARY and take_slot(
                assignment.matchup_id
            ):
                Assignment.objects.filter(pk=assignment.pk).update(holds_slot=True)


def done_assignments(exclusion: Exclusion) -> QuerySet[Assignment]:
    """The answered assignments whose judgments an exclusion names."""
    named = (
        Q(judgments=exclusion.judgment_id)
        if exclusion.judgment_id
        else Q(enrollment=exclusion.enrollment_id)
    )
    return Assignment.objects.filter(named, state=Assignment.State.DONE)

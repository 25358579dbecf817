"""Skipping a matchup, or flagging it with what is wrong.

Both can be undone like an answer. Until then the matchup keeps its slot, so that whoever changes
their mind finds it unchanged, a control like any other.

Nobody is refused a skip, but many in a row cost time: whoever skips to look for something, such as
a control or a model they know, waits longer before each next matchup.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from arena.errors import ConflictError
from arena.events.models import Enrollment
from arena.judging.models import Assignment, Flag
from arena.judging.recording import (
    REVISION_GRACE,
    expire_duplicate_lease,
    explain_already_judged,
    finalize_skips,
)
from arena.judging.serving.slots import lock_matchups, release_slots

State = Assignment.State
FREE_SKIPS = 20
"""Skips in a row after which each further matchup comes after a pause."""
PAUSE_STEP = timedelta(seconds=5)
"""The first pause; each skip more makes it so much longer."""
MAX_PAUSE = timedelta(minutes=2)


@dataclass(frozen=True)
class Pause:
    """How long a contributor waits for the next matchup, and after how many skips in a row."""

    skips: int
    until: datetime


def find_pause(enrollment: Enrollment, now: datetime) -> Pause | None:
    """The pause that this contributor's skips cost, while it lasts; one statement, one index.

    Skips in a row are those since the last judgment in the order of what was served, whatever
    was skipped: a control costs as much as any other matchup, and reporting is skipping too.
    """
    enough = FREE_SKIPS + MAX_PAUSE // PAUSE_STEP
    decided = enrollment.assignments.filter(state__in=(State.SKIPPED, State.DONE))
    latest = decided.order_by("-ordinal").values_list("state", "finished_at")[:enough]
    skipped: list[datetime] = []
    for state, finished_at in latest:
        if state == State.DONE:
            break
        assert finished_at is not None
        skipped.append(finished_at)
    if len(skipped) < FREE_SKIPS:
        return None
    pause = min((len(skipped) - FREE_SKIPS + 1) * PAUSE_STEP, MAX_PAUSE)
    until = max(skipped) + pause
    return Pause(len(skipped), until) if until > now else None


def skip_assignment(assignment: Assignment, reason: str, *, now: datetime) -> None:
    """Skip a shown matchup, in time or late. Idempotent.

    Its slot is released once the skip can no longer be undone. Raises `ConflictError` if it is
    answered already.
    """
    # Closes the race with an answer from another tab: whoever finds the row undecided wins.
    with transaction.atomic():
        lock_matchups(Assignment.objects.filter(pk=assignment.pk))
        expire_duplicate_lease(assignment, now)
        skipped = mark_skipped(assignment, reason, now)
    assignment.refresh_from_db()
    if skipped:
        finalize_skips(assignment, now)
    elif assignment.state == State.DONE:
        raise ConflictError(explain_already_judged(assignment), "already_judged")


def mark_skipped(assignment: Assignment, reason: str, now: datetime) -> bool:
    """Set the assignment to skipped if it is undecided, inside the caller's transaction.

    If its lease has expired, its slot is gone and the skip cannot be undone.
    """
    this = Assignment.objects.filter(pk=assignment.pk)
    seconds = assignment.enrollment.event.undo_seconds
    until = now + timedelta(seconds=seconds) + REVISION_GRACE if seconds else now
    skipped = {"state": State.SKIPPED, "finished_at": now, "skip_reason": reason}
    if this.filter(state=State.SHOWN).update(**skipped, lease_until=until):
        if not seconds:
            release_slots(this)
        return True
    return bool(this.filter(state=State.EXPIRED).update(**skipped, lease_until=now))


def flag_assignment(assignment: Assignment, reason: str, note: str, *, now: datetime) -> None:
    """Flag a matchup, and skip it unless it was answered. Idempotent."""
    # Closes the race of two identical reports: the second finds the flag there.
    with transaction.atomic():
        flag, _made = Flag.objects.get_or_create(
            assignment=assignment, defaults={"reason": reason, "note": note, "created_at": now}
        )
        taken_back = Flag.objects.filter(pk=flag.pk, withdrawn_at__isnull=False)
        taken_back.update(reason=reason, note=note, created_at=now, withdrawn_at=None)
        try:
            skip_assignment(assignment, Assignment.SkipReason.FLAGGED, now=now)
        except ConflictError:
            # An answered matchup may be reported as well; its judgment stays.
            return

"""Excluding judgments and contributors, and reinstating them.

An exclusion is a row with a reason. `Judgment.objects.counted()` follows it, and with it boards,
standings and exports; lifting it restores every number.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.ledger import append_entries
from arena.events.models import Enrollment, Matchup
from arena.judging.ledger.kinds import EXCLUSION_KIND
from arena.judging.models import Assignment, Exclusion, Judgment
from arena.judging.serving.slots import (
    lock_matchups,
    recount_open_slots,
    release_slots,
)
from arena.people.models import User

State = Assignment.State


def exclude(
    subject: Judgment | Enrollment,
    reason: str,
    *,
    by: User | None,
    now: datetime,
    note: str = "",
) -> Exclusion:
    """Take a judgment, or everything of a contributor, out of what counts; slots open again.

    Of a contributor that includes what is yet to come. Raises `ConflictError` where the subject
    is excluded already.
    """
    exclusion = Exclusion(
        event=subject.event,
        judgment=subject if isinstance(subject, Judgment) else None,
        enrollment=subject if isinstance(subject, Enrollment) else None,
        reason=reason,
        note=note,
        created_by=by,
        created_at=now,
    )
    try:
        # Closes the race of two reviewers: one exclusion of a thing is in force at a time.
        with transaction.atomic():
            lock_enrollment(exclusion)
            exclusion.save(force_insert=True)
            append_entries(exclusion.event_id, EXCLUSION_KIND, [exclusion.pk])
            release_slots(filter_named_assignments(exclusion))
    except IntegrityError as error:
        raise ConflictError(_("This is already excluded."), "already_excluded") from error
    return exclusion


def lift_exclusion(
    exclusion: Exclusion, *, by: User | None, now: datetime, because: str = ""
) -> None:
    """Let what was excluded count again; the reason is kept with the note. Doing so twice is once.

    A slot that has gone to somebody else in the meantime is not taken away from them: the
    matchup then has one counted judgment more than its overlap, and wants no further one.
    """
    # Closes the race of two reviewers: whoever updates the row in force does the rest.
    with transaction.atomic():
        lock_enrollment(exclusion)
        in_force = Exclusion.objects.in_force().filter(pk=exclusion.pk)
        note = f"{exclusion.note}\n{because}".strip()
        if not in_force.update(lifted_at=now, lifted_by=by, note=note):
            return
        append_entries(exclusion.event_id, EXCLUSION_KIND, [exclusion.pk])
        named = filter_named_assignments(exclusion)
        lock_matchups(named)
        # An answer to one of them arriving now is waited for: the next statement sees it.
        rows = Assignment.objects.filter(pk__in=named.values("pk")).select_for_update(no_key=True)
        list(rows.values_list("pk", flat=True))
        counted = Judgment.objects.standing().not_excluded()
        holding = Q(state=State.DONE, judgments__in=counted) | Q(
            state__in=(State.RESERVED, State.SHOWN)
        )
        named.filter(holding, matchup__role=Matchup.Role.ORDINARY).update(holds_slot=True)
        recount_open_slots(Matchup.objects.filter(pk__in=named.values("matchup")))


def lock_enrollment(exclusion: Exclusion) -> None:
    """Keep an excluded contributor from being served until the caller's transaction ends."""
    if exclusion.enrollment_id:
        named = Enrollment.objects.filter(pk=exclusion.enrollment_id)
        list(named.select_for_update(no_key=True).values_list("pk", flat=True))


def filter_named_assignments(exclusion: Exclusion) -> QuerySet[Assignment]:
    """The assignments that an exclusion names: a judgment's, or all of a contributor."""
    if exclusion.judgment_id:
        return Assignment.objects.filter(judgments=exclusion.judgment_id)
    return Assignment.objects.filter(enrollment=exclusion.enrollment_id)

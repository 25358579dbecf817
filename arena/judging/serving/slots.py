"""The open slots of matchups: how many more judgments each of them wants.

`Matchup.open_slots` is the overlap minus the assignments that hold a slot. Row locks are taken in
one order everywhere: enrollment, then matchups by primary key, then assignments.
"""

from django.db import transaction
from django.db.models import (
    Count,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce, Greatest

from arena.events.models import Enrollment, Event, Matchup
from arena.judging.models import Assignment


def should_hold_slot(enrollment: Enrollment, matchup: Matchup) -> bool:
    """Whether an assignment counts towards the matchup's overlap: the matchup is ordinary and
    the contributor not excluded. (Both are queried in every case.)"""
    excluded = is_excluded(enrollment)
    return not excluded and matchup.role == Matchup.Role.ORDINARY


def is_excluded(enrollment: Enrollment) -> bool:
    """Whether an exclusion in force names this contributor."""
    return enrollment.exclusions.in_force().exists()


def take_slot(matchup_id: int, *, holds: bool) -> bool:
    """Check for an open slot and decrement it in one statement; controls never run out.

    If the assignment holds no slot, one must be open all the same and stays open. False if no
    slot is open, or if the matchup was retired since it was looked up (its import was undone).
    """
    exempt = ~Q(role=Matchup.Role.ORDINARY)
    wanted = Matchup.objects.filter(Q(open_slots__gt=0) | exempt, pk=matchup_id, retired_at=None)
    return bool(wanted.update(open_slots=Greatest(F("open_slots") - Value(int(holds)), 0)))


def release_slots(assignments: QuerySet[Assignment]) -> None:
    """Release the slots of these assignments, inside the caller's transaction. Idempotent."""
    matchups = lock_matchups(assignments)
    assignments.update(holds_slot=False)
    recount_open_slots(Matchup.objects.filter(pk__in=matchups))


def lock_matchups(assignments: QuerySet[Assignment]) -> list[int]:
    """Lock the matchups of these assignments until the caller's transaction ends; their ids."""
    matchups = Matchup.objects.filter(pk__in=assignments.order_by().values("matchup"))
    locked = matchups.order_by("pk").select_for_update(no_key=True)
    return list(locked.values_list("pk", flat=True))


def recount_open_slots(matchups: QuerySet[Matchup]) -> None:
    """Set the open slots of these matchups to the overlap minus the slots held.

    Inside the caller's transaction. The rows are locked first, so that the counting statement
    sees every slot taken or released until then (a PostgreSQL statement sees its start).
    """
    list(matchups.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    overlap = Event.objects.filter(pk=OuterRef("event")).values("overlap")
    holding = Assignment.objects.filter(matchup=OuterRef("pk"), holds_slot=True).order_by()
    held = holding.values("matchup").annotate(count=Count("pk")).values("count")
    left = Subquery(overlap) - Coalesce(Subquery(held), 0)
    ordinary = matchups.filter(role=Matchup.Role.ORDINARY)
    ordinary.update(open_slots=Greatest(left, 0, output_field=IntegerField()))


def change_overlap(event: Event, overlap: int) -> None:
    """Change the number of judgments wanted per ordinary matchup; existing judgments stay."""
    # Closes the race with people being served: nobody takes a slot between the two statements.
    with transaction.atomic():
        Event.objects.filter(pk=event.pk).update(overlap=overlap)
        recount_open_slots(Matchup.objects.filter(event=event, role=Matchup.Role.ORDINARY))
    event.overlap = overlap

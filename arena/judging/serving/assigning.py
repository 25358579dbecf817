"""Choosing the matchup a contributor judges next, and leasing it to them.

Controls take the same path as ordinary matchups statement by statement: both kinds of candidate
are looked up on every turn, and taking one is the same UPDATE, so that neither the number of
statements nor their time tells a control.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db import IntegrityError, transaction
from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce, Greatest

from arena.events.models import Enrollment, Event, Guidelines, Matchup
from arena.judging.models import Assignment, AssignmentQuerySet, Judgment
from arena.judging.serving.schedule import is_control_turn

# Number of candidate matchups fetched per turn; they are tried in random order.
CANDIDATE_WINDOW = 12
# Attempts to lease one of the candidates before giving up, when others lease them first.
MAX_ATTEMPTS = 8


@dataclass(frozen=True)
class Turn:
    """One contributor's turn to be served a matchup: everything the choice depends on."""

    event: Event
    enrollment: Enrollment
    ordinal: int
    now: datetime
    rng: Random


def next_assignment(enrollment: Enrollment, rng: Random, now: datetime) -> Assignment | None:
    """The contributor's current assignment, or a newly leased one; None if nothing is left."""
    expire_lapsed_leases(Assignment.objects.filter(enrollment=enrollment), now)
    for _ in range(MAX_ATTEMPTS):
        shown = get_shown_assignment(enrollment)
        if shown is not None:
            return shown
        enrollment.refresh_from_db(fields=["served"])
        turn = Turn(enrollment.event, enrollment, enrollment.served + 1, now, rng)
        candidates = choose_candidates(turn)
        if not candidates:
            return None
        for matchup in candidates:
            try:
                assignment = lease_matchup(turn, matchup)
            except IntegrityError:
                # Another tab of the same person was faster: resume what it was given.
                break
            if assignment is not None:
                return assignment
    return get_shown_assignment(enrollment)


def get_shown_assignment(enrollment: Enrollment) -> Assignment | None:
    """The contributor's shown assignment; a unique index allows one at a time."""
    return Assignment.objects.filter(enrollment=enrollment, state=Assignment.State.SHOWN).first()


def get_lease_duration(event: Event) -> timedelta:
    """How long a shown matchup stays leased."""
    return timedelta(minutes=event.lease_minutes)


def choose_candidates(turn: Turn) -> list[Matchup]:
    """Candidates in the order to try them; empty if this contributor has judged everything."""
    controls = sample_window(filter_unmet(turn, Matchup.Role.CONTROL), turn.rng)
    ordinary = find_ordinary_candidates(turn, gap=True) or find_ordinary_candidates(turn, gap=False)
    wants_control = is_control_turn(
        turn.event.secret, str(turn.enrollment.public_id), turn.ordinal, turn.event.control_interval
    )
    if wants_control and controls and ordinary:
        return controls
    return ordinary


def find_ordinary_candidates(turn: Turn, *, gap: bool) -> list[Matchup]:
    """A random window of ordinary matchups with open slots that this contributor has not met.

    `gap` leaves out their recent prompts. With the choice "coverage" only the matchups with the
    most open slots are candidates; with "uniform" any matchup with an open slot is.
    """
    matchups = filter_unmet(turn, Matchup.Role.ORDINARY)
    if gap:
        matchups = matchups.exclude(record__in=list_recent_records(turn))
    matchups = matchups.filter(open_slots__gt=0)
    if turn.event.choosing == Event.Choosing.COVERAGE:
        most = matchups.order_by("-open_slots").values_list("open_slots", flat=True).first()
        matchups = matchups.filter(open_slots=most or 0)
    return sample_window(matchups, turn.rng)


def filter_unmet(turn: Turn, role: str) -> QuerySet[Matchup]:
    """Matchups in service that this contributor was not assigned (unless expired) or judged."""
    given = Assignment.objects.filter(matchup=OuterRef("pk"), enrollment=turn.enrollment).exclude(
        state=Assignment.State.EXPIRED
    )
    judged = Judgment.objects.standing().filter(matchup=OuterRef("pk"), enrollment=turn.enrollment)
    in_service = Matchup.objects.serving().filter(event=turn.event, role=role)
    return in_service.filter(~Exists(given), ~Exists(judged))


def list_recent_records(turn: Turn) -> list[int]:
    """Ids of the records of this contributor's last assignments, whose prompts must not recur."""
    recent = Assignment.objects.filter(enrollment=turn.enrollment).order_by("-ordinal")
    return list(recent.values_list("matchup__record_id", flat=True)[: turn.event.recurrence_gap])


def sample_window(matchups: QuerySet[Matchup], rng: Random) -> list[Matchup]:
    """A window of matchups from a random start of their fixed shuffled order, then shuffled.

    Always two statements, wherever it starts, so that their number reveals nothing.
    """
    start = rng.random()
    ring = matchups.order_by("shuffle")
    after = list(ring.filter(shuffle__gte=start)[:CANDIDATE_WINDOW])
    found = (after + list(ring.filter(shuffle__lt=start)[:CANDIDATE_WINDOW]))[:CANDIDATE_WINDOW]
    rng.shuffle(found)
    return found


def lease_matchup(turn: Turn, matchup: Matchup) -> Assignment | None:
    """Lease the matchup to this contributor; None if its last slot has just been taken.

    Raises `IntegrityError` if another tab of the same contributor has used this turn.
    """
    order = list(range(matchup.places.count()))
    turn.rng.shuffle(order)
    # Closes three races: the last open slot (row count of `take_slot`), two tabs of one person
    # (unique ordinal, one shown), and an exclusion made now (it locks the enrollment, too). All
    # of it happens or nothing.
    with transaction.atomic():
        Enrollment.objects.filter(pk=turn.enrollment.pk).update(served=turn.ordinal)
        holds = should_hold_slot(turn.enrollment, matchup)
        if not take_slot(matchup.pk, holds=holds):
            transaction.set_rollback(True)
            return None
        return Assignment.objects.create(
            enrollment=turn.enrollment,
            matchup=matchup,
            ordinal=turn.ordinal,
            order=order,
            state=Assignment.State.SHOWN,
            holds_slot=holds,
            guidelines=get_latest_guidelines(turn.event),
            reserved_at=turn.now,
            shown_at=turn.now,
            lease_until=turn.now + get_lease_duration(turn.event),
        )


def should_hold_slot(enrollment: Enrollment, matchup: Matchup) -> bool:
    """Whether an assignment counts towards the matchup's overlap: the matchup is ordinary and
    the contributor not excluded. (Both are queried in every case.)"""
    excluded = enrollment.exclusions.in_force().exists()
    return not excluded and matchup.role == Matchup.Role.ORDINARY


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
    assignments.update(holds_slot=False)
    recount_open_slots(Matchup.objects.filter(pk__in=assignments.values("matchup")))


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


def get_latest_guidelines(event: Event) -> Guidelines | None:
    """The guidelines in force: the latest version."""
    return event.guidelines.order_by("-version").first()


def expire_lapsed_leases(assignments: AssignmentQuerySet, now: datetime) -> int:
    """Expire the leases that have run out and release their slots; returns how many."""
    return expire_leases(assignments.lapsed(now), now)


def expire_leases(leases: AssignmentQuerySet, now: datetime) -> int:
    """Expire these live leases and release their slots; returns how many."""
    ended = 0
    for pk in leases.values_list("pk", flat=True):
        # Closes the race with an answer arriving now: whoever updates the live row first wins.
        with transaction.atomic():
            if leases.filter(pk=pk).update(state=Assignment.State.EXPIRED, finished_at=now):
                release_slots(Assignment.objects.filter(pk=pk))
                ended += 1
    return ended


def release_skipped_slots(now: datetime) -> int:
    """Release the slots of skips that can no longer be undone; returns how many."""
    released = 0
    for pk in Assignment.objects.unreleased_skips(now).values_list("pk", flat=True):
        # Closes the race with an answer arriving now: it takes the slot itself.
        with transaction.atomic():
            if Assignment.objects.unreleased_skips(now).filter(pk=pk).update(holds_slot=False):
                release_slots(Assignment.objects.filter(pk=pk))
                released += 1
    return released

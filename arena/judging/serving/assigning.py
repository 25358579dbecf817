"""Which matchup a contributor judges next, and the lease on it.

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

# Candidates fetched at once; one of them at random is tried first.
WINDOW = 12
# Tries before a contributor whose every candidate was snatched is told to come back.
TRIES = 8


@dataclass(frozen=True)
class Turn:
    """A contributor's turn to be served: everything the choice depends on."""

    event: Event
    enrollment: Enrollment
    ordinal: int
    now: datetime
    rng: Random


def next_assignment(enrollment: Enrollment, rng: Random, now: datetime) -> Assignment | None:
    """The assignment this contributor is to work on, shown from now on; None: nothing is left.

    Resumes what is shown, else draws a new one.
    """
    expire_lapsed(Assignment.objects.filter(enrollment=enrollment), now)
    for _ in range(TRIES):
        shown = shown_assignment(enrollment)
        if shown is not None:
            return shown
        enrollment.refresh_from_db(fields=["served"])
        turn = Turn(enrollment.event, enrollment, enrollment.served + 1, now, rng)
        candidates = choose(turn)
        if not candidates:
            return None
        for matchup in candidates:
            try:
                assignment = take(turn, matchup)
            except IntegrityError:
                # Another tab of the same person was faster: resume what it was given.
                break
            if assignment is not None:
                return assignment
    return shown_assignment(enrollment)


def shown_assignment(enrollment: Enrollment) -> Assignment | None:
    """What this contributor has on the screen; one at a time, the unique index says so."""
    return Assignment.objects.filter(enrollment=enrollment, state=Assignment.State.SHOWN).first()


def lease_of(event: Event) -> timedelta:
    """How long a shown matchup is held."""
    return timedelta(minutes=event.lease_minutes)


def choose(turn: Turn) -> list[Matchup]:
    """Candidates in the order in which to try them; empty: this person has judged everything."""
    controls = around(unmet(turn, Matchup.Role.CONTROL), turn.rng)
    ordinary = ordinary_candidates(turn, gap=True) or ordinary_candidates(turn, gap=False)
    wants_control = is_control_turn(
        turn.event.secret, str(turn.enrollment.public_id), turn.ordinal, turn.event.control_interval
    )
    if wants_control and controls and ordinary:
        return controls
    return ordinary


def ordinary_candidates(turn: Turn, *, gap: bool) -> list[Matchup]:
    """Open ordinary matchups that this person has not met, from a random place on.

    With coverage the fewest judged come first; uniform takes no notice of how many are missing.
    """
    matchups = unmet(turn, Matchup.Role.ORDINARY)
    if gap:
        matchups = matchups.exclude(record__in=recent_records(turn))
    matchups = matchups.filter(open_slots__gt=0)
    if turn.event.choosing == Event.Choosing.COVERAGE:
        most = matchups.order_by("-open_slots").values_list("open_slots", flat=True).first()
        matchups = matchups.filter(open_slots=most or 0)
    return around(matchups, turn.rng)


def unmet(turn: Turn, role: str) -> QuerySet[Matchup]:
    """Matchups in service that this person neither was given (unless it expired) nor judged."""
    given = Assignment.objects.filter(matchup=OuterRef("pk"), enrollment=turn.enrollment).exclude(
        state=Assignment.State.EXPIRED
    )
    judged = Judgment.objects.standing().filter(matchup=OuterRef("pk"), enrollment=turn.enrollment)
    in_service = Matchup.objects.serving().filter(event=turn.event, role=role)
    return in_service.filter(~Exists(given), ~Exists(judged))


def recent_records(turn: Turn) -> list[int]:
    """Records of this person's last assignments: their prompts do not recur yet."""
    recent = Assignment.objects.filter(enrollment=turn.enrollment).order_by("-ordinal")
    return list(recent.values_list("matchup__record_id", flat=True)[: turn.event.recurrence_gap])


def around(matchups: QuerySet[Matchup], rng: Random) -> list[Matchup]:
    """A window of matchups beginning at a random place of their fixed shuffle, in random order.

    Always two statements, wherever it begins: their number tells nothing.
    """
    start = rng.random()
    ring = matchups.order_by("shuffle")
    after = list(ring.filter(shuffle__gte=start)[:WINDOW])
    found = (after + list(ring.filter(shuffle__lt=start)[:WINDOW]))[:WINDOW]
    rng.shuffle(found)
    return found


def take(turn: Turn, matchup: Matchup) -> Assignment | None:
    """Lease the matchup to this person; None where its last slot has just gone.

    Raises `IntegrityError` where this person's other tab has taken this turn.
    """
    order = list(range(matchup.places.count()))
    turn.rng.shuffle(order)
    # Closes three races: the last open slot (row count of `take_slot`), two tabs of one person
    # (unique ordinal, one shown), and an exclusion made now (it locks the enrollment, too). All
    # of it happens or nothing.
    with transaction.atomic():
        Enrollment.objects.filter(pk=turn.enrollment.pk).update(served=turn.ordinal)
        holds = holds_slot(turn.enrollment, matchup)
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
            guidelines=latest_guidelines(turn.event),
            reserved_at=turn.now,
            shown_at=turn.now,
            lease_until=turn.now + lease_of(turn.event),
        )


def holds_slot(enrollment: Enrollment, matchup: Matchup) -> bool:
    """Whether an assignment counts towards the matchup's overlap: it is ordinary, and this
    person is not excluded. (Both are looked at for everybody.)"""
    excluded = enrollment.exclusions.in_force().exists()
    return not excluded and matchup.role == Matchup.Role.ORDINARY


def take_slot(matchup_id: int, *, holds: bool) -> bool:
    """Take an open slot, checked and decremented in one statement; controls never run out.

    Where the assignment holds none, a slot has to be open all the same and stays so. Nothing is
    taken that was retired after it was looked up: its import may have been taken back.
    """
    exempt = ~Q(role=Matchup.Role.ORDINARY)
    wanted = Matchup.objects.filter(Q(open_slots__gt=0) | exempt, pk=matchup_id, retired_at=None)
    return bool(wanted.update(open_slots=Greatest(F("open_slots") - Value(int(holds)), 0)))


def give_back_slots(assignments: QuerySet[Assignment]) -> None:
    """Let these assignments hold no slot, inside the caller's transaction; twice is once."""
    assignments.update(holds_slot=False)
    count_slots(Matchup.objects.filter(pk__in=assignments.values("matchup")))


def count_slots(matchups: QuerySet[Matchup]) -> None:
    """Open as many slots of these matchups as overlap leaves beside those that are held.

    Inside the caller's transaction: the rows are locked first, so that the statement that counts
    sees whatever was taken or given back until then (PostgreSQL counts as of its beginning).
    """
    list(matchups.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    overlap = Event.objects.filter(pk=OuterRef("event")).values("overlap")
    holding = Assignment.objects.filter(matchup=OuterRef("pk"), holds_slot=True).order_by()
    held = holding.values("matchup").annotate(count=Count("pk")).values("count")
    left = Subquery(overlap) - Coalesce(Subquery(held), 0)
    ordinary = matchups.filter(role=Matchup.Role.ORDINARY)
    ordinary.update(open_slots=Greatest(left, 0, output_field=IntegerField()))


def change_overlap(event: Event, overlap: int) -> None:
    """Want another number of judgments for each ordinary matchup; what is there stays."""
    # Closes the race with people being served: nobody takes a slot between the two statements.
    with transaction.atomic():
        Event.objects.filter(pk=event.pk).update(overlap=overlap)
        count_slots(Matchup.objects.filter(event=event, role=Matchup.Role.ORDINARY))
    event.overlap = overlap


def latest_guidelines(event: Event) -> Guidelines | None:
    """The version of the guidelines in force."""
    return event.guidelines.order_by("-version").first()


def expire_lapsed(assignments: AssignmentQuerySet, now: datetime) -> int:
    """End the leases that have run out and give their slots back; returns how many ended."""
    return expire(assignments.lapsed(now), now)


def expire(leases: AssignmentQuerySet, now: datetime) -> int:
    """End these live leases and give their slots back; returns how many ended."""
    ended = 0
    for pk in leases.values_list("pk", flat=True):
        # Closes the race with an answer arriving now: whoever updates the live row first wins.
        with transaction.atomic():
            if leases.filter(pk=pk).update(state=Assignment.State.EXPIRED, finished_at=now):
                give_back_slots(Assignment.objects.filter(pk=pk))
                ended += 1
    return ended


def release_skips(now: datetime) -> int:
    """Give back the slots of skips that can no longer be undone; returns how many."""
    released = 0
    for pk in Assignment.objects.settled_skips(now).values_list("pk", flat=True):
        # Closes the race with an answer arriving now: it takes the slot itself.
        with transaction.atomic():
            if Assignment.objects.settled_skips(now).filter(pk=pk).update(holds_slot=False):
                give_back_slots(Assignment.objects.filter(pk=pk))
                released += 1
    return released

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
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest

from arena.events.models import Enrollment, Event, Guidelines, Matchup
from arena.judging.models import Assignment, AssignmentQuerySet, Judgment
from arena.judging.schedule import is_control_turn

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
    if turn.event.choosing == Event.Choosing.UNIFORM:
        return around(matchups.filter(open_slots__gt=0), turn.rng)
    for slots in range(turn.event.overlap, 0, -1):
        found = around(matchups.filter(open_slots=slots), turn.rng)
        if found:
            return found
    return []


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
    """A window of matchups beginning at a random place of their fixed shuffle, in random order."""
    start = rng.random()
    ring = matchups.order_by("shuffle")
    found = list(ring.filter(shuffle__gte=start)[:WINDOW])
    found += list(ring.filter(shuffle__lt=start)[: WINDOW - len(found)])
    rng.shuffle(found)
    return found


def take(turn: Turn, matchup: Matchup) -> Assignment | None:
    """Lease the matchup to this person; None where its last slot has just gone.

    Raises `IntegrityError` where this person's other tab has taken this turn.
    """
    order = list(range(matchup.places.count()))
    turn.rng.shuffle(order)
    is_ordinary = matchup.role == Matchup.Role.ORDINARY
    # Closes two races: the last open slot (row count of `take_slot`) and two tabs of one person
    # (unique ordinal, one shown). All of it happens or nothing.
    with transaction.atomic():
        if not take_slot(matchup.pk):
            return None
        Enrollment.objects.filter(pk=turn.enrollment.pk).update(served=turn.ordinal)
        return Assignment.objects.create(
            enrollment=turn.enrollment,
            matchup=matchup,
            ordinal=turn.ordinal,
            order=order,
            state=Assignment.State.SHOWN,
            holds_slot=is_ordinary,
            guidelines=latest_guidelines(turn.event),
            reserved_at=turn.now,
            shown_at=turn.now,
            lease_until=turn.now + lease_of(turn.event),
        )


def take_slot(matchup_id: int) -> bool:
    """Take an open slot, checked and decremented in one statement; controls never run out."""
    exempt = ~Q(role=Matchup.Role.ORDINARY)
    wanted = Matchup.objects.filter(Q(open_slots__gt=0) | exempt, pk=matchup_id)
    return bool(wanted.update(open_slots=slots_after(-1)))


def slots_after(change: int) -> Case:
    """The open slots after a change, as an expression; exempt matchups stay as they are."""
    return Case(
        When(role=Matchup.Role.ORDINARY, then=F("open_slots") + Value(change)),
        default=F("open_slots"),
        output_field=IntegerField(),
    )


def give_back_slots(assignments: QuerySet[Assignment]) -> None:
    """Return the slots these assignments hold, each at most once.

    The caller's transaction closes the race with whoever else gives them back.
    """
    held = list(
        assignments.filter(holds_slot=True).select_for_update().values_list("pk", "matchup_id")
    )
    for pk, matchup_id in held:
        if Assignment.objects.filter(pk=pk, holds_slot=True).update(holds_slot=False):
            Matchup.objects.filter(pk=matchup_id).update(open_slots=slots_after(+1))


def change_overlap(event: Event, overlap: int) -> None:
    """Want another number of judgments for each ordinary matchup; what is there stays.

    Closes the race with people being served: slots are counted and set in one statement.
    """
    holding = Assignment.objects.filter(matchup=OuterRef("pk"), holds_slot=True).order_by()
    held = holding.values("matchup").annotate(count=Count("pk")).values("count")
    left = Value(overlap) - Coalesce(Subquery(held), 0)
    with transaction.atomic():
        Event.objects.filter(pk=event.pk).update(overlap=overlap)
        ordinary = Matchup.objects.filter(event=event, role=Matchup.Role.ORDINARY)
        ordinary.update(open_slots=Greatest(left, 0, output_field=IntegerField()))
    event.overlap = overlap


def latest_guidelines(event: Event) -> Guidelines | None:
    """The version of the guidelines in force."""
    return event.guidelines.order_by("-version").first()


def expire_lapsed(assignments: AssignmentQuerySet, now: datetime) -> int:
    """End the leases that have run out and give their slots back; returns how many ended."""
    ended = 0
    for pk in assignments.lapsed(now).values_list("pk", flat=True):
        # Closes the race with an answer arriving now: whoever updates the live row first wins.
        with transaction.atomic():
            row = Assignment.objects.lapsed(now).filter(pk=pk)
            if row.update(state=Assignment.State.EXPIRED, finished_at=now):
                give_back_slots(Assignment.objects.filter(pk=pk))
                ended += 1
    return ended

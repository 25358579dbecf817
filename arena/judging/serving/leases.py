"""Leasing matchups to contributors: built in chunks, shown one by one, given back in time.

A chunk of reserves is made by one transaction; showing the next of them is one indexed read and
one update, whatever the event has and whatever has been judged. Controls are among the reserves
from the beginning, so that a request that shows one does the same as any other.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from django.db import transaction
from django.db.models import Max

from arena.events.current_rules import EventRules, get_rules
from arena.events.models import Enrollment, Event, Matchup
from arena.judging.models import Assignment, AssignmentQuerySet
from arena.judging.serving.choice import (
    Candidate,
    SpecialPool,
    Turn,
    find_ordinary,
)
from arena.judging.serving.chunk_sql import lock_served, set_served, store_reserves, take_slots
from arena.judging.serving.hot_path_sql import read_head, show_next_reserve
from arena.judging.serving.slots import (
    lock_matchups,
    recount_open_slots,
    release_slots,
)

State = Assignment.State
CHUNK_SIZE = 10
# A reserve returns after so long without a request of the contributor's.
RESERVE_LEASE = timedelta(minutes=10)
# A chunk takes at most this part of the open slots there are for each active contributor.
CHUNK_SHARE = 4
# Attempts to build a chunk before giving up, when others take every candidate first.
MAX_ATTEMPTS = 8
# Reserves of others that are tried when nothing else is left.
TAKE_OVER_CANDIDATES = 5


def next_assignment(
    enrollment: Enrollment, rng: Random, now: datetime, rules: EventRules | None = None
) -> Assignment | None:
    """The contributor's current assignment, or the next one, shown from now on; None if nothing
    is left. `rules` are the event's, where they have just been read."""
    rules = rules or get_rules(enrollment.event)
    for _ in range(MAX_ATTEMPTS):
        shown = show_next(enrollment, rules, now)
        if shown is not None:
            return shown
        head = read_head(enrollment)
        if head is None:
            turn = Turn(enrollment.event, enrollment, enrollment.served + 1, now, rng)
            if not build_chunk(turn) and not take_over_reserve(turn):
                return None
        elif head.state == State.RESERVED:
            # Out of service, or shown by another tab since.
            return_reserves(Assignment.objects.filter(pk=head.pk))
        elif head.lease_until > now:
            return head
        else:
            expire_leases(Assignment.objects.filter(pk=head.pk), now)
    return get_shown_assignment(enrollment)


def show_next(enrollment: Enrollment, rules: EventRules, now: datetime) -> Assignment | None:
    """Show the next reserve from now on, under the guidelines in force; None if there is none
    that can be shown."""
    lease_until = now + get_lease_duration(enrollment.event)
    return show_next_reserve(enrollment, rules.versions.guidelines_id, now, lease_until)


def get_shown_assignment(enrollment: Enrollment) -> Assignment | None:
    """The contributor's shown assignment; a unique index allows one at a time."""
    return Assignment.objects.filter(enrollment=enrollment, state=State.SHOWN).first()


def get_lease_duration(event: Event) -> timedelta:
    """How long a shown matchup stays leased."""
    return timedelta(minutes=event.lease_minutes)


# --- building -----------------------------------------------------------------------------------
def build_chunk(turn: Turn) -> bool:
    """Reserve the next matchups for this contributor; False if there are none to be had.

    True as well where another tab of theirs has built one in the meantime.
    """
    for _ in range(MAX_ATTEMPTS):
        # Closes two races: two tabs of one person, and an exclusion made now (both lock the
        # enrollment). Slots are taken and reserves written together or not at all.
        with transaction.atomic():
            turn = lock_turn(turn)
            if turn.state.has_live:
                return True
            size = get_chunk_size(turn)
            candidates = find_ordinary(turn, size)
            if not candidates:
                return False
            if reserve(turn, candidates[:size]):
                return True
    return False


def lock_turn(turn: Turn) -> Turn:
    """Lock the enrollment until the caller's transaction ends; the turn as it is then."""
    return replace(turn, ordinal=lock_served(turn.enrollment.pk) + 1)


def get_chunk_size(turn: Turn) -> int:
    """How many matchups to reserve at once: fewer near the end, so that nobody hoards it."""
    share = turn.state.open_slots // (CHUNK_SHARE * max(1, turn.state.active))
    return max(1, min(CHUNK_SIZE, share))


def reserve(turn: Turn, candidates: list[Candidate]) -> int:
    """Take slots of these candidates and write the reserves, controls among them as the schedule
    says; returns how many. Inside the transaction that locked the turn."""
    holds = not turn.state.is_excluded
    taken = take_slots([candidate.matchup.pk for candidate in candidates], holds=holds)
    ordinary = [candidate for candidate in candidates if candidate.matchup.pk in taken]
    if not ordinary:
        return 0
    chunk = lay_out(turn, ordinary)
    store_reserves(
        build_reserve(turn, ordinal, candidate, holds=holds) for ordinal, candidate in chunk
    )
    set_served(turn.enrollment.pk, chunk[-1][0])
    turn.enrollment.served = chunk[-1][0]
    return len(chunk)


def lay_out(turn: Turn, ordinary: list[Candidate]) -> list[tuple[int, Candidate]]:
    """The ordinals of a chunk and their matchups: where the schedule has a control or an anchor,
    one of the pool comes before the ordinary matchup whose turn it is, with that one's
    probability."""
    pool = SpecialPool(turn)
    used = {candidate.matchup.record_id for candidate in ordinary}
    chunk: list[tuple[int, Candidate]] = []
    ordinal = turn.ordinal
    for candidate in ordinary:
        while (role := turn.find_role(ordinal)) != Matchup.Role.ORDINARY:
            special = pool.draw(role, candidate.matchup, used)
            if special is None:
                break
            used.add(special.record_id)
            chunk.append((ordinal, replace(candidate, matchup=special)))
            ordinal += 1
        chunk.append((ordinal, candidate))
        ordinal += 1
    return chunk


def build_reserve(turn: Turn, ordinal: int, candidate: Candidate, *, holds: bool) -> Assignment:
    """A reserve with the order of its sides drawn."""
    matchup = candidate.matchup
    order = list(range(len(matchup.response_ids())))
    turn.rng.shuffle(order)
    return Assignment(
        enrollment=turn.enrollment,
        matchup=matchup,
        ordinal=ordinal,
        order=order,
        state=State.RESERVED,
        holds_slot=holds and matchup.role == Matchup.Role.ORDINARY,
        reserved_at=turn.now,
        lease_until=turn.now + RESERVE_LEASE,
        probability=candidate.probability,
    )


def take_over_reserve(turn: Turn) -> bool:
    """Take the oldest reserve of somebody else that this contributor can judge; False if none.

    It was reserved and never shown: whoever held it goes on with their next one. A reserve of an
    excluded contributor holds no slot that could be taken over.
    """
    unmet = turn.list_unmet(Matchup.Role.ORDINARY).as_subquery()
    reserves = Assignment.objects.filter(
        state=State.RESERVED, holds_slot=True, enrollment__event=turn.event, matchup__in=unmet
    ).exclude(enrollment=turn.enrollment)
    for other in reserves.select_related("matchup").order_by("reserved_at", "pk")[
        :TAKE_OVER_CANDIDATES
    ]:
        # Closes the race with its holder, who is being shown it, and with another taker: whoever
        # changes the row first has it.
        with transaction.atomic():
            turn = lock_turn(turn)
            if return_reserves(Assignment.objects.filter(pk=other.pk)) and reserve(
                turn, [Candidate(other.matchup)]
            ):
                return True
    return False


# --- giving back --------------------------------------------------------------------------------
def return_reserves(reserves: AssignmentQuerySet) -> int:
    """Delete these reserves, which nobody has seen, and release their slots; returns how many."""
    # Closes the race with their being shown: a row that is no longer reserved stays.
    with transaction.atomic():
        matchups = lock_matchups(reserves.filter(state=State.RESERVED))
        unseen = reserves.filter(state=State.RESERVED, matchup__in=matchups).order_by("pk")
        mine = list(unseen.select_for_update(of=("self",)).values_list("pk", flat=True))
        Assignment.objects.filter(pk__in=mine).delete()
        recount_open_slots(Matchup.objects.filter(pk__in=matchups))
    return len(mine)


def return_idle_reserves(now: datetime) -> int:
    """Return the reserves of events that are not open, and of contributors who have asked for
    nothing for a while; returns how many."""
    reserved = Assignment.objects.filter(state=State.RESERVED)
    events = Event.objects.filter(enrollments__assignments__in=reserved).distinct()
    closed = [event.pk for event in events if not event.is_open(now)]
    idle = reserved.filter(lease_until__lte=now) | reserved.filter(enrollment__event__in=closed)
    people = Enrollment.objects.filter(pk__in=idle.values("enrollment"))
    return sum(
        return_reserves_of(person, now, closed=person.event_id in closed) for person in people
    )


def return_reserves_of(enrollment: Enrollment, now: datetime, *, closed: bool) -> int:
    """Return one contributor's reserves, unless they are at work; their schedule of controls
    goes on after the last matchup they have seen."""
    mine = Assignment.objects.filter(enrollment=enrollment)
    # Closes the race with a chunk being built: both lock the enrollment.
    with transaction.atomic():
        list(Enrollment.objects.filter(pk=enrollment.pk).select_for_update(no_key=True))
        seen = mine.aggregate(shown=Max("shown_at"), finished=Max("finished_at"))
        last = max(filter(None, seen.values()), default=None)
        if not closed and last is not None and last + RESERVE_LEASE > now:
            mine.filter(state=State.RESERVED).update(lease_until=last + RESERVE_LEASE)
            return 0
        returned = return_reserves(mine)
        served = mine.aggregate(served=Max("ordinal"))["served"] or 0
        Enrollment.objects.filter(pk=enrollment.pk).update(served=served)
    return returned


def expire_lapsed_leases(assignments: AssignmentQuerySet, now: datetime) -> int:
    """Expire the leases that have run out and release their slots; returns how many."""
    return expire_leases(assignments.lapsed(now), now)


def expire_leases(leases: AssignmentQuerySet, now: datetime) -> int:
    """Expire those of these leases that are live, and release their slots; returns how many."""
    ended = 0
    for pk in leases.live().values_list("pk", flat=True):
        this = Assignment.objects.filter(pk=pk)
        # Closes the race with an answer arriving now: whoever changes the live row first wins. It
        # is looked at again once it is locked; an update would not do so where rows are joined.
        with transaction.atomic():
            lock_matchups(this)
            still = leases.live().filter(pk=pk).order_by().select_for_update(of=("self",))
            if still.values_list("pk", flat=True):
                this.update(state=State.EXPIRED, finished_at=now)
                release_slots(this)
                ended += 1
    return ended


def release_skipped_slots(now: datetime) -> int:
    """Release the slots of skips that can no longer be undone; returns how many."""
    released = 0
    for pk in Assignment.objects.unreleased_skips(now).values_list("pk", flat=True):
        this = Assignment.objects.filter(pk=pk)
        # Closes the race with an answer arriving now: it takes the slot itself.
        with transaction.atomic():
            lock_matchups(this)
            if Assignment.objects.unreleased_skips(now).filter(pk=pk).update(holds_slot=False):
                release_slots(this)
                released += 1
    return released


def end_live_assignments(enrollments: Iterable[Enrollment], now: datetime) -> None:
    """Return every reserve of these contributors and expire what they are shown."""
    mine = Assignment.objects.filter(enrollment__in=list(enrollments))
    return_reserves(mine)
    expire_leases(mine.live(), now)

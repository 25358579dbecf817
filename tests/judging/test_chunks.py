"""Chunks of reserves: their size, what takes them back, and the controls among them."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from arena.events.decision_record import Ruling
from arena.events.models import Enrollment, Event, Matchup
from arena.events.records.anchors import make_anchors
from arena.judging.models import Assignment, Judgment
from arena.judging.recording import check_answers, record_judgment
from arena.judging.review.exclusions import exclude
from arena.judging.serving.leases import (
    CHUNK_SIZE,
    RESERVE_LEASE,
    expire_lapsed_leases,
    next_assignment,
    release_skipped_slots,
    return_idle_reserves,
    return_reserves,
)
from arena.judging.serving.pair_weights import replace_pair_weights
from arena.judging.serving.schedule import is_control_turn
from arena.judging.skipping import skip_assignment
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchups,
)

pytestmark = pytest.mark.django_db
State = Assignment.State
LATER = NOW + RESERVE_LEASE


def make_crowded_event(matchups: int = 60, **settings) -> Event:
    event = make_event(**({"overlap": 3} | settings))
    models = make_competitors(event, 2)
    make_matchups(event, models, matchups)
    return event


def reserves_of(enrollment: Enrollment):
    return enrollment.assignments.filter(state=State.RESERVED)


def open_slots(event: Event) -> int:
    return sum(event.matchups.values_list("open_slots", flat=True))


def test_ten_are_reserved_at_once_and_shown_one_by_one() -> None:
    event = make_crowded_event()
    enrollment = make_enrollment(event)
    first = make_assignment(enrollment)
    assert first.state == State.SHOWN
    assert reserves_of(enrollment).count() == CHUNK_SIZE - 1
    assert open_slots(event) == 180 - CHUNK_SIZE
    expected = list(reserves_of(enrollment).order_by("ordinal").values_list("pk", flat=True))
    shown = []
    for _ in range(CHUNK_SIZE - 1):
        make_judgment(enrollment)
        shown.append(make_assignment(enrollment).pk)
    assert shown == expected
    assert not reserves_of(enrollment).exists()


@pytest.mark.parametrize(("matchups", "active", "expected"), [(60, 0, 10), (8, 1, 7), (8, 5, 1)])
def test_a_chunk_is_a_quarter_of_what_the_open_slots_leave_each_active_person(
    matchups: int, active: int, expected: int
) -> None:
    event = make_crowded_event(matchups, overlap=4)
    for _ in range(active):
        enrollment = make_enrollment(event)
        make_assignment(enrollment)
        return_reserves(reserves_of(enrollment))
    enrollment = make_enrollment(event)
    make_assignment(enrollment)
    assert enrollment.assignments.count() == expected


def test_a_retired_reserve_is_passed_over_at_the_next_request() -> None:
    event = make_crowded_event()
    enrollment = make_enrollment(event)
    make_assignment(enrollment)
    retired, dropped, following = reserves_of(enrollment).order_by("ordinal")[:3]
    Matchup.objects.filter(pk=retired.matchup_id).update(retired_at=NOW)
    dropped.matchup.record.retired_at = NOW
    dropped.matchup.record.save()
    make_judgment(enrollment)
    assert make_assignment(enrollment).pk == following.pk
    assert not Assignment.objects.filter(pk__in=[retired.pk, dropped.pk]).exists()


def test_an_exclusion_lets_the_reserves_hold_no_slot() -> None:
    event = make_crowded_event()
    enrollment = make_enrollment(event)
    make_assignment(enrollment)
    exclude(enrollment, "rigging", Ruling(None, NOW))
    assert open_slots(event) == 180
    make_judgment(enrollment)
    assert make_assignment(enrollment).state == State.SHOWN
    assert open_slots(event) == 180


def test_reserves_of_an_event_that_has_closed_return_and_none_is_shown() -> None:
    event = make_crowded_event(closes_at=NOW + timedelta(minutes=1))
    enrollment = make_enrollment(event)
    make_assignment(enrollment)
    closing = NOW + timedelta(minutes=1)
    assert return_idle_reserves(closing - timedelta(seconds=1)) == 0
    assert return_idle_reserves(closing) == CHUNK_SIZE - 1
    assert open_slots(event) == 180 - 1
    enrollment.refresh_from_db()
    assert enrollment.served == 1


def test_untouched_reserves_return_after_ten_minutes_and_those_of_somebody_at_work_stay() -> None:
    event = make_crowded_event()
    idle, busy = make_enrollment(event), make_enrollment(event)
    make_assignment(idle)
    make_assignment(busy)
    make_judgment(busy, now=NOW + timedelta(minutes=9))
    assert return_idle_reserves(LATER) == CHUNK_SIZE - 1
    assert not reserves_of(idle).exists()
    assert reserves_of(busy).count() == CHUNK_SIZE - 1
    assert return_idle_reserves(LATER + timedelta(minutes=9)) == CHUNK_SIZE - 1
    assert return_idle_reserves(LATER + timedelta(days=1)) == 0


def test_the_schedule_of_controls_goes_on_where_reserves_were_returned() -> None:
    event = make_crowded_event(100, overlap=5)
    for _ in range(20):
        make_control(event)
    enrollment = make_enrollment(event)
    met = []
    for turn in range(1, 31):
        assignment = make_assignment(enrollment)
        assert assignment.ordinal == turn
        if assignment.matchup.role == Matchup.Role.CONTROL:
            met.append(turn)
        record_judgment(assignment, check_answers(assignment, {"preference": "a1"}), now=NOW)
        return_idle_reserves(LATER)
    runs = [(1, 5), (6, 10), (11, 20), (21, 30)]
    assert [first <= turn <= last for (first, last), turn in zip(runs, met, strict=True)] == [
        True
    ] * 4


def test_whoever_would_be_told_that_nothing_is_left_takes_over_the_oldest_reserve() -> None:
    event = make_crowded_event(8, overlap=1)
    first, second = make_enrollment(event), make_enrollment(event)
    make_assignment(first)
    make_assignment(second, now=NOW + timedelta(minutes=1))
    oldest = reserves_of(first).order_by("reserved_at", "pk").first()
    assert oldest is not None
    Matchup.objects.filter(event=event).update(open_slots=0)
    late = make_enrollment(event)
    taken = make_assignment(late, now=NOW + timedelta(minutes=2))
    assert (taken.matchup_id, taken.state) == (oldest.matchup_id, State.SHOWN)
    assert not Assignment.objects.filter(pk=oldest.pk).exists()
    held = Assignment.objects.filter(matchup=taken.matchup_id, holds_slot=True)
    assert held.get() == taken


def test_reserves_of_excluded_people_are_passed_over_where_others_can_be_taken_over() -> None:
    event = make_crowded_event(60, overlap=3)
    excluded, other = make_enrollment(event), make_enrollment(event)
    make_assignment(excluded)
    exclude(excluded, "rigging", Ruling(None, NOW))
    make_assignment(other, now=NOW + timedelta(minutes=1))
    Matchup.objects.filter(event=event).update(open_slots=0)
    held = set(reserves_of(other).values_list("matchup_id", flat=True))
    taken = next_assignment(make_enrollment(event), Random(0), NOW + timedelta(minutes=2))
    assert taken is not None
    assert taken.matchup_id in held


def test_a_reserve_of_something_already_judged_is_not_taken_over() -> None:
    event = make_crowded_event(4, overlap=2)
    first, second = make_enrollment(event), make_enrollment(event)
    make_assignment(first)
    other = reserves_of(first).first()
    Matchup.objects.filter(event=event).update(open_slots=0)
    if other is not None:
        Judgment.objects.create(
            event=event, enrollment=second, matchup=other.matchup, origin="imported"
        )
    assert next_assignment(second, Random(0), NOW) is None


# --- controls --------------------------------------------------------------------------------
def test_in_a_matched_pool_no_control_is_met_by_more_people_than_an_ordinary_matchup() -> None:
    event = make_crowded_event(60, overlap=3)
    controls = {make_control(event).pk for _ in range(12)}
    for _ in range(16):
        enrollment = make_enrollment(event)
        for _ in range(11):
            make_judgment(enrollment)
        return_reserves(reserves_of(enrollment))
    met = Counter(Assignment.objects.values_list("matchup_id", flat=True))
    assert set(met) & controls
    assert max(met.values()) <= event.overlap


def test_a_control_is_drawn_with_as_many_earlier_showings_as_the_matchup_whose_turn_it_takes() -> (
    None
):
    event = make_crowded_event(40, overlap=4, choosing=Event.Choosing.COVERAGE)
    for _ in range(12):
        make_control(event)
    gaps = []
    for _ in range(14):
        enrollment = make_enrollment(event)
        for _ in range(10):
            before = dict(
                Counter(
                    Assignment.objects.exclude(enrollment=enrollment).values_list(
                        "matchup_id", flat=True
                    )
                )
            )
            judgment = make_judgment(enrollment)
            if judgment.matchup.role == Matchup.Role.CONTROL:
                others = event.matchups.filter(role=Matchup.Role.ORDINARY)
                shown = [before.get(pk, 0) for pk in others.values_list("pk", flat=True)]
                mean = sum(shown) / len(shown)
                gaps.append(before.get(judgment.matchup_id, 0) - mean)
        return_reserves(reserves_of(enrollment))
    assert len(gaps) >= 20
    assert abs(sum(gaps) / len(gaps)) < 0.5


def test_a_short_pool_has_no_cap() -> None:
    event = make_crowded_event(90, overlap=2)
    make_control(event)
    for _ in range(8):
        enrollment = make_enrollment(event)
        roles = [make_judgment(enrollment).matchup.role for _ in range(5)]
        assert roles.count(Matchup.Role.CONTROL) == 1
        return_reserves(reserves_of(enrollment))


def test_a_turn_that_comes_right_after_another_control_has_its_own() -> None:
    """The last turn of a run and the first of the next may both be one's control."""
    event = make_crowded_event(60, overlap=60, secret="together")
    for _ in range(30):
        make_control(event)
    key = (event.secret, event.control_interval)
    people = [make_enrollment(event) for _ in range(60)]
    close = [p for p in people if is_both(key, p, 5, 6) or is_both(key, p, 10, 11)]
    assert close
    for enrollment in close:
        roles = [make_judgment(enrollment).matchup.role for _ in range(20)]
        assert roles.count(Matchup.Role.CONTROL) == 3
        return_reserves(reserves_of(enrollment))


def is_both(key: tuple[str, int], enrollment: Enrollment, *ordinals: int) -> bool:
    secret, interval = key
    person = str(enrollment.public_id)
    return all(is_control_turn(secret, person, ordinal, interval) for ordinal in ordinals)


def test_with_anchors_each_run_brings_one_control_and_two_of_them() -> None:
    event = make_crowded_event(90, overlap=2)
    for _ in range(5):
        make_control(event)
    make_anchors(event, Random(1))
    for _ in range(6):
        enrollment = make_enrollment(event)
        roles = [make_judgment(enrollment).matchup.role for _ in range(20)]
        for first, last in ((0, 5), (5, 10), (10, 20)):
            found = Counter(roles[first:last])
            assert (found[Matchup.Role.CONTROL], found[Matchup.Role.ANCHOR]) == (1, 2)
        return_reserves(reserves_of(enrollment))
    # Neither has a cap, and neither takes a slot.
    met = Counter(Assignment.objects.values_list("matchup__role", "matchup"))
    most = {role: max(n for (r, _), n in met.items() if r == role) for role, _ in met}
    assert most["ordinary"] <= 2 < min(most["control"], most["anchor"])
    assert not Assignment.objects.filter(matchup__role="anchor", holds_slot=True).exists()


def test_a_control_waits_while_every_one_has_been_shown_more_often() -> None:
    event = make_crowded_event(60, overlap=3)
    controls = [make_control(event) for _ in range(12)]
    Assignment.objects.bulk_create(
        Assignment(
            enrollment=make_enrollment(event),
            matchup=control,
            ordinal=1,
            order=[0, 1],
            state=State.DONE,
            reserved_at=NOW,
            shown_at=NOW,
            lease_until=NOW,
        )
        for control in controls
    )
    enrollment = make_enrollment(event)
    roles = [make_judgment(enrollment).matchup.role for _ in range(10)]
    assert set(roles) == {Matchup.Role.ORDINARY}
    # One that has not: it is the one that comes.
    Assignment.objects.filter(matchup=controls[3]).delete()
    enrollment = make_enrollment(event)
    judged = [make_judgment(enrollment).matchup for _ in range(10)]
    assert [m.pk for m in judged if m.role == Matchup.Role.CONTROL] == [controls[3].pk]


# --- to the end --------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("choosing", Event.Choosing.values)
def test_with_skips_and_expiries_every_matchup_gets_exactly_its_overlap(
    seed: int, choosing: str
) -> None:
    event = make_crowded_event(12, overlap=3, choosing=choosing, lease_minutes=30, undo_seconds=0)
    for _ in range(2):
        make_control(event)
    if choosing == Event.Choosing.ACTIVE:
        first, second = event.competitors.values_list("pk", flat=True)
        replace_pair_weights(event, {(first, second): 1.0})
    rng, now = Random(seed), NOW
    people = [make_enrollment(event) for _ in range(6)]
    nothing_left = 0
    while nothing_left < 30:
        now += timedelta(seconds=rng.randrange(120))
        enrollment = rng.choice(people)
        assignment = next_assignment(enrollment, rng, now)
        if assignment is None:
            nothing_left += 1
            if len(people) < 20:
                people.append(make_enrollment(event))
            continue
        nothing_left = 0
        fate = rng.random()
        if fate < 0.15:
            skip_assignment(assignment, "other", now=now)
        elif fate < 0.8:
            answers = check_answers(assignment, {"preference": "a1"})
            record_judgment(assignment, answers, now=now)
        elif fate < 0.85:
            now += timedelta(minutes=31)
        expire_lapsed_leases(Assignment.objects.all(), now)
        release_skipped_slots(now)
        return_idle_reserves(now)
    ordinary = event.matchups.filter(role=Matchup.Role.ORDINARY)
    judged = Counter(
        Judgment.objects.counted().filter(matchup__in=ordinary).values_list("matchup", flat=True)
    )
    assert all(judged[pk] <= 3 for pk in ordinary.values_list("pk", flat=True))
    held = Assignment.objects.filter(holds_slot=True, matchup__in=ordinary)
    per_matchup = Counter(held.values_list("matchup", flat=True))
    assert {per_matchup[pk] for pk in ordinary.values_list("pk", flat=True)} == {3}

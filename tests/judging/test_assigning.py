"""Assigning: who is served what, and that nobody is served too much or nothing."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from arena.events.models import Enrollment, Event, Matchup
from arena.judging.models import Assignment, Judgment
from arena.judging.recording import check_answers, record_judgment
from arena.judging.serving.choice import Candidate, Turn
from arena.judging.serving.leases import (
    expire_lapsed_leases,
    next_assignment,
    release_skipped_slots,
    reserve,
    return_reserves,
)
from arena.judging.serving.schedule import get_run, is_control_turn
from arena.judging.serving.slots import change_overlap
from arena.judging.skipping import skip_assignment
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchup,
    make_matchup_of,
    make_matchups,
    make_record,
)

pytestmark = pytest.mark.django_db
State = Assignment.State


def serve(enrollment: Enrollment, now=NOW, seed: int = 1) -> Assignment | None:
    return next_assignment(enrollment, Random(seed), now)


def judge_all(enrollment: Enrollment, limit: int = 1000) -> int:
    """Judge until nothing is left, as a browser would; how many it were."""
    rng = Random(enrollment.pk)
    for done in range(limit):
        assignment = next_assignment(enrollment, rng, NOW)
        if assignment is None:
            return done
        record_judgment(assignment, check_answers(assignment, {"preference": "a1"}), now=NOW)
    raise AssertionError("there was no end")


def test_serves_an_open_matchup_and_resumes_it() -> None:
    event = make_event()
    matchup = make_matchup(event, make_competitors(event, 2))
    enrollment = make_enrollment(event)
    first = serve(enrollment)
    assert first is not None
    assert first.matchup == matchup
    assert first.state == State.SHOWN
    assert sorted(first.order) == [0, 1]
    assert first.lease_until == NOW + timedelta(minutes=event.lease_minutes)
    assert serve(enrollment, NOW + timedelta(minutes=5)) == first
    matchup.refresh_from_db()
    assert matchup.open_slots == event.overlap - 1


def test_sides_are_drawn_for_each_assignment() -> None:
    event = make_event(overlap=40)
    make_matchup(event, make_competitors(event, 2))
    orders = Counter(tuple(make_assignment(make_enrollment(event)).order) for _ in range(40))
    assert set(orders) == {(0, 1), (1, 0)}
    assert min(orders.values()) > 8


def test_a_person_never_meets_a_matchup_twice() -> None:
    event = make_event(overlap=10)
    models = make_competitors(event, 2)
    matchups = [make_matchup(event, models) for _ in range(6)]
    enrollment = make_enrollment(event)
    served = []
    for number in range(6):
        assignment = make_assignment(enrollment)
        served.append(assignment.matchup_id)
        if number % 2:
            skip_assignment(assignment, "other", now=NOW)
        else:
            record_judgment(assignment, check_answers(assignment, {"preference": "tie"}), now=NOW)
    assert sorted(served) == sorted(m.pk for m in matchups)
    assert serve(enrollment) is None


def test_an_imported_judgment_counts_as_met() -> None:
    event = make_event()
    matchup = make_matchup(event, make_competitors(event, 2))
    enrollment = make_enrollment(event)
    Judgment.objects.create(event=event, enrollment=enrollment, matchup=matchup, origin="imported")
    assert serve(enrollment) is None


def test_overlap_is_a_hard_end() -> None:
    event = make_event(overlap=2)
    make_matchup(event, make_competitors(event, 2))
    assert [serve(make_enrollment(event)) is not None for _ in range(4)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_turn_whose_slot_has_just_gone_is_not_used_up() -> None:
    event = make_event()
    matchup = make_matchup(event, make_competitors(event, 2))
    enrollment = make_enrollment(event)
    Matchup.objects.update(open_slots=0)
    assert reserve(Turn(event, enrollment, 1, NOW, Random(1)), [Candidate(matchup)]) == 0
    enrollment.refresh_from_db()
    assert enrollment.served == 0
    assert not Assignment.objects.exists()


def test_another_overlap_opens_and_closes_slots_and_keeps_what_is_there() -> None:
    event = make_event(overlap=3)
    models = make_competitors(event, 2)
    judged, untouched = make_matchup(event, models), make_matchup(event, models)
    for _ in range(2):
        make_judgment(make_enrollment(event, guidelines=event.guidelines.latest()))
    slots = dict(Matchup.objects.values_list("pk", "open_slots"))
    change_overlap(event, 5)
    assert dict(Matchup.objects.values_list("pk", "open_slots")) == {
        pk: count + 2 for pk, count in slots.items()
    }
    change_overlap(event, 1)
    assert set(Matchup.objects.values_list("open_slots", flat=True)) <= {0, 1}
    change_overlap(event, 3)
    assert dict(Matchup.objects.values_list("pk", "open_slots")) == slots
    assert {judged.pk, untouched.pk} == set(slots)


def test_a_lapsed_lease_gives_its_slot_to_somebody_else() -> None:
    event = make_event(overlap=1)
    matchup = make_matchup(event, make_competitors(event, 2))
    late = make_assignment(make_enrollment(event))
    after = late.lease_until
    assert expire_lapsed_leases(Assignment.objects.all(), after) == 1
    matchup.refresh_from_db()
    assert matchup.open_slots == 1
    assert expire_lapsed_leases(Assignment.objects.all(), after) == 0
    assert serve(make_enrollment(event), after) is not None


def test_what_is_given_back_under_a_lower_overlap_opens_only_missing_slots() -> None:
    event = make_event(overlap=3)
    matchup = make_matchup(event, make_competitors(event, 2))
    shown = [make_assignment(make_enrollment(event)) for _ in range(3)]
    change_overlap(event, 1)
    opened = []
    skip_assignment(shown[0], "other", now=NOW)
    assert release_skipped_slots(NOW + timedelta(hours=1)) == 1
    opened.append(Matchup.objects.get().open_slots)
    for assignment in shown[1:]:
        expire_lapsed_leases(Assignment.objects.filter(pk=assignment.pk), assignment.lease_until)
        opened.append(Matchup.objects.get(pk=matchup.pk).open_slots)
    assert opened == [0, 0, 1]


def test_coverage_serves_the_least_judged_first() -> None:
    event = make_event(overlap=3, choosing=Event.Choosing.COVERAGE)
    models = make_competitors(event, 2)
    make_matchups(event, models, 10)
    for _ in range(2):
        judged = make_enrollment(event)
        for _ in range(5):
            make_judgment(judged)
        return_reserves(Assignment.objects.filter(enrollment=judged))
    assert set(Matchup.objects.values_list("open_slots", flat=True)) == {2}


def test_serving_costs_the_same_whatever_the_overlap() -> None:
    def cost(overlap: int) -> int:
        event = make_event(overlap=overlap, choosing=Event.Choosing.COVERAGE)
        matchup = make_matchup(event, make_competitors(event, 2))
        Matchup.objects.filter(pk=matchup.pk).update(open_slots=1)
        enrollment = make_enrollment(event)
        with CaptureQueriesContext(connection) as queries:
            make_assignment(enrollment)
        return len(queries)

    assert cost(300) == cost(2)


def test_uniform_reaches_every_matchup() -> None:
    event = make_event(overlap=50, choosing=Event.Choosing.UNIFORM)
    models = make_competitors(event, 2)
    make_matchups(event, models, 5)
    met = Counter(make_assignment(make_enrollment(event)).matchup_id for _ in range(50))
    assert len(met) == 5


def test_a_prompt_recurs_only_after_a_gap() -> None:
    event = make_event(recurrence_gap=3)
    models = make_competitors(event, 3)
    for _ in range(6):
        record = make_record(event)
        responses = [record.responses.create(competitor=model, text=model.name) for model in models]
        for left, right in ((0, 1), (0, 2), (1, 2)):
            make_matchup_of(record, [responses[left], responses[right]])
    enrollment = make_enrollment(event)
    served = []
    for _ in range(15):
        judgment = make_judgment(enrollment)
        served.append(judgment.matchup.record_id)
    for index, record in enumerate(served):
        assert record not in served[max(0, index - 3) : index]


def test_nobody_is_stuck_by_the_gap() -> None:
    event = make_event(recurrence_gap=5)
    models = make_competitors(event, 3)
    record = make_record(event)
    responses = [record.responses.create(competitor=model, text=model.name) for model in models]
    for left, right in ((0, 1), (0, 2), (1, 2)):
        make_matchup_of(record, [responses[left], responses[right]])
    assert judge_all(make_enrollment(event)) == 3


def test_retired_and_half_imported_matchups_are_not_served() -> None:
    event = make_event()
    models = make_competitors(event, 2)
    make_matchup(event, models, record=make_record(event, imported_at=None))
    make_matchup(event, models, record=make_record(event, retired_at=NOW))
    retired = make_matchup(event, models)
    retired.retired_at = NOW
    retired.save()
    assert serve(make_enrollment(event)) is None


def test_another_events_matchups_are_not_served() -> None:
    other = make_event()
    make_matchup(other, make_competitors(other, 2))
    assert serve(make_enrollment(make_event())) is None


def test_controls_are_front_loaded_and_follow_the_served_ordinal() -> None:
    event = make_event(overlap=200, control_interval=20)
    models = make_competitors(event, 2)
    make_matchups(event, models, 75)
    for _ in range(20):
        make_control(event)
    enrollment = make_enrollment(event)
    controls = []
    for ordinal in range(1, 71):
        assignment = make_assignment(enrollment)
        assert assignment.ordinal == ordinal
        if assignment.matchup.role == Matchup.Role.CONTROL:
            controls.append(ordinal)
            assert not assignment.holds_slot
        if ordinal % 7 == 0:
            skip_assignment(assignment, "other", now=NOW)
        else:
            record_judgment(assignment, check_answers(assignment, {"preference": "b1"}), now=NOW)
    runs = [(1, 5), (6, 10), (11, 20), (21, 30), (31, 50), (51, 70)]
    for (first, last), ordinal in zip(runs, controls, strict=True):
        assert first <= ordinal <= last
        assert get_run(ordinal, 20) == (first, last)


def test_the_schedule_has_one_place_in_each_run_and_differs_by_person() -> None:
    places = set()
    for person in range(200):
        turns = [n for n in range(1, 6) if is_control_turn("secret", str(person), n, 20)]
        assert len(turns) == 1
        places.add(turns[0])
    assert places == {1, 2, 3, 4, 5}


def test_without_controls_the_turn_goes_to_an_ordinary_matchup() -> None:
    event = make_event(overlap=30)
    models = make_competitors(event, 2)
    make_matchups(event, models, 12)
    assert judge_all(make_enrollment(event)) == 12


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_fill_every_slot_exactly() -> None:
    event = make_event(overlap=3)
    models = make_competitors(event, 4)
    for number in range(40):
        make_matchup(event, [models[number % 4], models[(number + 1) % 4]])
    people = [make_enrollment(event) for _ in range(8)]

    def work(enrollment: Enrollment) -> int:
        try:
            return judge_all(enrollment)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(work, people))
    assert sum(done) == 120
    assert Judgment.objects.standing().count() == 120
    per_matchup = Counter(Judgment.objects.values_list("matchup_id", flat=True))
    assert set(per_matchup.values()) == {3}
    assert not Matchup.objects.exclude(open_slots=0).exists()


@pytest.mark.django_db(transaction=True)
def test_skips_and_judgments_at_once_leave_the_slots_that_are_missing() -> None:
    event = make_event(overlap=3)
    models = make_competitors(event, 2)
    make_matchups(event, models, 6)
    people = [make_enrollment(event) for _ in range(8)]

    def work(enrollment: Enrollment) -> None:
        rng = Random(enrollment.pk)
        try:
            while assignment := next_assignment(enrollment, rng, NOW):
                if rng.random() < 0.5:
                    skip_assignment(assignment, "other", now=NOW)
                else:
                    answers = check_answers(assignment, {"preference": "a1"})
                    record_judgment(assignment, answers, now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, people))
    release_skipped_slots(NOW + timedelta(hours=1))
    for matchup in event.matchups.all():
        assert matchup.judgments.count() + matchup.open_slots == 3


@pytest.mark.django_db(transaction=True)
def test_two_tabs_of_one_person_get_the_same_assignment() -> None:
    event = make_event()
    models = make_competitors(event, 2)
    make_matchups(event, models, 20)
    enrollment = make_enrollment(event)

    def work(seed: int) -> int | None:
        try:
            mine = Enrollment.objects.select_related("event").get(pk=enrollment.pk)
            assignment = next_assignment(mine, Random(seed), NOW)
            return assignment.pk if assignment else None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        served = set(pool.map(work, range(16)))
    assert len(served) == 1
    assert Assignment.objects.filter(state=State.SHOWN).count() == 1
    held = Assignment.objects.filter(holds_slot=True).count()
    assert sum(event.overlap - m.open_slots for m in Matchup.objects.all()) == held
    assert set(Assignment.objects.values_list("ordinal", flat=True)) == set(range(1, held + 1))


def test_after_the_opening_runs_every_interval_is_a_run() -> None:
    runs = [get_run(ordinal, 20) for ordinal in (1, 30, 31, 50, 51, 90)]
    assert runs == [(1, 5), (21, 30), (31, 50), (31, 50), (51, 70), (71, 90)]

"""Excluding and reinstating: nothing else changes, and everything comes back."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.errors import ConflictError
from arena.events.decision_record import Ruling
from arena.judging.models import Assignment, Exclusion, Judgment
from arena.judging.recording import check_answers, record_judgment
from arena.judging.review.exclusions import exclude, lift_exclusion
from arena.judging.serving.leases import expire_lapsed_leases, return_reserves
from arena.judging.serving.slots import change_overlap
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchup,
    make_matchups,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def event():
    event = make_event(overlap=2)
    models = make_competitors(event, 2)
    make_matchups(event, models, 4)
    return event


def open_slots(event) -> list[int]:
    return list(event.matchups.order_by("pk").values_list("open_slots", flat=True))


def test_an_excluded_judgment_does_not_count_until_it_is_reinstated(event) -> None:
    enrollment = make_enrollment(event)
    kept, excluded = make_judgment(enrollment), make_judgment(enrollment)
    before, reviewer = open_slots(event), make_user()
    exclusion = exclude(excluded, "broken", Ruling(reviewer, NOW, "cut off"))
    assert list(Judgment.objects.counted()) == [kept]
    assert sum(open_slots(event)) == sum(before) + 1
    lift_exclusion(exclusion, Ruling(reviewer, NOW + timedelta(hours=1), "So decided."))
    assert set(Judgment.objects.counted()) == {kept, excluded}
    assert open_slots(event) == before
    assert Exclusion.objects.get().lifted_by == reviewer


def test_an_excluded_contributor_does_not_count_with_anything(event) -> None:
    good, bad = make_enrollment(event), make_enrollment(event)
    kept = make_judgment(good)
    make_judgment(bad)
    before = open_slots(event)
    exclusion = exclude(bad, "unreliable", Ruling(None, NOW))
    make_judgment(bad)
    assert list(Judgment.objects.counted()) == [kept]
    lift_exclusion(exclusion, Ruling(None, NOW))
    assert Judgment.objects.counted().count() == 3
    assert sum(before) - sum(open_slots(event)) == 1


def test_lifting_one_of_two_exclusions_leaves_the_other_in_force(event) -> None:
    enrollment = make_enrollment(event)
    judgment = make_judgment(enrollment)
    own = exclude(judgment, "broken", Ruling(None, NOW))
    whole = exclude(enrollment, "rigging", Ruling(None, NOW))
    return_reserves(Assignment.objects.all())
    slots = open_slots(event)
    lift_exclusion(whole, Ruling(None, NOW))
    assert not Judgment.objects.counted().exists()
    assert open_slots(event) == slots
    lift_exclusion(own, Ruling(None, NOW))
    assert Judgment.objects.counted().count() == 1


def test_a_slot_that_went_to_somebody_else_is_not_taken_away(event) -> None:
    event.matchups.exclude(pk=event.matchups.first().pk).update(open_slots=0)
    first = make_judgment(make_enrollment(event))
    exclusion = exclude(first, "broken", Ruling(None, NOW))
    make_judgment(make_enrollment(event))
    make_judgment(make_enrollment(event))
    lift_exclusion(exclusion, Ruling(None, NOW))
    assert Judgment.objects.counted().count() == 3
    assert open_slots(event)[0] == 0


def test_excluding_twice_is_refused_and_lifting_twice_is_once(event) -> None:
    judgment = make_judgment(make_enrollment(event))
    exclusion = exclude(judgment, "broken", Ruling(None, NOW))
    with pytest.raises(ConflictError):
        exclude(judgment, "rigging", Ruling(None, NOW))
    lift_exclusion(exclusion, Ruling(None, NOW))
    lift_exclusion(exclusion, Ruling(None, NOW + timedelta(days=1)))
    assert Exclusion.objects.get().lifted_at == NOW
    exclude(judgment, "rigging", Ruling(None, NOW))


def test_a_controls_judgment_never_touches_slots() -> None:
    event = make_event()
    control = make_control(event)
    models = make_competitors(event, 2)
    make_matchups(event, models, 12)
    enrollment = make_enrollment(event)
    judgments = [make_judgment(enrollment) for _ in range(5)]
    on_control = [j for j in judgments if j.matchup == control]
    assert len(on_control) == 1
    exclusion = exclude(on_control[0], "broken", Ruling(None, NOW))
    lift_exclusion(exclusion, Ruling(None, NOW))
    control.refresh_from_db()
    assert control.open_slots == 0


def test_an_excluded_contributor_takes_no_overlap_from_others(event) -> None:
    bad = make_enrollment(event)
    shown = make_assignment(bad)
    exclude(bad, "rigging", Ruling(None, NOW))
    assert open_slots(event) == [2, 2, 2, 2]
    record_judgment(shown, check_answers(shown, {"preference": "a1"}), now=NOW)
    for _ in range(3):
        make_judgment(bad)
    assert open_slots(event) == [2, 2, 2, 2]
    for _ in range(2):
        honest = make_enrollment(event)
        for _ in range(4):
            make_judgment(honest)
    assert Judgment.objects.counted().count() == 8


def test_a_late_answer_of_an_excluded_contributor_takes_no_slot(event) -> None:
    bad = make_enrollment(event)
    shown = make_assignment(bad)
    exclude(bad, "rigging", Ruling(None, NOW))
    expire_lapsed_leases(Assignment.objects.all(), shown.lease_until)
    answers = check_answers(shown, {"preference": "a1"})
    record_judgment(shown, answers, now=shown.lease_until)
    assert open_slots(event) == [2, 2, 2, 2]


def test_what_an_excluded_contributor_has_on_the_screen_counts_once_they_are_reinstated(
    event,
) -> None:
    enrollment = make_enrollment(event)
    exclusion = exclude(enrollment, "unreliable", Ruling(None, NOW))
    make_judgment(enrollment)
    shown = make_assignment(enrollment)
    lift_exclusion(exclusion, Ruling(None, NOW))
    assert sum(open_slots(event)) == 8 - 2
    record_judgment(shown, check_answers(shown, {"preference": "a1"}), now=NOW)
    assert Judgment.objects.counted().count() == 2
    assert sum(open_slots(event)) == 8 - 2


def test_serving_an_excluded_contributor_takes_the_same_statements() -> None:
    counts = []
    for is_excluded in (False, True):
        event = make_event(overlap=2)
        for _ in range(4):
            make_matchup(event, make_competitors(event, 2))
        enrollment = make_enrollment(event)
        if is_excluded:
            exclude(enrollment, "rigging", Ruling(None, NOW))
        with CaptureQueriesContext(connection) as queries:
            make_judgment(enrollment)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_matchup_with_one_too_many_wants_none_when_one_is_excluded() -> None:
    event = make_event(overlap=1)
    make_matchup(event, make_competitors(event, 2))
    first = make_judgment(make_enrollment(event))
    exclusion = exclude(first, "broken", Ruling(None, NOW))
    second = make_judgment(make_enrollment(event))
    lift_exclusion(exclusion, Ruling(None, NOW))
    exclude(second, "broken", Ruling(None, NOW))
    assert open_slots(event) == [0]
    assert list(Judgment.objects.counted()) == [first]


def test_excluding_under_a_lower_overlap_opens_a_slot_only_where_one_is_missing() -> None:
    event = make_event(overlap=3)
    make_matchup(event, make_competitors(event, 2))
    judgments = [make_judgment(make_enrollment(event)) for _ in range(3)]
    change_overlap(event, 1)
    for judgment, opened in zip(judgments, (0, 0, 1), strict=True):
        exclude(judgment, "broken", Ruling(None, NOW))
        assert open_slots(event) == [opened]

"""Recording: exactly once, in canonical order, nothing lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from arena.errors import ConflictError
from arena.events.models import Event
from arena.judging.assigning import expire_lapsed
from arena.judging.models import Answer, Assignment, Exclusion, Flag, Judgment
from arena.judging.recording import (
    InvalidAnswers,
    check_answers,
    flag_assignment,
    record_judgment,
    skip_assignment,
)
from arena.questions import KINDS
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_enrollment,
    make_event,
    make_matchup,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(seconds=30)


def ready(**settings) -> Assignment:
    """An assignment shown to somebody."""
    event = make_event(**settings)
    make_matchup(event, make_competitors(event, 2))
    return make_assignment(make_enrollment(event))


def record(assignment: Assignment, posted: str = "a2", comment: str = "", now=LATER) -> Judgment:
    answers = check_answers(assignment, {"preference": posted, "comment": comment})
    return record_judgment(assignment, answers, now=now)


@pytest.mark.parametrize(("order", "outcome"), [([0, 1], 2), ([1, 0], -2)])
def test_stores_the_answer_in_canonical_order(order: list[int], outcome: int) -> None:
    assignment = ready()
    assignment.order = order
    assignment.save()
    judgment = record(assignment, "a2", "clear")
    answer = judgment.answers.get(question__name="preference")
    assert answer.outcome == outcome
    assert answer.first_on_left is (order == [0, 1])
    assert answer.first_id < answer.second_id
    assert judgment.answers.get(question__name="comment").value == {"text": "clear"}
    assert judgment.guidelines == assignment.enrollment.event.guidelines.latest()
    assert (judgment.judged_at, judgment.origin) == (LATER, "screen")
    assignment.refresh_from_db()
    assert assignment.state == Assignment.State.DONE


def test_both_bad_is_a_tie_that_says_so() -> None:
    answer = record(ready(), "both_bad").answers.get(question__name="preference")
    assert (answer.outcome, answer.both_bad) == (0, True)


@pytest.mark.parametrize("scale", [2, 3, 5, 7])
def test_every_point_of_every_scale_comes_back_as_it_was_shown(scale: int) -> None:
    kind, settings = KINDS["preference"], {"scale": scale, "both_bad": True}
    for order in ([0, 1], [1, 0]):
        posted = [choice.value for choice in kind.choices(settings)] + ["both_bad"]
        assert len(posted) == scale + 1
        for value in posted:
            answer = kind.check_answer(settings, value, order)
            assert answer is not None
            assert kind.shown(answer, order) == value


@pytest.mark.parametrize(
    ("posted", "field"),
    [
        ({}, "preference"),
        ({"preference": "a3"}, "preference"),
        ({"preference": "' or 1=1"}, "preference"),
        ({"preference": "a1", "comment": "x" * 2001}, "comment"),
        ({"preference": "a1", "comment": "nul\x00"}, "comment"),
    ],
)
def test_refuses_what_is_not_an_answer(posted: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidAnswers) as caught:
        check_answers(ready(), posted)
    assert list(caught.value.errors) == [field]


def test_both_bad_is_refused_where_it_is_not_offered() -> None:
    with pytest.raises(InvalidAnswers):
        check_answers(ready(both_bad=False), {"preference": "both_bad"})


def test_the_same_answers_again_are_the_same_judgment() -> None:
    assignment = ready()
    assert record(assignment) == record(assignment, now=LATER + timedelta(days=1))
    assert Judgment.objects.count() == 1


def test_other_answers_within_the_undo_window_are_a_revision() -> None:
    assignment = ready(undo_seconds=60)
    first = record(assignment, "a2")
    second = record(assignment, "b1", now=LATER + timedelta(seconds=59))
    assert (second.revision, second.revises) == (1, first)
    assert list(Judgment.objects.standing()) == [second]
    assert Judgment.objects.count() == 2
    assert first.answers.count() == 1


def test_after_the_undo_window_an_answer_stays() -> None:
    assignment = ready(undo_seconds=60)
    first = record(assignment, "a2")
    with pytest.raises(ConflictError):
        record(assignment, "b1", now=LATER + timedelta(minutes=5))
    assert list(Judgment.objects.all()) == [first]


def test_an_answer_after_the_lease_takes_a_free_slot_again() -> None:
    assignment = ready(overlap=1)
    expire_lapsed(Assignment.objects.all(), assignment.lease_until)
    judgment = record(assignment, now=assignment.lease_until + timedelta(minutes=1))
    assert list(Judgment.objects.counted()) == [judgment]
    assignment.matchup.refresh_from_db()
    assert assignment.matchup.open_slots == 0


def test_an_answer_whose_slot_has_gone_is_kept_and_does_not_count() -> None:
    assignment = ready(overlap=1)
    expire_lapsed(Assignment.objects.all(), assignment.lease_until)
    make_assignment(make_enrollment(assignment.enrollment.event), now=assignment.lease_until)
    judgment = record(assignment, now=assignment.lease_until + timedelta(minutes=1))
    assert Exclusion.objects.get().reason == "late"
    assert not Judgment.objects.counted().exists()
    revision = record(assignment, "b2", now=assignment.lease_until + timedelta(minutes=1))
    assert revision.revises == judgment
    assert not Judgment.objects.counted().exists()


def test_what_was_shown_before_closing_may_be_answered_in_the_grace_period() -> None:
    closes = NOW + timedelta(minutes=2)
    assignment = ready(closes_at=closes, grace_minutes=10)
    assert list(Judgment.objects.counted()) == []
    judgment = record(assignment, now=closes + timedelta(minutes=9))
    assert list(Judgment.objects.counted()) == [judgment]


def test_after_the_grace_period_an_answer_is_kept_and_does_not_count() -> None:
    closes = NOW + timedelta(minutes=2)
    assignment = ready(closes_at=closes, grace_minutes=10)
    judgment = record(assignment, now=closes + timedelta(minutes=10))
    assert judgment.exclusions.get().reason == "late"
    assert not Judgment.objects.counted().exists()


def test_a_closed_event_takes_nothing() -> None:
    assignment = ready()
    Event.objects.update(state=Event.State.CLOSED)
    assignment.enrollment.event.refresh_from_db()
    with pytest.raises(ConflictError) as caught:
        record(assignment)
    assert caught.value.code == "closed"
    assert not Judgment.objects.exists()


def test_a_skipped_matchup_takes_no_answer() -> None:
    assignment = ready()
    skip_assignment(assignment, "unclear", now=NOW)
    with pytest.raises(ConflictError):
        record(assignment)


def test_an_answered_matchup_cannot_be_skipped() -> None:
    assignment = ready()
    record(assignment)
    with pytest.raises(ConflictError):
        skip_assignment(assignment, "unclear", now=NOW)
    assert Judgment.objects.standing().count() == 1


def test_a_flag_is_kept_once_and_passes_on_the_matchup() -> None:
    assignment = ready()
    flag_assignment(assignment, "broken", "cut off", now=NOW)
    flag_assignment(assignment, "broken", "cut off", now=NOW)
    assert Flag.objects.get().note == "cut off"
    assignment.refresh_from_db()
    assert (assignment.state, assignment.skip_reason) == ("skipped", "flagged")


@pytest.mark.django_db(transaction=True)
def test_fifty_identical_submissions_at_once_are_one_judgment() -> None:
    assignment = ready()

    def work(_: int) -> int:
        try:
            mine = Assignment.objects.select_related("enrollment__event").get(pk=assignment.pk)
            return record(mine, "b1", "same").pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(work, range(50)))
    assert len(made) == 1
    assert Judgment.objects.count() == 1
    assert Answer.objects.count() == 2

"""Recording: exactly once, in canonical order, nothing lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import connections

from arena.errors import ConflictError
from arena.events.models import Event
from arena.judging.models import Answer, Assignment, Exclusion, Judgment
from arena.judging.recording import (
    InvalidAnswers,
    check_answers,
    get_undo_deadline,
    is_undoable,
    record_judgment,
)
from arena.judging.serving.leases import expire_lapsed_leases
from arena.questions import KINDS
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_enrollment,
    make_event,
    make_matchup,
)
from tests.threads import parallel_map

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(seconds=30)


def ready(**settings) -> Assignment:
    """An assignment shown to somebody."""
    event = make_event(**settings)
    make_matchup(event, make_competitors(event, 2))
    return make_assignment(make_enrollment(event))


def record(
    assignment: Assignment, posted: str = "a2", comment: str = "", now=LATER, replaces: str = ""
) -> Judgment:
    answers = check_answers(assignment, {"preference": posted, "comment": comment})
    return record_judgment(assignment, answers, now=now, replaces=replaces)


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
            assert kind.to_form_value(answer, order) == value


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
    second = record(assignment, "b1", now=LATER + timedelta(seconds=59), replaces="0")
    assert (second.revision, second.revises) == (1, first)
    assert list(Judgment.objects.standing()) == [second]
    assert Judgment.objects.count() == 2
    assert first.answers.count() == 1


def test_after_the_undo_window_an_answer_stays() -> None:
    assignment = ready(undo_seconds=60)
    first = record(assignment, "a2")
    with pytest.raises(ConflictError):
        record(assignment, "b1", now=LATER + timedelta(minutes=5), replaces="0")
    assert list(Judgment.objects.all()) == [first]


@pytest.mark.parametrize(("undo_seconds", "after"), [(0, 0), (0, 1), (60, 60 + 120)])
def test_the_undo_window_ends_and_where_there_is_none_nothing_may_be_changed(
    undo_seconds: int, after: int
) -> None:
    assignment = ready(undo_seconds=undo_seconds)
    record(assignment, "a2")
    with pytest.raises(ConflictError):
        record(assignment, "b1", now=LATER + timedelta(seconds=after), replaces="0")
    assert Judgment.objects.get().revision == 0


def test_changing_is_offered_until_the_deadline_at_the_longest() -> None:
    closes = LATER + timedelta(seconds=10)
    assignment = ready(undo_seconds=60, closes_at=closes)
    record(assignment)
    assert get_undo_deadline(assignment) == closes
    assert is_undoable(assignment, closes - timedelta(seconds=1))
    assert not is_undoable(assignment, closes)


def test_an_answer_after_the_lease_takes_a_free_slot_again() -> None:
    assignment = ready(overlap=1)
    expire_lapsed_leases(Assignment.objects.all(), assignment.lease_until)
    judgment = record(assignment, now=assignment.lease_until + timedelta(minutes=1))
    assert list(Judgment.objects.counted()) == [judgment]
    assignment.matchup.refresh_from_db()
    assert assignment.matchup.open_slots == 0


def served_again(overlap: int) -> tuple[Assignment, Assignment, datetime]:
    """One matchup given to the same person twice, the first lease having run out."""
    first = ready(overlap=overlap)
    again = make_assignment(first.enrollment, now=first.lease_until)
    assert again.matchup == first.matchup
    return first, again, first.lease_until + timedelta(minutes=1)


def test_an_answer_counts_where_the_same_pair_was_served_again() -> None:
    first, again, now = served_again(overlap=1)
    judgment = record(first, "b2", "typed with care", now)
    assert list(Judgment.objects.counted()) == [judgment]
    assert judgment.assignment == first
    again.refresh_from_db()
    assert (again.state, again.holds_slot) == (Assignment.State.EXPIRED, False)
    first.matchup.refresh_from_db()
    assert first.matchup.open_slots == 0
    with pytest.raises(ConflictError) as caught:
        record(again, "a2", now=now)
    assert caught.value.code == "already_judged"
    assert record(first, "b2", "typed with care", now) == judgment


def test_the_first_tab_takes_no_answer_where_the_second_was_answered() -> None:
    first, again, now = served_again(overlap=2)
    judgment = record(again, now=now)
    with pytest.raises(ConflictError):
        record(first, now=now)
    assert list(Judgment.objects.all()) == [judgment]


@pytest.mark.django_db(transaction=True)
def test_two_tabs_of_one_pair_answered_at_once_are_one_judgment() -> None:
    first, again, now = served_again(overlap=1)

    def answer(assignment: Assignment) -> Judgment:
        mine = Assignment.objects.select_related("enrollment__event").get(pk=assignment.pk)
        return record(mine, now=now)

    parallel_map([partial(answer, first), partial(answer, again)] * 4, threads=8)
    assert Judgment.objects.counted().count() == 1
    assert first.enrollment.event.matchups.get().open_slots == 0


def test_an_answer_whose_slot_has_gone_is_kept_and_does_not_count() -> None:
    assignment = ready(overlap=1)
    expire_lapsed_leases(Assignment.objects.all(), assignment.lease_until)
    make_assignment(make_enrollment(assignment.enrollment.event), now=assignment.lease_until)
    judgment = record(assignment, now=assignment.lease_until + timedelta(minutes=1))
    assert Exclusion.objects.get().reason == "late"
    assert not Judgment.objects.counted().exists()
    later = assignment.lease_until + timedelta(minutes=1)
    revision = record(assignment, "b2", now=later, replaces="0")
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


def test_a_closed_event_keeps_an_answer_that_does_not_count() -> None:
    assignment = ready(overlap=1)
    Event.objects.update(state=Event.State.CLOSED)
    assignment.enrollment.event.refresh_from_db()
    judgment = record(assignment, comment="typed with care")
    assert judgment.exclusions.get().reason == "late"
    assert judgment.answers.get(question__name="comment").value == {"text": "typed with care"}
    assert not Judgment.objects.counted().exists()
    assignment.matchup.refresh_from_db()
    assert assignment.matchup.open_slots == 1


def test_a_published_event_takes_nothing() -> None:
    assignment = ready()
    Event.objects.update(state=Event.State.PUBLISHED)
    assignment.enrollment.event.refresh_from_db()
    with pytest.raises(ConflictError) as caught:
        record(assignment)
    assert caught.value.code == "closed"
    assert not Judgment.objects.exists()


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

"""Passing on a matchup, and coming back to it: nothing of what it was is lost, and nothing tells
a control."""

import re
from datetime import timedelta
from functools import partial
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.errors import ConflictError
from arena.events.decision_record import Ruling
from arena.events.models import Enrollment, Matchup
from arena.events.records.controls import retire_matchup
from arena.judging.models import Assignment, Flag, Judgment
from arena.judging.recording import (
    SKIP,
    ChangeableError,
    check_answers,
    get_undo_deadline,
    is_undoable,
    record_judgment,
)
from arena.judging.serving.leases import (
    expire_lapsed_leases,
    next_assignment,
    release_skipped_slots,
)
from arena.judging.skipping import flag_assignment, skip_assignment
from arena.judging.tasks import sweep_leases
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchups,
)
from tests.threads import parallel_map

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(seconds=30)
# The undo window and the time to finish what was begun within it.
WINDOW = timedelta(seconds=120 + 120)


def ready(matchups: int = 1, **settings) -> Assignment:
    """An assignment shown to somebody."""
    event = make_event(**settings)
    models = make_competitors(event, 2)
    make_matchups(event, models, matchups)
    return make_assignment(make_enrollment(event))


def record(assignment: Assignment, replaces: str = SKIP, posted: str = "a2", now=LATER) -> Judgment:
    answers = check_answers(assignment, {"preference": posted})
    return record_judgment(assignment, answers, now=now, replaces=replaces)


def slots(assignment: Assignment) -> int:
    return Matchup.objects.get(pk=assignment.matchup_id).open_slots


def test_an_answered_matchup_cannot_be_skipped() -> None:
    assignment = ready()
    record(assignment, replaces="")
    with pytest.raises(ConflictError):
        skip_assignment(assignment, "unclear", now=NOW)
    assert Judgment.objects.standing().count() == 1


def test_a_skip_after_the_lease_keeps_its_reason_and_the_pair_stays_away() -> None:
    assignment = ready()
    expire_lapsed_leases(Assignment.objects.all(), assignment.lease_until)
    skip_assignment(assignment, "expertise", now=assignment.lease_until)
    assignment.refresh_from_db()
    assert (assignment.state, assignment.skip_reason) == ("skipped", "expertise")
    assert next_assignment(assignment.enrollment, Random(1), assignment.lease_until) is None
    assignment.matchup.refresh_from_db()
    assert assignment.matchup.open_slots == assignment.enrollment.event.overlap


def test_a_flag_is_kept_once_and_passes_on_the_matchup() -> None:
    assignment = ready()
    flag_assignment(assignment, "broken", "cut off", now=NOW)
    flag_assignment(assignment, "broken", "cut off", now=NOW)
    assert Flag.objects.get().note == "cut off"
    assignment.refresh_from_db()
    assert (assignment.state, assignment.skip_reason) == ("skipped", "flagged")


def test_a_flag_after_the_lease_passes_on_the_pair_wherever_it_is_open() -> None:
    first = ready(overlap=1)
    now = first.lease_until + timedelta(minutes=1)
    again = make_assignment(first.enrollment, now=first.lease_until)
    assert again.matchup == first.matchup
    flag_assignment(first, "harmful", "", now=now)
    again.refresh_from_db()
    assert again.state == Assignment.State.EXPIRED
    assert next_assignment(first.enrollment, Random(1), now) is None
    assert first.enrollment.event.matchups.get().open_slots == 1


@pytest.mark.django_db(transaction=True)
def test_skips_and_flags_at_once_pass_on_the_pair_once() -> None:
    assignment = ready(overlap=1)

    def mine() -> Assignment:
        return Assignment.objects.select_related("enrollment__event").get(pk=assignment.pk)

    def skip() -> None:
        skip_assignment(mine(), "length", now=NOW)

    def flag() -> None:
        flag_assignment(mine(), "broken", "cut off", now=NOW)

    assert parallel_map([skip, flag] * 4, threads=8) == [None] * 8
    assert Flag.objects.get().note == "cut off"
    assignment.refresh_from_db()
    assert assignment.state == Assignment.State.SKIPPED
    assert slots(assignment) == 0
    assert release_skipped_slots(NOW + WINDOW) == 1
    assert slots(assignment) == 1


def test_skipping_a_control_takes_the_same_statements() -> None:
    event = make_event()
    models = make_competitors(event, 2)
    make_matchups(event, models, 12)
    for _ in range(2):
        make_control(event)
    enrollment = make_enrollment(event)
    skip_assignment(make_assignment(enrollment), "other", now=NOW)
    counts: dict[str, set[int]] = {Matchup.Role.ORDINARY: set(), Matchup.Role.CONTROL: set()}
    for _ in range(10):  # one control is among the first five, one among the next
        assignment = make_assignment(enrollment)
        with CaptureQueriesContext(connection) as queries:
            skip_assignment(assignment, "other", now=NOW)
        counts[assignment.matchup.role].add(len(queries))
    assert counts[Matchup.Role.CONTROL] == counts[Matchup.Role.ORDINARY]


# --- undoing a skip ---------------------------------------------------------------------------
def test_a_skip_undone_is_the_same_pair_with_the_same_sides() -> None:
    first = ready(matchups=4)
    before = (first.uuid, first.matchup_id, first.order, first.ordinal)
    skip_assignment(first, "length", now=NOW)
    make_assignment(first.enrollment)
    assert is_undoable(first, LATER)
    judgment = record(first)
    again = Assignment.objects.get(pk=first.pk)
    assert (again.uuid, again.matchup_id, again.order, again.ordinal) == before
    assert (again.state, judgment.assignment, judgment.revision) == ("done", again, 0)
    assert list(Judgment.objects.counted()) == [judgment]


def test_a_skip_undone_leaves_what_is_on_the_screen_and_the_control_schedule() -> None:
    first = ready(matchups=6)
    skip_assignment(first, "length", now=NOW)
    shown = make_assignment(first.enrollment)
    record(first)
    assert make_assignment(first.enrollment, now=LATER) == shown
    assert shown.ordinal == 2
    record(shown, replaces="")
    assert make_assignment(first.enrollment, now=LATER).ordinal == 3


def test_a_skipped_pair_waits_for_a_change_of_mind_and_then_goes_to_somebody_else() -> None:
    first = ready(overlap=1)
    event = first.enrollment.event
    skip_assignment(first, "length", now=NOW)
    skip_assignment(first, "length", now=NOW)
    assert next_assignment(make_enrollment(event), Random(1), LATER) is None
    assert release_skipped_slots(NOW + WINDOW - timedelta(seconds=1)) == 0
    assert release_skipped_slots(NOW + WINDOW) == 1
    assert release_skipped_slots(NOW + WINDOW) == 0
    assert slots(first) == 1
    assert next_assignment(make_enrollment(event), Random(1), NOW + WINDOW) is not None


def test_beat_releases_what_was_skipped_by_somebody_who_went_away() -> None:
    first = ready(overlap=1)
    skip_assignment(first, "length", now=NOW)
    sweep_leases()
    assert slots(first) == 1


@pytest.mark.parametrize("act", ["answer", "skip", "flag"])
def test_the_next_decision_settles_a_skip(act: str) -> None:
    first = ready(matchups=3, overlap=1)
    skip_assignment(first, "length", now=NOW)
    second = make_assignment(first.enrollment)
    if act == "answer":
        record(second, replaces="")
    elif act == "skip":
        skip_assignment(second, "length", now=LATER)
    else:
        flag_assignment(second, "broken", "", now=LATER)
    assert slots(first) == 1
    first.refresh_from_db()
    assert not is_undoable(first, LATER)
    with pytest.raises(ConflictError) as caught:
        record(first)
    assert "too late" in caught.value.message


def test_without_an_undo_window_a_skip_gives_its_slot_back_at_once() -> None:
    first = ready(overlap=1, undo_seconds=0)
    skip_assignment(first, "length", now=NOW)
    assert slots(first) == 1
    assert not is_undoable(first, NOW)
    with pytest.raises(ConflictError):
        record(first, now=NOW)


def test_undoing_a_skip_is_offered_as_long_as_undoing_an_answer() -> None:
    first = ready(undo_seconds=60)
    skip_assignment(first, "length", now=NOW)
    assert get_undo_deadline(first) == NOW + timedelta(seconds=60)
    assert is_undoable(first, NOW + timedelta(seconds=59))
    assert not is_undoable(first, NOW + timedelta(seconds=60))
    # Who went back in time gets to finish.
    assert record(first, now=NOW + timedelta(seconds=179)).pk
    late = ready(undo_seconds=60)
    skip_assignment(late, "length", now=NOW)
    with pytest.raises(ConflictError):
        record(late, now=NOW + timedelta(seconds=180))


def test_after_the_deadline_no_skip_is_undone() -> None:
    closes = NOW + timedelta(seconds=20)
    first = ready(closes_at=closes)
    skip_assignment(first, "length", now=NOW)
    assert get_undo_deadline(first) == closes
    with pytest.raises(ConflictError):
        record(first, now=closes)
    assert not Judgment.objects.exists()


def test_a_pair_retired_meanwhile_is_not_shown_again() -> None:
    first = ready()
    skip_assignment(first, "length", now=NOW)
    assert is_undoable(first, LATER)
    retire_matchup(first.matchup, Ruling(None, NOW))
    assert not is_undoable(first, LATER)


def test_an_answer_from_a_tab_that_knows_nothing_of_the_skip_changes_nothing() -> None:
    first = ready()
    skip_assignment(first, "length", now=NOW)
    with pytest.raises(ChangeableError) as caught:
        record(first, replaces="")
    assert "You have skipped this pair" in caught.value.message
    assert not Judgment.objects.exists()
    assert record(first).pk


def test_a_skip_undone_and_answered_can_be_changed_like_any_answer() -> None:
    first = ready()
    skip_assignment(first, "length", now=NOW)
    judgment = record(first)
    first.refresh_from_db()
    assert is_undoable(first, LATER + timedelta(seconds=119))
    assert record(first) == judgment
    assert record(first, replaces="0", posted="b1").revises == judgment


def test_undoing_a_skip_never_judges_a_pair_more_often_than_wanted() -> None:
    """Somebody's slot is gone where they were excluded meanwhile: the answer is kept as late."""
    first = ready(overlap=1)
    skip_assignment(first, "length", now=NOW)
    Assignment.objects.filter(pk=first.pk).update(holds_slot=False)
    Matchup.objects.update(open_slots=1)
    other = make_assignment(make_enrollment(first.enrollment.event))
    assert record(first).exclusions.get().reason == "late"
    counting = record(other, replaces="")
    assert list(Judgment.objects.counted()) == [counting]


@pytest.mark.django_db(transaction=True)
def test_skips_undone_by_many_at_once_keep_the_overlap_exact() -> None:
    event = make_event(overlap=3)
    models = make_competitors(event, 2)
    make_matchups(event, models, 6)
    people = [make_enrollment(event) for _ in range(8)]

    def work(enrollment: Enrollment) -> None:
        rng = Random(enrollment.pk)
        while assignment := next_assignment(enrollment, rng, NOW):
            if rng.random() < 0.5:
                skip_assignment(assignment, "other", now=NOW)
                if rng.random() < 0.5:
                    next_assignment(enrollment, rng, NOW)
                    record(assignment, now=NOW)
            else:
                record(assignment, replaces="", now=NOW)

    assert (
        parallel_map([partial(work, enrollment) for enrollment in people], threads=8) == [None] * 8
    )
    release_skipped_slots(NOW + WINDOW)
    for matchup in event.matchups.all():
        assert Judgment.objects.counted().filter(matchup=matchup).count() <= 3
        assert matchup.judgments.count() + matchup.open_slots == 3


@pytest.mark.django_db(transaction=True)
def test_an_answer_and_the_sweeper_at_once_agree_on_the_slot() -> None:
    first = ready(overlap=1)
    skip_assignment(first, "length", now=NOW)
    end = NOW + WINDOW
    Assignment.objects.update(lease_until=end)

    def answer() -> None:
        mine = Assignment.objects.select_related("enrollment__event").get(pk=first.pk)
        record(mine, now=end - timedelta(seconds=1))

    def sweep() -> None:
        release_skipped_slots(end)

    parallel_map([answer, sweep] * 4, threads=8)
    assert Judgment.objects.counted().count() + slots(first) == 1


# --- undoing a flag ---------------------------------------------------------------------------
def test_a_flag_can_be_undone_like_a_skip_and_is_taken_back() -> None:
    first = ready(matchups=2)
    flag_assignment(first, "broken", "cut off", now=NOW)
    assert is_undoable(first, LATER)
    assert Flag.objects.waiting().count() == 1
    record(first)
    flag = Flag.objects.get()
    assert (flag.withdrawn_at, flag.note) == (LATER, "cut off")
    assert not Flag.objects.waiting().exists()


def test_a_flag_that_somebody_has_dealt_with_stays_when_its_pair_is_answered() -> None:
    first = ready()
    flag_assignment(first, "broken", "cut off", now=NOW)
    Flag.objects.update(resolved_at=NOW)
    record(first)
    assert Flag.objects.get().withdrawn_at is None


def test_a_flag_taken_back_can_be_raised_again() -> None:
    first = ready()
    flag_assignment(first, "broken", "cut off", now=NOW)
    record(first)
    flag_assignment(first, "harmful", "really", now=LATER)
    flag = Flag.objects.waiting().get()
    assert (flag.reason, flag.note) == ("harmful", "really")


# --- what a skip tells ------------------------------------------------------------------------
def statements(queries: CaptureQueriesContext) -> tuple[str, ...]:
    return tuple(re.sub(r"\d+|'[^']*'|true|false", "?", query["sql"])[:60] for query in queries)


@pytest.mark.parametrize("act", ["skip", "flag"])
def test_undoing_takes_a_control_the_same_statements(act: str) -> None:
    event = make_event(overlap=5)
    models = make_competitors(event, 2)
    make_matchups(event, models, 24)
    for _ in range(6):
        make_control(event)
    enrollment = make_enrollment(event)
    seen: dict[str, set[tuple[str, ...]]] = {
        Matchup.Role.ORDINARY: set(),
        Matchup.Role.CONTROL: set(),
    }
    record(make_assignment(enrollment), replaces="")
    for _ in range(20):
        assignment = make_assignment(enrollment)
        with CaptureQueriesContext(connection) as queries:
            if act == "skip":
                skip_assignment(assignment, "other", now=NOW)
            else:
                flag_assignment(assignment, "other", "", now=NOW)
            assert is_undoable(assignment, NOW)
            record(assignment, now=NOW)
        seen[assignment.matchup.role].add(statements(queries))
    assert len(seen[Matchup.Role.ORDINARY]) == 1
    assert seen[Matchup.Role.CONTROL] == seen[Matchup.Role.ORDINARY]

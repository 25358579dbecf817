"""The life of an event: what opening waits for, and the clock's steps."""

from datetime import timedelta

import pytest

from arena.errors import ArenaError, ConflictError
from arena.events.decision_record import Ruling
from arena.events.joining.enrolling import provision_event_seats
from arena.events.lifecycle.prizes import MIN_CONTROLS_FOR_PRIZE, turns_for_prize
from arena.events.lifecycle.transitions import (
    advance_events,
    check_readiness,
    close_event,
    extend_event,
    freeze_time,
    open_event,
)
from arena.events.models import Event
from arena.judging.models import Assignment, Judgment
from arena.judging.recording import check_answers, record_judgment
from arena.judging.serving.schedule import get_run
from arena.people.models import Seat
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchups,
)

pytestmark = pytest.mark.django_db
State = Event.State
HOUR = timedelta(hours=1)


def draft(matchups: int = 2, controls: int = 0, **settings) -> Event:
    usual = {"state": State.DRAFT, "closes_at": NOW + 5 * HOUR, "publish_batch": 20}
    event = make_event(**(usual | settings))
    models = make_competitors(event, 2)
    make_matchups(event, models, matchups)
    for _ in range(controls):
        make_control(event)
    return event


def codes(event: Event, *, blocks: bool = True) -> list[str]:
    return [c.code for c in check_readiness(event, NOW) if c.blocks == blocks]


def test_opens_when_nothing_is_missing() -> None:
    event = draft(controls=2)
    assert codes(event) == []
    open_event(event, NOW)
    event.refresh_from_db()
    assert event.is_open(NOW)
    with pytest.raises(ConflictError):
        open_event(event, NOW)


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"matchups": 0}, "records"),
        ({"closes_at": NOW - HOUR}, "deadline"),
        ({"prize": "A book"}, "controls"),
    ],
)
def test_waits_for_what_is_missing_and_names_it(settings: dict, missing: str) -> None:
    event = draft(**settings)
    assert codes(event) == [missing]
    with pytest.raises(ArenaError) as caught:
        open_event(event, NOW)
    assert caught.value.code == "not_ready"
    event.refresh_from_db()
    assert event.state == State.DRAFT


def test_guidelines_and_a_question_are_needed() -> None:
    event = draft()
    event.guidelines.all().delete()
    event.questions.update(required=False)
    assert codes(event) == ["guidelines", "questions"]


@pytest.mark.parametrize("is_private", [False, True])
def test_the_checklist_says_when_nobody_can_join_by_the_link(is_private: bool) -> None:
    event = draft(matchups=2, is_private=is_private)
    words = (
        "work only for people with an account" if is_private else "nobody can join with the link"
    )
    told = [check for check in check_readiness(event, NOW) if check.code == "seats"]
    assert words in told[0].message
    provision_event_seats(event, 3, Seat.Kind.PRINTED, NOW)
    told = [check for check in check_readiness(event, NOW) if check.code == "seats"]
    assert words in told[0].message
    assert "printed" in told[0].message
    provision_event_seats(event, 1, Seat.Kind.OPEN, NOW)
    assert "seats" not in codes(event, blocks=False)
    Seat.objects.filter(kind=Seat.Kind.OPEN).update(claimed_at=NOW)
    told = [check for check in check_readiness(event, NOW) if check.code == "seats"]
    assert "Every open seat is taken" in told[0].message


def test_warns_of_boards_that_give_controls_away() -> None:
    assert codes(draft(controls=1), blocks=False) == ["controls", "seats"]
    live = draft(controls=1, publish_batch=0)
    assert codes(live, blocks=False) == ["publish_batch", "controls", "seats"]
    told = check_readiness(live, NOW)
    assert "can tell which matchups are controls" in " ".join(check.message for check in told)
    assert codes(draft(publish_batch=0), blocks=False) == ["controls", "seats"]


def test_live_boards_and_a_prize_do_not_go_together() -> None:
    prize = {"prize": "A book", "controls": 23, "matchups": 92, "control_interval": 12}
    assert codes(draft(**prize)) == []
    assert codes(draft(publish_batch=0, **prize)) == ["publish_batch"]


def test_live_boards_are_proposed_to_a_small_circle_without_a_prize() -> None:
    circle = {"controls": 1, "is_private": True}
    assert codes(draft(**circle), blocks=False) == ["publish_batch", "controls", "seats"]
    event = draft(prize="A book", controls=23, matchups=92, control_interval=12, is_private=True)
    assert "publish_batch" not in codes(event, blocks=False)


@pytest.mark.parametrize(
    ("interval", "matchups", "controls", "ready"),
    [(20, 140, 18, True), (20, 139, 18, False), (12, 92, 14, True), (12, 60, 9, False)],
)
def test_a_prize_waits_until_somebody_could_win_it(
    interval: int, matchups: int, controls: int, *, ready: bool
) -> None:
    event = draft(matchups, controls, prize="A book", control_interval=interval)
    assert codes(event) == ([] if ready else ["controls"])


def test_the_last_turn_of_ten_controls_is_where_the_schedule_says() -> None:
    for interval in (2, 12, 20):
        runs = {get_run(ordinal, interval) for ordinal in range(1, 400)}
        assert sorted(runs)[MIN_CONTROLS_FOR_PRIZE - 1][1] == turns_for_prize(
            Event(control_interval=interval)
        )


def test_what_is_half_imported_or_retired_is_nothing_to_judge() -> None:
    event = draft(matchups=2, controls=1)
    event.records.filter(matchups__role="ordinary").update(imported_at=None)
    assert codes(event) == ["records"]
    event.records.update(imported_at=NOW, retired_at=NOW)
    assert codes(event) == ["records"]


def test_the_clock_freezes_and_closes() -> None:
    event = draft(controls=1, freeze_minutes=60, grace_minutes=10)
    open_event(event, NOW)
    closes = event.closes_at
    assert closes is not None
    seen = []
    for moment in (NOW, closes - HOUR, closes, closes + timedelta(minutes=10), closes + HOUR):
        advance_events(moment)
        event.refresh_from_db()
        seen.append(event.state)
    assert seen == [State.OPEN, State.FROZEN, State.FROZEN, State.CLOSED, State.CLOSED]


def test_ranks_stand_still_for_half_of_a_short_event_at_most() -> None:
    event = draft(closes_at=NOW + HOUR, freeze_minutes=60)
    open_event(event, NOW)
    assert event.opens_at == NOW
    assert event.closes_at is not None
    assert freeze_time(event, event.closes_at) == NOW + HOUR / 2
    advance_events(NOW)
    event.refresh_from_db()
    assert event.state == State.OPEN


def shown(event: Event) -> Assignment:
    """What a contributor has on the screen."""
    return make_assignment(make_enrollment(event), now=NOW)


def test_closing_lets_what_is_on_a_screen_be_answered() -> None:
    event = draft(state=State.OPEN, grace_minutes=10, lease_minutes=30)
    assignment, later = shown(event), NOW + timedelta(minutes=1)
    close_event(event, Ruling(None, later))
    assert (event.state, event.closes_at) == (State.FROZEN, later)
    assert not event.is_open(later)
    assignment.refresh_from_db()
    answers = check_answers(assignment, {"preference": "a1"})
    record_judgment(assignment, answers, now=later + timedelta(minutes=9))
    assert Judgment.objects.counted().count() == 1
    advance_events(later + timedelta(minutes=10))
    event.refresh_from_db()
    assert event.state == State.CLOSED


@pytest.mark.parametrize(("grace", "held"), [(0, True), (10, False)])
def test_closing_is_over_at_once_where_nobody_may_answer(grace: int, *, held: bool) -> None:
    event = draft(state=State.OPEN, grace_minutes=grace)
    if held:
        shown(event)
    close_event(event, Ruling(None, NOW))
    event.refresh_from_db()
    assert (event.state, event.closes_at) == (State.CLOSED, NOW)


def test_closing_before_the_opening_keeps_the_times() -> None:
    event = draft(state=State.OPEN, opens_at=NOW + HOUR)
    close_event(event, Ruling(None, NOW))
    event.refresh_from_db()
    assert (event.state, event.closes_at) == (State.CLOSED, NOW + 5 * HOUR)


def test_a_frozen_event_is_still_judged_until_its_deadline() -> None:
    event = draft(state=State.FROZEN)
    assert event.closes_at is not None
    assert event.is_open(event.closes_at - HOUR)
    assert not event.is_open(event.closes_at)
    assert event.takes_answer(event.closes_at)


def test_no_deadline_lies_before_the_opening() -> None:
    event = draft(state=State.OPEN, opens_at=NOW + 2 * HOUR)
    for closes_at in (NOW + HOUR, NOW + 2 * HOUR):
        with pytest.raises(ArenaError, match="before the opening"):
            extend_event(event, closes_at, Ruling(None, NOW))


def test_extending_thaws() -> None:
    event = draft(state=State.FROZEN)
    extend_event(event, NOW + 10 * HOUR, Ruling(None, NOW))
    assert event.state == State.OPEN
    with pytest.raises(ArenaError):
        extend_event(event, NOW, Ruling(None, NOW))
    close_event(event, Ruling(None, NOW))
    with pytest.raises(ConflictError):
        extend_event(event, NOW + HOUR, Ruling(None, NOW))

"""What a prize and a rating take is said before the effort, and kindly again in time."""

from typing import Any

import pytest
from django.test import Client

from arena.desk.queries.planning import plan_work
from arena.events.lifecycle.prizes import turns_for_prize
from arena.events.models import Event
from arena.judging.models import Assignment
from arena.judging.serving.schedule import is_control_turn
from arena.people.models import User
from leaderboard.contributors.scores import first_look
from leaderboard.models import Standing
from leaderboard.trust.quality import MIN_CONTROLS_FOR_QUALITY
from tests.factories import (
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
from tests.test_winner import verify

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def text(client: Client, path: str) -> str:
    return " ".join(client.get(path).content.decode().split())


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def event() -> Event:
    """A running event with a prize and matchups enough for eleven judgments."""
    event = make_event("fair", organizer=make_user("olga"), prize="A book", control_interval=12)
    models = make_competitors(event, 2)
    make_matchups(event, models, 14)
    return event


@pytest.mark.parametrize(("interval", "needed"), [(12, 102), (20, 150), (7, 72)])
def test_the_judgments_that_are_named_are_those_that_decide(interval: int, needed: int) -> None:
    event = make_event(control_interval=interval)
    assert turns_for_prize(event) == first_look(event) == plan_work(event).needed == needed
    for person in ("one", "another"):
        turns = range(1, needed + 1)
        met = sum(is_control_turn(event.secret, person, turn, interval) for turn in turns)
        assert met == MIN_CONTROLS_FOR_QUALITY


def test_conditions_stand_on_the_event_page_and_in_the_terms(client: Client, event: Event) -> None:
    for path in ("/events/fair/", "/events/fair/join/"):
        page = text(Client() if path.endswith("fair/") else browser(make_user()), path)
        assert "a confirmed e-mail address" in page
        assert "about 102 judgments" in page
    Event.objects.update(prize="")
    assert "To win it, you need" not in text(client, "/events/fair/")


def test_my_judgments_say_what_is_missing_for_the_prize(event: Event) -> None:
    enrollment = make_enrollment(event)
    make_judgment(enrollment)
    assert enrollment.user
    mine = browser(enrollment.user)
    page = text(mine, "/events/fair/me/")
    assert "Your identity is not confirmed yet" in page
    assert "You need about 102 judgments" in page
    assert "You have 1." in page
    verify(enrollment.user)
    assert "Your identity is confirmed." in text(mine, "/events/fair/me/")
    Event.objects.update(prize="")
    assert "identity" not in text(mine, "/events/fair/me/")


def test_a_reminder_comes_at_the_tenth_judgment_and_not_again(event: Event) -> None:
    enrollment = make_enrollment(event)
    assert enrollment.user
    mine = browser(enrollment.user)
    seen = []
    for _ in range(12):
        there = f"/judge/{make_assignment(enrollment).uuid}/"
        seen.append("Ten judgments, thank you!" in text(mine, there))
        mine.post(there, {"preference": "a1", "comment": ""})
    assert seen.index(True) == 10
    assert seen.count(True) == 1


def test_nobody_is_reminded_without_a_prize_or_with_an_identity(event: Event) -> None:
    known, free = make_enrollment(event), make_enrollment(make_event("free"))
    assert known.user
    verify(known.user)
    for _ in range(10):
        make_judgment(known)
    there = f"/judge/{make_assignment(known).uuid}/"
    assert "Ten judgments" not in text(browser(known.user), there)
    assert free.user
    assert "top ten" not in text(browser(free.user), "/events/free/")


def test_a_place_in_the_first_ten_is_worth_a_reminder(event: Event) -> None:
    ranks: dict[int | None, bool] = {1: True, 10: True, 11: False, None: False}
    for rank, reminded in ranks.items():
        enrollment = make_enrollment(event)
        make_standing(enrollment, rank)
        assert enrollment.user
        for path in ("/events/fair/", "/events/fair/me/"):
            page = text(browser(enrollment.user), path)
            assert ("You are in the top ten." in page) is reminded, (rank, path)


def make_standing(enrollment: Any, rank: int | None) -> None:
    rated = {"quality": 500_000, "score": 5_000_000, "rank": rank, "band": 3} if rank else {}
    Standing.objects.create(
        event=enrollment.event, enrollment=enrollment, judgments=10, simulated=0, **rated
    )


def test_set_up_says_what_the_plan_yields(event: Event) -> None:
    desk = browser(event.memberships.get().user)
    for step in ("event", "questions", "controls", "seats"):
        page = text(desk, f"/events/fair/desk/{step}/")
        assert "42 <small>14 × 3</small>" in page
        assert "each person needs 102 judgments" in page
        assert "there are 0 controls, and a rating requires 10" in page
        assert "With one in 20, it is 150." in page
    Event.objects.update(state=Event.State.CLOSED)
    assert "What to expect" not in text(desk, "/events/fair/desk/questions/")


def test_a_plan_with_too_few_matchups_rates_nobody() -> None:
    event = make_event(control_interval=12)
    models = make_competitors(event, 2)
    for _ in range(12):
        make_control(event)
    make_matchups(event, models, 91)
    plan = plan_work(event)
    assert (plan.people_rated, plan.controls_each, plan.most_each) == (0, 9, 100)
    make_matchup(event, models)
    plan = plan_work(event)
    assert (plan.controls_each, plan.most_each, plan.needed) == (10, 102, 102)
    assert plan.people_rated == 92 * 3 // 92
    assert Assignment.objects.count() == 0

"""The health of controls: who met them, who passed, what changed, and what is doubtful."""

import pytest
from django.test import Client
from django.urls import reverse

from arena.desk.queries.control_health import ControlHealth, measure_controls
from arena.events.models import Enrollment, Event, Matchup
from arena.judging.models import Assignment
from leaderboard.models import Reliability
from tests.factories import NOW, make_control, make_enrollment, make_event, make_user
from tests.leaderboard.votes import make_vote

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return make_event("fair", organizer=make_user("olga"))


def make_person(event: Event, *, reads: float = 0.99, overall: float = 1.0) -> Enrollment:
    who = make_enrollment(event)
    zeros = ("judgments", "controls", "passed", "weight", "left", "ties", "right")
    rest = ("on_controls", "on_others", "rig_evidence", "side_evidence", "overall_error")
    rest += ("on_controls_error", "on_others_error")
    numbers = dict.fromkeys(zeros, 0) | dict.fromkeys(rest, 0.0)
    Reliability.objects.create(event=event, enrollment=who, reads=reads, overall=overall, **numbers)
    return who


def answer(who: Enrollment, control: Matchup, *, right: bool) -> None:
    sign = control.control.key["sign"]
    make_vote(who, control, sign if right else -sign)


def show(who: Enrollment, control: Matchup, times: int = 1) -> None:
    for number in range(times):
        Assignment.objects.create(
            enrollment=who if not number else make_enrollment(who.event),
            matchup=control,
            ordinal=1,
            order=[0, 1],
            state=Assignment.State.DONE,
            reserved_at=NOW,
            shown_at=NOW,
            lease_until=NOW,
            finished_at=NOW,
            guidelines=who.event.guidelines.first(),
        )


def only(event: Event) -> ControlHealth:
    (found,) = measure_controls(event)
    return found


def test_passes_are_those_of_people_who_read(event: Event) -> None:
    control = make_control(event, 1)
    for number in range(8):
        answer(make_person(event), control, right=number < 6)
    answer(make_person(event, reads=0.1, overall=0.0), control, right=False)
    found = only(event)
    assert (found.answers, found.by_readers, found.rate) == (9, 8, 0.75)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.75 < found.high
    assert (found.missed, found.reliable, found.is_doubtful) == (2, 8, False)
    assert found.course == []


def test_a_key_that_reliable_people_miss_is_in_doubt(event: Event) -> None:
    control = make_control(event, -1)
    for number in range(6):
        answer(make_person(event), control, right=number < 2)
    assert only(event).is_doubtful


def test_a_jump_and_the_course_are_told(event: Event) -> None:
    control = make_control(event, 1)
    for number in range(60):
        answer(make_person(event), control, right=number >= 32 or number % 2 == 0)
    found = only(event)
    assert found.jump is not None
    assert found.jump.rises
    assert len(found.course) == 6
    assert found.course[0] == 0.5
    assert found.course[-1] == 1.0


def test_one_that_is_shown_too_often_is_marked(event: Event) -> None:
    controls = [make_control(event, 1) for _ in range(3)]
    for control, times in zip(controls, (2, 2, 5), strict=True):
        show(make_enrollment(event), control, times)
    found = {one.control.matchup_id: one for one in measure_controls(event)}
    assert [found[control.pk].showings for control in controls] == [2, 2, 5]
    assert [found[control.pk].is_overexposed for control in controls] == [False, False, True]


def test_the_page(event: Event, client: Client) -> None:
    client.force_login(event.memberships.get().user)
    address = reverse("desk:controls", args=["fair"])
    assert "There are no controls." in client.get(address).content.decode()
    control = make_control(event, -1)
    for number in range(40):
        answer(make_person(event), control, right=number < 10)
    page = client.get(address).content.decode()
    for said in ("key in doubt", "25%", "Missed by reliable"):
        assert said in page

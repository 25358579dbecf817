"""What a reviewer hears after a decision is true in the state the event is in."""

import pytest
from django.test import Client
from django.utils import timezone

from arena.events.models import Enrollment, Event
from tests.desk.cast import url
from tests.factories import make_control, make_enrollment, make_judgment
from tests.states.scenes import HOUR, TIMES

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
HEARD = {
    "open": "Boards update within seconds.",
    "frozen": "the result will follow when the event closes",
    "grace": "the result will follow when the event closes",
    "closed": "The provisional result follows within a minute.",
    "published": "The published result stays as it is until you publish a correction.",
}


@pytest.fixture
def judged(event: Event) -> Enrollment:
    enrollment = make_enrollment(event)
    make_judgment(enrollment)
    return enrollment


def decide(desk: Client, enrollment: Enrollment, **said: str) -> str:
    address = url("contributor", enrollment.event, enrollment.public_id)
    return desk.post(address, {"sure": "yes"} | said, follow=True).content.decode()


@pytest.mark.parametrize("name", HEARD)
def test_an_exclusion_says_when_boards_follow_in_this_state(
    desk: Client, judged: Enrollment, name: str
) -> None:
    state, opens, closes = TIMES[name]
    now = timezone.now()
    times = {"opens_at": now + (opens or 0) * HOUR, "closes_at": now + (closes or 0) * HOUR}
    Event.objects.filter(pk=judged.event_id).update(state=state, **times)
    for said in (
        {"act": "exclude", "reason": "unreliable", "note": "So."},
        {"act": "reinstate", "because": "No."},
    ):
        page = decide(desk, judged, **said)
        assert HEARD[name] in page
        others = {words for words in HEARD.values() if words != HEARD[name]}
        assert not [words for words in others if words in page]


def test_boards_that_move_in_batches_are_not_promised_within_seconds(
    desk: Client, judged: Enrollment
) -> None:
    Event.objects.filter(pk=judged.event_id).update(publish_batch=100)
    page = decide(desk, judged, act="exclude", reason="unreliable", note="So.")
    assert "The boards reflect this at their next update." in page
    assert "within seconds" not in page


def test_after_an_exclusion_the_evidence_is_still_there(desk: Client, event: Event) -> None:
    """Control answers of an excluded contributor are counted as before, and 0 of 0 is no figure."""
    enrollment = make_enrollment(event)
    address = url("contributor", event, enrollment.public_id)
    assert "Not rated." in desk.get(address).content.decode()
    make_control(event)
    for posted in ("a1", "b1", "a2", "tie", "a1"):
        make_judgment(enrollment, posted)
    before = desk.get(address).context
    assert [answer.passed for answer in before["control_answers"]] == [True]
    decide(desk, enrollment, act="exclude", reason="unreliable", note="So.")
    after = desk.get(address)
    passed = [answer.passed for answer in after.context["control_answers"]]
    assert passed == [True]
    assert (before["counted"], after.context["counted"]) == (5, 0)
    assert "0 of 0" not in " ".join(after.content.decode().split())

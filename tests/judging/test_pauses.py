"""Many skips in a row cost time and nothing else, and nothing tells a control."""

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from arena.events.models import Enrollment
from arena.judging.models import Assignment
from arena.judging.recording import check_answers, record_judgment
from arena.judging.skipping import (
    FREE_SKIPS,
    MAX_PAUSE,
    PAUSE_STEP,
    find_pause,
    flag_assignment,
    skip_assignment,
)
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup,
    make_matchups,
)
from tests.judging.cast import HTMX, Cast

pytestmark = pytest.mark.django_db


def make_contributor(matchups: int = 60) -> Enrollment:
    event = make_event()
    models = make_competitors(event, 2)
    make_matchups(event, models, matchups)
    return make_enrollment(event)


def skip_some(enrollment: Enrollment, count: int, now: datetime = NOW) -> None:
    for _ in range(count):
        skip_assignment(make_assignment(enrollment, now=now), "length", now=now)


def test_twenty_skips_in_a_row_are_free_and_the_next_matchup_comes_after_a_pause() -> None:
    enrollment = make_contributor()
    skip_some(enrollment, FREE_SKIPS - 1)
    assert find_pause(enrollment, NOW) is None
    skip_some(enrollment, 1)
    pause = find_pause(enrollment, NOW)
    assert pause is not None
    assert (pause.skips, pause.until) == (20, NOW + timedelta(seconds=5))
    assert find_pause(enrollment, pause.until) is None


def test_each_skip_more_makes_the_pause_longer_up_to_two_minutes() -> None:
    enrollment, lengths = make_contributor(), []
    skip_some(enrollment, FREE_SKIPS)
    for _ in range(MAX_PAUSE // PAUSE_STEP + 3):
        pause = find_pause(enrollment, NOW)
        assert pause is not None
        lengths.append((pause.until - NOW).total_seconds())
        skip_some(enrollment, 1)
    assert lengths[:3] == [5, 10, 15]
    assert lengths[-4:] == [120, 120, 120, 120]


def test_a_judgment_ends_the_pauses() -> None:
    enrollment = make_contributor()
    skip_some(enrollment, FREE_SKIPS + 3)
    assignment = make_assignment(enrollment)
    record_judgment(assignment, check_answers(assignment, {"preference": "a2"}), now=NOW)
    assert find_pause(enrollment, NOW) is None
    skip_some(enrollment, FREE_SKIPS - 1)
    assert find_pause(enrollment, NOW) is None


def test_going_back_to_the_last_skip_and_judging_it_ends_the_pause() -> None:
    enrollment = make_contributor()
    skip_some(enrollment, FREE_SKIPS)
    assert find_pause(enrollment, NOW) is not None
    last = enrollment.assignments.filter(state="skipped").latest("ordinal")
    answers = check_answers(last, {"preference": "a2"})
    record_judgment(last, answers, now=NOW, replaces="skip")
    assert find_pause(enrollment, NOW) is None


def test_reporting_is_skipping_too() -> None:
    enrollment = make_contributor()
    for _ in range(FREE_SKIPS):
        flag_assignment(make_assignment(enrollment), "broken", "", now=NOW)
    assert find_pause(enrollment, NOW) is not None


def test_a_control_costs_as_much_as_any_other_matchup() -> None:
    pauses = []
    for make in (make_matchup, make_control):
        event = make_event()
        make_competitors(event, 2)
        for _ in range(FREE_SKIPS + 2):
            make(event)
        enrollment = make_enrollment(event)
        for ordinal, matchup in enumerate(event.matchups.all(), 1):
            skipped = Assignment.objects.create(
                enrollment=enrollment,
                matchup=matchup,
                ordinal=ordinal,
                order=[0, 1],
                state="shown",
                reserved_at=NOW,
                shown_at=NOW,
                lease_until=NOW + timedelta(minutes=30),
            )
            skip_assignment(skipped, "length", now=NOW)
        with CaptureQueriesContext(connection) as queries:
            pause = find_pause(enrollment, NOW)
        assert pause is not None
        pauses.append((pause, len(queries)))
    assert pauses[0] == pauses[1]
    assert pauses[0][1] == 1


def test_nobody_waits_for_somebody_elses_skips() -> None:
    enrollment = make_contributor()
    other = make_enrollment(enrollment.event)
    skip_some(enrollment, FREE_SKIPS)
    assert find_pause(other, NOW) is None


class Skipper(Cast):
    """Somebody who has skipped 19 in a row a moment ago, and sees the twentieth."""

    def __init__(self) -> None:
        super().__init__(matchups=40)
        self.now = timezone.now()
        skip_some(self.enrollment, FREE_SKIPS - 1, self.now)

    def skip(self, **headers):
        url = reverse("judging:skip", args=[self.assignment().uuid])
        return self.client.post(url, {"reason": "length"}, **headers)


@pytest.mark.usefixtures("still_clock")
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_the_page_says_how_long_and_goes_on_by_itself(headers: dict[str, str]) -> None:
    skipper = Skipper()
    reply = skipper.skip(**headers)
    leads = reply.headers.get("Location") or reply.headers.get("HX-Redirect")
    assert leads == skipper.next_url
    page = skipper.client.get(leads)
    assert page.status_code == 200
    words = re.sub(r"\s+", " ", page.content.decode())
    assert "You skipped 20 pairs in a row." in words
    assert "The next one comes in 5 seconds." in words
    assert page.headers["Refresh"] == f"5; url={skipper.next_url}"
    assert not skipper.enrollment.assignments.filter(state="shown").exists()


@pytest.mark.usefixtures("still_clock")
def test_no_address_leads_around_the_pause() -> None:
    skipper = Skipper()
    earlier = skipper.enrollment.assignments.filter(state="skipped").earliest("ordinal")
    skipper.skip()
    addresses = [skipper.next_url, reverse("judging:judge", args=[earlier.uuid])]
    for address in addresses:
        assert "A short pause" in skipper.client.get(address).content.decode()
    again = skipper.client.post(
        reverse("judging:skip", args=[earlier.uuid]), {"reason": "length"}, follow=True
    )
    assert "A short pause" in again.content.decode()
    assert not skipper.enrollment.assignments.filter(state="shown").exists()


def test_after_the_pause_the_next_matchup_is_there(
    still_clock: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    skipper = Skipper()
    skipper.skip()
    assert "A short pause" in skipper.client.get(skipper.next_url).content.decode()
    later = still_clock + timedelta(seconds=5)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert skipper.client.get(skipper.next_url).status_code == 302
    assert skipper.assignment()


@pytest.mark.usefixtures("still_clock")
def test_an_answer_is_never_kept_waiting() -> None:
    skipper = Skipper()
    reply = skipper.judge(**HTMX)
    assert reply.content.strip().startswith(b"<section")

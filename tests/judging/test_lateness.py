"""An answer that came too late: until the close nothing says so, to a control or to any other."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.events.models import Event, Matchup, Membership
from arena.judging.models import Assignment, Judgment
from tests.factories import (
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup,
    make_membership,
    make_user,
)
from tests.judging.cast import signed_in
from tests.leaderboard.votes import refresh

pytestmark = pytest.mark.django_db
TOLD = "Answered after its time"
PAGES = (
    "judging:me",
    "events:event",
    "leaderboard:contributors",
    "leaderboard:board",
    "leaderboard:method",
    "leaderboard:exclusions",
    "leaderboard:exclusions_json",
)


class LateContributor:
    """Somebody whose one answer comes after its lease, when others have taken all slots."""

    def __init__(self, role: str) -> None:
        self.event = make_event(f"late-{role}", overlap=1, publish_batch=20)
        make_control(self.event)
        models = make_competitors(self.event, 2)
        is_control = role == Matchup.Role.CONTROL
        self.matchup = make_control(self.event) if is_control else make_matchup(self.event, models)
        Matchup.objects.filter(pk=self.matchup.pk).update(open_slots=0)
        self.enrollment = make_enrollment(self.event)
        self.client = signed_in(self.enrollment.user)
        now = timezone.now()
        self.assignment = Assignment.objects.create(
            enrollment=self.enrollment,
            matchup=self.matchup,
            guidelines=self.event.guidelines.latest(),
            ordinal=1,
            order=[0, 1],
            state=Assignment.State.EXPIRED,
            reserved_at=now - timedelta(hours=1),
            shown_at=now - timedelta(hours=1),
            lease_until=now - timedelta(minutes=1),
            finished_at=now - timedelta(minutes=1),
        )

    def answer(self) -> str:
        """The reply to the answer; the boards follow."""
        url = reverse("judging:judge", args=[self.assignment.uuid])
        reply = self.client.post(url, {"preference": "a1", "comment": ""}, follow=True)
        refresh(self.event, timezone.now())
        assert Judgment.objects.filter(assignment=self.assignment).count() == 1
        page = reply.content.decode()
        return " ".join(re.findall(r"Your answer is saved[^<]*|Time had run out[^<]*", page))

    def read(self, name: str, client: Client | None = None) -> str:
        """A page of the event, without what differs between any two people and events."""
        response = (client or self.client).get(reverse(name, args=[self.event.slug]))
        page = response.content.decode()
        names = [self.event.title, self.event.slug, self.enrollment.pseudonym]
        names += [self.enrollment.user.username, self.matchup.record.prompt[-1]["content"]]
        names += self.event.competitors.values_list("name", flat=True)
        for name in names:
            page = page.replace(name, "NAME")
        return re.sub(r'"[0-9a-zA-Z_-]{32,}"|\d\d:\d\d(:\d\d)?[^"< ]*|\d+-[0-9a-f]{32}', "", page)

    def close(self) -> None:
        Event.objects.filter(pk=self.event.pk).update(state=Event.State.CLOSED)
        self.event.refresh_from_db()
        refresh(self.event, timezone.now())

    def is_counted(self) -> bool:
        return Judgment.objects.counted().filter(enrollment=self.enrollment).exists()


@pytest.fixture
def both() -> list[LateContributor]:
    """The same to an ordinary matchup and to a control."""
    return [LateContributor(role) for role in (Matchup.Role.ORDINARY, Matchup.Role.CONTROL)]


def test_while_the_event_runs_no_page_tells_an_ordinary_answer_from_one_to_a_control(
    both: list[LateContributor],
) -> None:
    said = [one.answer() for one in both]
    assert said[0] == said[1] == "Time had run out for that pair, but your answer is saved."
    assert [one.is_counted() for one in both] == [False, True]
    visitor = Client()
    for name in PAGES:
        own, others = ([one.read(name, client) for one in both] for client in (None, visitor))
        assert own[0] == own[1], name
        assert others[0] == others[1], name
        assert TOLD not in own[0]


def test_once_the_event_is_over_the_one_that_does_not_count_is_told(
    both: list[LateContributor],
) -> None:
    for one in both:
        one.answer()
        one.close()
    ordinary, control = (one.read("judging:me") for one in both)
    assert TOLD in ordinary
    assert TOLD not in control
    assert [one.event.standings.count() for one in both] == [0, 1]
    assert [one.event.snapshots.latest().judgments for one in both] == [0, 1]
    # Of one person alone the public is told no reason.
    pages = [one.read("leaderboard:exclusions") for one in both]
    assert ["Other reasons" in page for page in pages] == [True, False]
    assert ["Nothing has been excluded" in page for page in pages] == [False, True]


def test_a_second_try_after_the_deadline_tells_no_more(both: list[LateContributor]) -> None:
    for one in both:
        one.answer()
    Event.objects.update(closes_at=timezone.now() - timedelta(minutes=1))
    assert both[0].answer() == both[1].answer()


def test_who_looks_after_the_event_sees_what_is_late(both: list[LateContributor]) -> None:
    late = both[0]
    late.answer()
    reviewer = make_user()
    make_membership(late.event, reviewer, Membership.Role.REVIEWER)
    url = reverse("desk:contributor", args=[late.event.slug, late.enrollment.public_id])
    assert TOLD in signed_in(reviewer).get(url).content.decode()

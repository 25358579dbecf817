"""Races at the deadline: answers, requests for more and the sweeper at moments around it.

ARENA_RACES=1000 runs more of them.
"""

import os
import threading
from collections import Counter
from datetime import datetime, timedelta
from random import Random

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.events.models import Event
from arena.judging.models import Assignment, Exclusion, Judgment
from arena.judging.tasks import sweep_leases
from tests.factories import (
    make_assignment,
    make_competitors,
    make_enrollment,
    make_event,
    make_matchups,
)
from tests.judging.cast import signed_in
from tests.threads import parallel_map

RACES = int(os.environ.get("ARENA_RACES", "60"))
AT_ONCE = 6
LEASE, GRACE = timedelta(minutes=30), timedelta(minutes=10)
NEAR = (-1_000_000, -1, 0, 1, 1_000_000)  # microseconds to a border
clock = threading.local()


@pytest.fixture
def own_clocks(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Every thread has a clock of its own; the one of this thread's, at the beginning."""
    start = timezone.now().replace(microsecond=0)
    monkeypatch.setattr(timezone, "now", lambda: getattr(clock, "now", start))
    return start


def make_closing_event(closes_at: datetime) -> Event:
    """Enough slots for everybody, so that only the time decides."""
    event = make_event(
        overlap=RACES + 1, closes_at=closes_at, lease_minutes=30, grace_minutes=10, undo_seconds=60
    )
    models = make_competitors(event, 2)
    make_matchups(event, models, 4)
    return event


class Race:
    """One person with a matchup on the screen, and three things at once."""

    def __init__(self, event: Event, rng: Random) -> None:
        closes_at = event.closes_at
        assert closes_at is not None
        self.event, self.closes_at = event, closes_at
        # The lease ends before the deadline, within the grace period, or after it.
        lease_until = closes_at + rng.choice((-GRACE / 2, GRACE / 2, GRACE * 2))
        self.assignment = make_assignment(make_enrollment(event), now=lease_until - LEASE)
        borders = (closes_at, lease_until, closes_at + GRACE)
        self.answered_at, self.asked_at, self.swept_at = (
            rng.choice(borders) + timedelta(microseconds=rng.choice(NEAR)) for _ in range(3)
        )
        self.client = signed_in(self.assignment.enrollment.user)
        self.tab = Client()
        self.tab.cookies = self.client.cookies
        self.status = 0

    def answer(self) -> None:
        clock.now = self.answered_at
        url = reverse("judging:judge", args=[self.assignment.uuid])
        form = {"preference": "a1", "comment": "", "replaces": ""}
        self.status = self.client.post(url, form).status_code

    def ask(self) -> None:
        clock.now = self.asked_at
        self.tab.get(reverse("judging:next", args=[self.event.slug]))

    def sweep(self) -> None:
        clock.now = self.swept_at
        sweep_leases()

    def should_count(self) -> bool:
        if self.answered_at < self.closes_at:
            return True
        return self.answered_at < min(self.closes_at + GRACE, self.assignment.lease_until)


@pytest.mark.django_db(transaction=True)
def test_around_the_deadline_only_what_was_in_time_is_handed_out_and_counted(
    own_clocks: datetime,
) -> None:
    rng = Random(1)
    closes_at = own_clocks + timedelta(hours=1)
    event = make_closing_event(closes_at)
    races = [Race(event, rng) for _ in range(RACES)]
    calls = [call for race in races for call in (race.answer, race.ask, race.sweep)]

    results = parallel_map(calls, AT_ONCE)

    assert [result for result in results if result is not None] == []
    assert {race.status for race in races} <= {200, 302}
    judged = Judgment.objects.filter(event=event)
    assert Counter(judged.values_list("assignment", flat=True)) == Counter(
        race.assignment.pk for race in races
    )
    counted = set(Judgment.objects.counted().values_list("assignment", flat=True))
    in_time = {race.assignment.pk for race in races if race.should_count()}
    assert counted == in_time
    late = Exclusion.objects.in_force().filter(reason=Exclusion.Reason.LATE)
    kept = set(late.values_list("judgment__assignment", flat=True))
    assert kept == {race.assignment.pk for race in races} - in_time
    handed_out = Assignment.objects.exclude(pk__in=[race.assignment.pk for race in races])
    assert not handed_out.filter(shown_at__gte=closes_at).exists()
    # The draws have both sides of every border.
    assert in_time
    assert kept
    assert handed_out.filter(shown_at__lt=closes_at).exists()
    assert any(race.asked_at >= closes_at for race in races)

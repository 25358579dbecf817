"""A campaign judged to its end by many at once, with skips, expired leases and idle people."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import pytest
from django.db import connection

from arena.events.models import Enrollment, Event, Matchup
from arena.judging.models import Assignment, Judgment
from arena.judging.recording import check_answers, record_judgment
from arena.judging.serving.leases import (
    expire_lapsed_leases,
    next_assignment,
    release_skipped_slots,
    return_idle_reserves,
)
from arena.judging.skipping import skip_assignment
from tests.factories import (
    NOW,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup,
)
from tests.threads import parallel_map

State = Assignment.State
LEASE = timedelta(minutes=30)
MAX_PEOPLE = 400


@dataclass
class Crowd:
    """People at work on one event, whose clock moves with what they do."""

    event: Event
    lock: threading.Lock = field(default_factory=threading.Lock)
    now: datetime = NOW
    people: int = 0
    acknowledged: list[int] = field(default_factory=list)

    def let_pass(self, time: timedelta) -> datetime:
        with self.lock:
            self.now += time
            return self.now

    def arrive(self) -> Enrollment | None:
        """Somebody new, as long as there are any."""
        with self.lock:
            self.people += 1
            return make_enrollment(self.event) if self.people <= MAX_PEOPLE else None

    def is_finished(self) -> bool:
        """Whether every ordinary matchup has its judgments."""
        ordinary = Matchup.objects.filter(event=self.event, role=Matchup.Role.ORDINARY)
        wanted = ordinary.count() * self.event.overlap
        return Judgment.objects.counted().filter(matchup__in=ordinary).count() >= wanted

    def sweep(self) -> None:
        now = self.let_pass(timedelta(0))
        return_idle_reserves(now)
        expire_lapsed_leases(Assignment.objects.all(), now)
        release_skipped_slots(now)

    def work(self, seed: int) -> None:
        """One of those at work at the same time: a person after another until all is judged.

        A person goes when nothing is left, or at any time without a word, reserves and a shown
        matchup in hand.
        """
        rng = Random(seed)
        enrollment = self.arrive()
        while enrollment is not None and not (rng.random() < 0.1 and self.is_finished()):
            now = self.let_pass(timedelta(seconds=rng.randrange(20)))
            assignment = next_assignment(enrollment, rng, now)
            fate = rng.random()
            if assignment is None:
                if self.is_finished():
                    return
                self.wait()
                enrollment = self.arrive()
            elif fate < 0.1:
                skip_assignment(assignment, "other", now=now)
            elif fate < 0.15:
                enrollment = self.arrive()
            elif fate < 0.2:
                self.let_pass(LEASE)
                self.sweep()
                self.judge(assignment, now + LEASE)
            else:
                self.judge(assignment, now)

    def wait(self) -> None:
        """Nothing is left for this person: leases and reserves of others end some time."""
        self.let_pass(LEASE / 3)
        self.sweep()

    def judge(self, assignment: Assignment, now: datetime) -> None:
        judgment = record_judgment(
            assignment, check_answers(assignment, {"preference": "a1"}), now=now
        )
        with self.lock:
            self.acknowledged.append(judgment.pk)


def make_campaign(matchups: int, overlap: int, controls: int) -> Event:
    event = make_event(overlap=overlap, undo_seconds=60, lease_minutes=30)
    models = make_competitors(event, 4)
    for number in range(matchups):
        make_matchup(event, [models[number % 4], models[(number + 1) % 4]])
    for _ in range(controls):
        make_control(event)
    return event


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("matchups", "controls"), [(40, 0), (30, 8)])
def test_judged_to_the_end_by_many_at_once_every_matchup_has_exactly_its_overlap(
    matchups: int, controls: int
) -> None:
    event = make_campaign(matchups, overlap=3, controls=controls)
    crowd = Crowd(event)
    at_once = 32 if connection.vendor == "postgresql" else 8

    results = parallel_map([lambda seed=seed: crowd.work(seed) for seed in range(at_once)])

    assert [result for result in results if result is not None] == []
    ordinary = set(event.matchups.filter(role=Matchup.Role.ORDINARY).values_list("pk", flat=True))
    counted = Counter(Judgment.objects.counted().values_list("matchup_id", flat=True))
    assert {pk: counted[pk] for pk in ordinary} == dict.fromkeys(ordinary, 3)
    standing = Judgment.objects.standing()
    assert standing.count() == len(set(crowd.acknowledged))
    met = Counter(standing.values_list("enrollment_id", "matchup_id"))
    assert max(met.values()) == 1
    crowd.let_pass(timedelta(days=1))
    crowd.sweep()
    assert not Matchup.objects.filter(pk__in=ordinary).exclude(open_slots=0).exists()
    assert not Assignment.objects.live().exists()

"""An event is judged to its end amid everything that goes wrong. A part of `bench.faults`.

There are always new contributors. They skip and flag now and then, leave in the middle, answer
after their lease has expired, and lose the worker that serves them. At the end every ordinary
matchup has exactly its overlap of judgments that count, and nobody was ever told that nothing is
left while a slot was open that they could have taken.
"""

# ruff: noqa: PLC0415 - Django is set up when this part begins, not when it is named
import os
import signal
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any, Protocol

from bench.goals import print_goal

WORKERS, THREADS = 2, 4
CONTROLS_SHARE = 0.1
# Of what is shown, so much is skipped, or flagged, or left behind by somebody who goes home.
SKIP, FLAG, LEAVE = 0.08, 0.03, 0.03
# Contributors who come and go at the place of each of those at work.
TURNS = 40
# Judgments between two kills of a worker, and between two rounds of expiry; without judgments a
# round comes after a while.
KILL_EVERY, EXPIRE_EVERY, IDLE_SECONDS = (5, 30), 8, 2.0
# Of the leases that are running, so many end in each round.
EXPIRED_SHARE = 0.05
# A skip cannot be undone any more after so long, and whoever left is swept away.
PATIENCE = timedelta(seconds=3)
# Without a new judgment for so long, the run is given up.
MAX_IDLE_SECONDS = 300
# So often told that nothing is left while a slot was open before and after: stuck.
MAX_REFUSALS = 3


class Scale(Protocol):
    """What is read of the scale of `bench.faults`."""

    @property
    def records(self) -> int: ...

    @property
    def overlap(self) -> int: ...

    @property
    def people(self) -> int: ...


def measure(services: Any, scale: Scale) -> None:
    """Judge until no slot is left, then count."""
    from bench.fault_sites import serve_web, sign_in
    from tests.factories import make_competitors, make_control, make_event, make_matchup

    event = make_event("exhaustion", overlap=scale.overlap)
    models = make_competitors(event, 4)
    for number in range(scale.records):
        make_matchup(event, [models[number % 4], models[(number + 1) % 4]])
    for _ in range(round(scale.records * CONTROLS_SHARE)):
        make_control(event)
    site = serve_web(services, event, WORKERS, THREADS)
    people = [sign_in(site.url, event, TURNS) for _ in range(scale.people)]
    exhaustion = Exhaustion(site, event, people, scale.records * scale.overlap)
    exhaustion.run()
    exhaustion.report()
    site.stop()


class Exhaustion:
    """One run: people who judge everything there is."""

    def __init__(self, site: Any, event: Any, people: list[list[Any]], wanted: int) -> None:
        from bench.fault_sites import Acknowledged

        self.site, self.event, self.people, self.wanted = site, event, people, wanted
        self.told = Acknowledged()
        self.done: Counter[str] = Counter()
        self.is_over = False
        self.seconds = 0.0

    def run(self) -> None:
        """Judge, kill and expire until every slot is filled, or nothing moves any more."""
        from bench.fault_sites import at_work

        begin = time.monotonic()
        rng, next_kill, next_round, round_at = Random(3), 1, 1, begin
        judged, judged_at = 0, begin
        with at_work(self.judge, len(self.people)):
            while not self.is_over:
                time.sleep(0.1)
                if judged < len(self.told.answers):
                    judged, judged_at = len(self.told.answers), time.monotonic()
                if judged >= next_kill:
                    self.kill_worker(rng)
                    next_kill = judged + rng.randint(*KILL_EVERY)
                if judged >= next_round or time.monotonic() > round_at + IDLE_SECONDS:
                    self.expire(rng)
                    next_round, round_at = judged + EXPIRE_EVERY, time.monotonic()
                    is_idle = time.monotonic() > judged_at + MAX_IDLE_SECONDS
                    self.is_over = is_idle or self.count_judged() >= self.wanted
        self.seconds = time.monotonic() - begin

    def count_judged(self) -> int:
        """Judgments that count, of ordinary matchups."""
        from arena.judging.models import Judgment

        counted = Judgment.objects.counted().filter(event=self.event)
        return counted.filter(matchup__role="ordinary").count()

    # --- what goes wrong ------------------------------------------------------------------------
    def kill_worker(self, rng: Random) -> None:
        """Kill one of the workers, whatever it is doing."""
        workers = self.site.workers()
        with suppress(ProcessLookupError):
            os.kill(rng.choice(workers).pid, signal.SIGKILL)
            self.done["killed"] += 1

    def expire(self, rng: Random) -> None:
        """Let leases run out: some are swept, others are found expired by whoever comes back. The
        skips of a while ago and those who left are swept as well."""
        from django.utils import timezone

        from arena.events.models import Enrollment
        from arena.judging.models import Assignment
        from arena.judging.serving.leases import (
            RESERVE_LEASE,
            expire_lapsed_leases,
            release_skipped_slots,
            return_reserves_of,
        )

        now = timezone.now()
        mine = Assignment.objects.filter(enrollment__event=self.event)
        shown = [*mine.filter(state="shown").values_list("pk", flat=True)]
        ended = [pk for pk in shown if rng.random() < EXPIRED_SHARE]
        live = mine.filter(pk__in=ended, state="shown")
        self.done["expired"] += live.update(lease_until=now - timedelta(seconds=1))
        left = mine.filter(state="shown", shown_at__lt=now - 10 * PATIENCE)
        self.done["left"] += left.update(lease_until=now - timedelta(seconds=1))
        skips = mine.filter(state="skipped", holds_slot=True, finished_at__lt=now - PATIENCE)
        skips.update(lease_until=now - timedelta(seconds=1))
        release_skipped_slots(now)
        if rng.random() < 0.5:
            expire_lapsed_leases(mine, now)
        idle = mine.filter(state="reserved", reserved_at__lt=now - 10 * PATIENCE)
        for person in Enrollment.objects.filter(pk__in=idle.values("enrollment"))[:5]:
            # As the sweeper does ten minutes later.
            self.done["returned"] += return_reserves_of(person, now + RESERVE_LEASE, closed=False)

    # --- people ---------------------------------------------------------------------------------
    def judge(self, number: int) -> None:
        """One place of work, which one contributor after another takes; after the last of them
        the first comes back."""
        rng, turn = Random(number), 0
        while not self.is_over:
            self.visit(self.people[number][turn % TURNS], rng, f"{number}-{turn}")
            turn += 1

    def visit(self, person: Any, rng: Random, name: str) -> None:
        """One contributor judges until they go home or nothing is left."""
        judged = 0
        while not self.is_over:
            if not person.uuid:
                if not self.find_work(person):
                    self.done["told nothing is left"] += 1
                    time.sleep(0.5)
                    return
                continue
            drawn = rng.random()
            if drawn < LEAVE:
                person.page = ""
                return
            if drawn < LEAVE + SKIP:
                self.act(person, "skip", {"reason": "unclear"})
            elif drawn < LEAVE + SKIP + FLAG:
                self.act(person, "flag", {"reason": "broken", "note": ""})
            else:
                self.answer(person, rng, f"{name}-{judged}")
                judged += 1

    def answer(self, person: Any, rng: Random, comment: str) -> None:
        """One answer, sent until it is acknowledged."""
        from bench.fault_sites import ANSWERS

        self.told.insist(person, rng.choice(ANSWERS), comment, lambda: self.is_over)

    def act(self, person: Any, action: str, form: dict[str, str]) -> None:
        """Skip or flag; where the connection is lost, the page asks anew."""
        reply = person.post(f"/judge/{person.uuid}/{action}/", form)
        self.done[f"{action} {reply.status_code}"] += 1
        if reply.status_code != 200:
            person.page = ""
            time.sleep(0.2)

    def find_work(self, person: Any) -> bool:
        """Ask for the next matchup; False once they are told that nothing is left. Whoever is told
        so again and again while a slot is open that they could take is stuck."""
        refusals = 0
        while not self.is_over:
            before = self.find_open(person)
            reply = person.send("GET", f"/events/{self.event.slug}/judge/")
            if person.uuid and reply.status_code == 200:
                return True
            if reply.status_code != 200:
                time.sleep(float(reply.headers.get("Retry-After", 0.2)))
                continue
            if not before & self.find_open(person):
                return False
            refusals += 1
            self.done["refused while a slot was open"] += 1
            if refusals >= MAX_REFUSALS:
                self.done["stuck"] += 1
                return False
        return False

    def find_open(self, person: Any) -> set[int]:
        """The matchups that have an open slot and that this contributor has not met."""
        from arena.events.models import Matchup
        from arena.judging.models import Assignment, Judgment

        met = Assignment.objects.filter(enrollment=person.enrollment).exclude(state="expired")
        judged = Judgment.objects.filter(enrollment=person.enrollment)
        free = Matchup.objects.filter(event=self.event, role="ordinary", open_slots__gt=0)
        free = free.exclude(pk__in=met.values("matchup")).exclude(pk__in=judged.values("matchup"))
        return set(free.values_list("pk", flat=True))

    # --- what came of it ------------------------------------------------------------------------
    def report(self) -> None:
        """Print what was seen, and the goals."""
        from bench.fault_checks import (
            compare,
            count_half_written,
            count_repeats,
            count_wrong_slots,
            list_counts,
        )

        counts = list_counts(self.event)
        overlap = self.event.overlap
        judged = sum(count * matchups for count, matchups in counts.items())
        print(
            f"{len(self.told.answers)} judgments acknowledged in {self.seconds:.0f} s by "
            f"{len(self.people)} at once; {judged} count of ordinary matchups, {self.wanted} wanted"
        )
        print("what happened:", dict(self.done | self.told.statuses))
        print("matchups by judgments:", dict(sorted(counts.items())))
        seen = compare(self.event, self.told.answers)
        short = sum(matchups for count, matchups in counts.items() if count < overlap)
        over = sum(matchups for count, matchups in counts.items() if count > overlap)
        print_goal("faults_exhaustion_judgments", judged, self.wanted, at_least=True)
        print_goal("faults_exhaustion_matchups_short", short, 0)
        print_goal("faults_exhaustion_matchups_over", over, 0)
        print_goal("faults_exhaustion_repeats", count_repeats(self.event), 0)
        print_goal("faults_exhaustion_stuck", self.done["stuck"], 0)
        print_goal("faults_exhaustion_lost", seen.lost, 0)
        print_goal("faults_exhaustion_doubled", seen.doubled, 0)
        print_goal("faults_exhaustion_half_written", count_half_written(self.event), 0)
        print_goal("faults_exhaustion_wrong_slots", count_wrong_slots(self.event), 0)

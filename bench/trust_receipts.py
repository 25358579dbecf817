"""What a contributor's pages say after late answers (`bench.trust_publishing`).

Somebody's leases run out, others take the slots of most ordinary matchups meanwhile, and the
answers come all the same. Read after each are the reply, the receipt, the person's own count and
the public one. Runs where Django is set up and the database is migrated.
"""

import re
from collections import Counter, defaultdict
from datetime import timedelta
from random import Random
from typing import Any

import numpy as np
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.events.models import Matchup
from arena.judging.ledger import seal_event
from arena.judging.models import Assignment, Exclusion, Judgment
from bench.trust_boards import area_under_curve
from leaderboard.models import Standing
from leaderboard.snapshots.refresh import refresh_event
from tests.factories import (
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchups,
)

ANSWERS, QUICK_ANSWERS = 24, 12
TAKEN = 0.94
"""Share of ordinary matchups whose slots are gone when the answer comes."""
Read = tuple[str, ...]


class LateAnswers:
    """One contributor's late answers, half of them to controls, and what was read after each."""

    def __init__(self, seed: int, count: int) -> None:
        rng = Random(seed)
        self.event = make_event(f"late{seed}", publish_batch=20)
        ordinary = make_matchups(self.event, make_competitors(self.event, 2), count // 2)
        for matchup in ordinary:
            if rng.random() < TAKEN:
                Matchup.objects.filter(pk=matchup.pk).update(open_slots=0)
        controls = [make_control(self.event) for _ in range(count // 2)]
        self.enrollment = make_enrollment(self.event)
        self.client = Client()
        self.client.force_login(self.enrollment.user)
        self.matchups = rng.sample([*ordinary, *controls], count)
        self.is_control = np.array([one.role == Matchup.Role.CONTROL for one in self.matchups])

    def answer_all(self) -> tuple[list[Read], list[Read]]:
        """What is read after each answer: by the pages, and by the rule that was there before."""
        replies, counts, before = [], [], (0, 0)
        for ordinal, matchup in enumerate(self.matchups, start=1):
            replies.append(self.answer(matchup, ordinal))
            now = self.count()
            counts.append(tuple(str(n - m) for n, m in zip(now, before, strict=True)))
            before = now
        receipts = self.read_receipts()
        new = [
            (reply, receipts[one.pk], *count)
            for one, reply, count in zip(self.matchups, replies, counts, strict=True)
        ]
        return new, [(self.tell_as_before(one),) for one in self.matchups]

    def answer(self, matchup: Matchup, ordinal: int) -> str:
        """Answer after the lease; what the reply says of it."""
        now = timezone.now()
        lease = Assignment.objects.create(
            enrollment=self.enrollment,
            matchup=matchup,
            guidelines=self.event.guidelines.latest(),
            ordinal=10_000 + ordinal,
            order=[0, 1],
            state=Assignment.State.EXPIRED,
            reserved_at=now - timedelta(hours=1),
            shown_at=now - timedelta(hours=1),
            lease_until=now - timedelta(minutes=1),
            finished_at=now - timedelta(minutes=1),
        )
        url = reverse("judging:judge", args=[lease.uuid])
        page = self.client.post(url, {"preference": "a1", "comment": ""}, follow=True).content
        said = re.findall(r"[^>]*(?:is saved|too late|not saved)[^<]*", page.decode())
        return " ".join(" ".join(said).split())

    def count(self) -> tuple[int, ...]:
        """The public count of the snapshot that a batch would show, and the person's own."""
        seal_event(self.event.pk, timezone.now())
        refresh_event(self.event, now=timezone.now())
        own = Standing.objects.filter(enrollment=self.enrollment).first()
        return self.event.snapshots.latest().judgments, own.judgments if own else 0

    def read_receipts(self) -> dict[int, str]:
        """The state of each receipt on the person's own page, by matchup."""
        page = self.client.get(reverse("judging:me", args=[self.event.slug])).content.decode()
        rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
        states = {}
        for matchup in self.matchups:
            prompt = str(matchup.record.prompt[-1]["content"])
            (row,) = [row for row in rows if f">{prompt}<" in row]
            states[matchup.pk] = " ".join(re.sub(r"<[^>]+>", " ", row.split(prompt)[1]).split())
        return states

    def tell_as_before(self, matchup: Matchup) -> str:
        """The receipt as it was: with the reason why the answer does not count."""
        judgment = Judgment.objects.get(enrollment=self.enrollment, matchup=matchup)
        excluded: Any = Exclusion.objects.in_force().filter(judgment=judgment).first()
        return str(excluded.reason) if excluded else "saved"


def read_receipts(seeds: int, *, is_quick: bool) -> dict[str, list[float]]:
    """AUC for each seed by the pages as they are, and by the rule that was there before."""
    read: dict[str, list[tuple[list[Read], Any]]] = defaultdict(list)
    for seed in range(seeds):
        answers = LateAnswers(seed, QUICK_ANSWERS if is_quick else ANSWERS)
        for name, found in zip(("now", "before"), answers.answer_all(), strict=True):
            read[name].append((found, answers.is_control))
    return {name: tell_by_signature(by_seed) for name, by_seed in read.items()}


def tell_by_signature(by_seed: list[tuple[list[Read], Any]]) -> list[float]:
    """AUC for each seed: what was read is scored by how often it followed an ordinary answer in the
    other seeds."""
    aucs = []
    for held_out, (found, is_control) in enumerate(by_seed):
        ordinary, all_of = Counter[Read](), Counter[Read]()
        for index, (others, controls) in enumerate(by_seed):
            if index != held_out or len(by_seed) == 1:
                all_of.update(others)
                ordinary.update(
                    one for one, control in zip(others, controls, strict=True) if not control
                )
        scores = [ordinary[one] / all_of[one] if all_of[one] else 0.5 for one in found]
        aucs.append(area_under_curve(np.array(scores), is_control))
    return aucs

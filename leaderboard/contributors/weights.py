"""Weights of votes: P(reads) of their contributor times 1 − P(rig) of the vote."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import QuerySet

from arena.events.models import Event
from leaderboard.models import Reliability, ReliabilityFit
from leaderboard.ratings import WEIGHT_UNIT, Ints, Votes, take
from leaderboard.votes.queries import IntegerTable, read_integers
from leaderboard.votes.table import Comparisons


@dataclass(frozen=True, eq=False)
class VoteWeights:
    """Weights as of the last computed place in the ledger.

    base: int64 (people,), by contributor index, in the engine's units; rigged: int64 (k, 4):
    contributor index, question, competitor index, and P(rig) in the same units; within a question
    ascending.
    """

    base: IntegerTable
    rigged: IntegerTable
    competitors: int

    def weigh(self, votes: Votes, question: int) -> Ints:
        """The weight of each vote on this question: int64 (n,)."""
        assert votes.contributor is not None
        weight = take(self.base, votes.contributor)
        asked = self.rigged[self.rigged[:, 1] == question]
        if not len(asked):
            return weight
        known, chance = asked[:, 0] * self.competitors + asked[:, 2], asked[:, 3]  # ascending
        rows = np.flatnonzero(np.isin(votes.contributor, asked[:, 0]))
        who = votes.contributor[rows].astype(np.int64) * self.competitors
        total = np.zeros(len(rows), dtype=np.int64)
        for side in (votes.first, votes.second):
            pair = who + side[rows]
            place = np.searchsorted(known, pair).clip(max=len(known) - 1)
            total += np.where(known[place] == pair, chance[place], 0)
        weight[rows] = discount(weight[rows], np.minimum(total, WEIGHT_UNIT))
        return weight


class WeightBook:
    """The weights in force, one vote at a time: for exports."""

    def __init__(self, event: Event) -> None:
        fit = ReliabilityFit.objects.filter(event=event, ledger_seq__gt=0).first()
        self.newcomer = fit.newcomer if fit else None
        known = Reliability.objects.filter(event=event)
        self.base = dict(known.values_list("enrollment", "weight"))
        self.rigged = {
            (enrollment, question, competitor): chance
            for enrollment, rigged in known.exclude(rigged=[]).values_list("enrollment", "rigged")
            for question, competitor, chance in rigged
        }

    def find(self, enrollment: int, question: int, competitors: Iterable[int]) -> float | None:
        """What a vote of this contributor on these two weighs; None before any computation."""
        if self.newcomer is None:
            return None
        chance = sum(self.rigged.get((enrollment, question, each), 0) for each in competitors)
        base = self.base.get(enrollment, self.newcomer)
        return float(discount(base, min(chance, WEIGHT_UNIT)) / WEIGHT_UNIT)


def discount(base: Any, chance: Any) -> Any:
    """A weight times 1 − P(rig), all in units, rounded."""
    return (base * (WEIGHT_UNIT - chance) + WEIGHT_UNIT // 2) // WEIGHT_UNIT


def read_weights(event: Event, data: Comparisons) -> VoteWeights | None:
    """The weights in force; None before anybody's reliability has been computed."""
    fit = ReliabilityFit.objects.filter(event=event, ledger_seq__gt=0).first()
    if fit is None:
        return None
    known = Reliability.objects.filter(event=event)
    table = read_integers(known.order_by("enrollment").values_list("enrollment", "weight"))
    base = np.full(len(data.enrollments), fit.newcomer, dtype=np.int64)
    place = np.searchsorted(data.enrollments, table[:, 0]).clip(max=len(base) - 1)
    there = data.enrollments[place] == table[:, 0] if len(base) else np.zeros(len(table), bool)
    base[place[there]] = table[there, 1]
    return VoteWeights(base, read_rigged(known, data), max(len(data.competitors), 1))


def read_rigged(known: QuerySet[Reliability], data: Comparisons) -> IntegerTable:
    """Rows of `VoteWeights.rigged`."""
    people = {int(pk): index for index, pk in enumerate(data.enrollments)}
    models = {pk: index for index, pk in enumerate(data.competitors)}
    rows = [
        (people[enrollment], question, models[competitor], chance)
        for enrollment, rigged in known.exclude(rigged=[]).values_list("enrollment", "rigged")
        for question, competitor, chance in rigged
        if enrollment in people and competitor in models
    ]
    # By contributor and competitor within each question: `weigh` looks them up.
    return np.array(sorted(rows), dtype=np.int64).reshape(-1, 4)

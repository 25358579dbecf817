"""Which models a contributor chooses more often, or less, than the board expects."""

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from django.utils.safestring import SafeString
from scipy.special import log_ndtr

from arena.desk.queries.case_charts import draw_expectation
from arena.desk.queries.evidence import say_share
from arena.events.models import Competitor, Enrollment, Event, Matchup
from arena.judging.models import Answer, Judgment
from leaderboard.models import Rating

MIN_VOTES_TOLD, TELLING = 5, 3.0
"""Votes on a model below which nothing is said of it; and evidence, in nats, from which on its
share is out of the ordinary."""
MIN_ELSEWHERE = 10
"""Votes without a model below which nothing is said of how they answer there."""


@dataclass(frozen=True)
class Preference:
    """A vote of theirs on two ranked models: their primary keys, the score of the first (1 better,
    .5 a tie, 0 worse) and what the board expects of it."""

    first: int
    second: int
    score: float
    expected: float


@dataclass(frozen=True)
class FavouredModel:
    """A model in their votes. share: how often they choose it, a tie for half; expected: what the
    board expects; evidence: nats; chance: the same as "one in so many", empty where it says
    nothing."""

    model: Competitor
    votes: int
    share: float
    expected: float
    evidence: float
    chance: str
    chart: SafeString

    @property
    def is_telling(self) -> bool:
        """Whether it is chosen out of the ordinary often, or seldom."""
        return self.evidence >= TELLING

    @property
    def is_lifted(self) -> bool:
        """Whether it is chosen more often than expected."""
        return self.share > self.expected


@dataclass(frozen=True)
class Elsewhere:
    """Their votes on pairs without one model: the share that the board's better model got, a tie
    for half, and the share that it expects of readers."""

    votes: int
    share: float
    expected: float

    @property
    def is_usual(self) -> bool:
        """Whether they answer there as the board expects, or nearly: within two standard errors or
        an eighth."""
        error = math.sqrt(self.expected * (1.0 - self.expected) / self.votes)
        return self.share >= self.expected - max(2.0 * error, 0.125)


def read_preferences(enrollment: Enrollment) -> list[Preference]:
    """Their standing votes on ordinary matchups of two ranked models, on the main question."""
    strengths = read_strengths(enrollment.event)
    question = enrollment.event.questions.filter(kind="preference").order_by("pk").first()
    standing = Judgment.objects.standing().filter(
        enrollment=enrollment, matchup__role=Matchup.Role.ORDINARY
    )
    rows = Answer.objects.filter(judgment__in=standing, question=question, outcome__isnull=False)
    found = []
    for first, second, outcome in rows.values_list(
        "first__competitor", "second__competitor", "outcome"
    ):
        if first in strengths and second in strengths and outcome is not None:
            expected = 1.0 / (1.0 + math.exp(strengths[second] - strengths[first]))
            score = 0.5 + 0.5 * float(np.sign(outcome))
            found.append(Preference(first, second, score, expected))
    return found


def read_strengths(event: Event) -> dict[int, float]:
    """Log-strengths of the latest board of all records, weighted where there is one."""
    latest = event.snapshots.order_by("-id").first()
    if latest is None:
        return {}
    question = event.questions.filter(kind="preference").order_by("pk").first()
    ratings = latest.ratings.filter(question=question, category=None, strength__isnull=False)
    by_weighting: dict[str, dict[int, float]] = defaultdict(dict)
    for weighting, model, strength in ratings.values_list("weighting", "competitor", "strength"):
        if strength is not None:
            by_weighting[weighting][model] = strength
    return by_weighting[Rating.Weighting.WEIGHTED] or by_weighting[Rating.Weighting.RAW]


def list_favoured(event: Event, votes: list[Preference]) -> list[FavouredModel]:
    """The models of their votes, the most telling first.

    For each model z = Σ (score - expected) / √Σ expected·(1 - expected), the variance of votes
    without ties, which is an upper bound; evidence is -log of both tails times the number of
    models (Bonferroni), at least 0.
    """
    sums: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0.0])
    for vote in votes:
        spread = vote.expected * (1.0 - vote.expected)
        for model, score, expected in (
            (vote.first, vote.score, vote.expected),
            (vote.second, 1.0 - vote.score, 1.0 - vote.expected),
        ):
            for place, value in enumerate((1.0, score, expected, spread)):
                sums[model][place] += value
    models = Competitor.objects.in_bulk(list(sums))
    found = [
        describe_model(models[model], sums[model], len(sums))
        for model in sorted(sums)
        if sums[model][0] >= MIN_VOTES_TOLD
    ]
    return sorted(found, key=lambda one: -one.evidence)


def describe_model(model: Competitor, sums: list[float], models: int) -> FavouredModel:
    """One model, from its votes, scores, expected scores and their variances."""
    votes, score, expected, variance = sums
    z = abs(score - expected) / math.sqrt(variance) if variance > 0.0 else 0.0
    evidence = max(float(-log_ndtr(-z)) - math.log(2.0 * models), 0.0)
    share, usual = score / votes, expected / votes
    return FavouredModel(
        model=model,
        votes=int(votes),
        share=share,
        expected=usual,
        evidence=evidence,
        chance=say_share(evidence) if evidence >= TELLING else "",
        chart=draw_expectation(share, usual),
    )


def answer_elsewhere(votes: list[Preference], model: int | None) -> Elsewhere | None:
    """How they answer where this model is not shown; None with fewer than ten such votes."""
    others = [vote for vote in votes if model not in (vote.first, vote.second)]
    if len(others) < MIN_ELSEWHERE:
        return None
    scores = [vote.score if vote.expected >= 0.5 else 1.0 - vote.score for vote in others]
    expected = [max(vote.expected, 1.0 - vote.expected) for vote in others]
    return Elsewhere(len(others), sum(scores) / len(others), sum(expected) / len(others))

"""Judgments written straight to the database: a board does not ask how a vote came about."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.test import Client
from django.urls import reverse

from arena.events.models import (
    Category,
    Competitor,
    Enrollment,
    Event,
    Matchup,
    MatchupResponse,
)
from arena.judging.ledger import seal_event
from arena.judging.models import Answer, Assignment, Judgment, Origin
from leaderboard.contributors.reliability import refresh_reliability
from leaderboard.models import Rating, Snapshot
from leaderboard.snapshots.refresh import refresh_event
from tests.factories import (
    NOW,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup,
    make_record,
)

STANDING = ("enrollment", "judgments", "simulated", "quality", "score", "rank", "band")


def make_vote(
    enrollment: Enrollment,
    matchup: Matchup,
    outcome: int = 1,
    *,
    left: bool | None = True,
    at: datetime | None = NOW,
    **fields: Any,
) -> Judgment:
    """A judgment of a matchup, answering the first question; outcome > 0: the first is better."""
    judgment = Judgment.objects.create(
        event=enrollment.event,
        enrollment=enrollment,
        matchup=matchup,
        judged_at=at,
        **({"origin": Origin.SCREEN} | fields),
    )
    first, second = matchup.places.order_by("position").values_list("response", flat=True)
    Answer.objects.create(
        judgment=judgment,
        question=enrollment.event.questions.get(kind="preference"),
        first_id=first,
        second_id=second,
        outcome=outcome,
        first_on_left=left,
    )
    return judgment


def make_all_votes(votes: Sequence[tuple[Enrollment, Matchup, int, bool]]) -> list[Judgment]:
    """Who judged what in one event, with its outcome and side, as `make_vote` makes each."""
    event = votes[0][0].event
    judgments = Judgment.objects.bulk_create(
        Judgment(
            event=event,
            enrollment=enrollment,
            matchup=matchup,
            judged_at=NOW,
            origin=Origin.SCREEN,
        )
        for enrollment, matchup, _outcome, _left in votes
    )
    shown: dict[int, list[int]] = defaultdict(list)
    places = MatchupResponse.objects.filter(matchup__event=event).order_by("position")
    for matchup_id, response_id in places.values_list("matchup", "response"):
        shown[matchup_id].append(response_id)
    question = event.questions.get(kind="preference")
    Answer.objects.bulk_create(
        Answer(
            judgment=judgment,
            question=question,
            first_id=shown[matchup.pk][0],
            second_id=shown[matchup.pk][1],
            outcome=outcome,
            first_on_left=left,
        )
        for judgment, (_enrollment, matchup, outcome, left) in zip(judgments, votes, strict=True)
    )
    return judgments


def time_judgments(event: Event, seconds: Callable[[Judgment], float]) -> None:
    """Give each judgment of an event an assignment that was shown so many seconds before it."""
    judgments = list(event.judgments.order_by("pk"))
    Assignment.objects.bulk_create(
        Assignment(
            enrollment_id=judgment.enrollment_id,
            matchup_id=judgment.matchup_id,
            ordinal=number + 1,
            order=[0, 1],
            state=Assignment.State.DONE,
            reserved_at=NOW,
            lease_until=NOW,
            shown_at=judgment.judged_at - timedelta(seconds=seconds(judgment)),
        )
        for number, judgment in enumerate(judgments)
    )
    made = {(each.enrollment_id, each.matchup_id): each for each in Assignment.objects.all()}
    for judgment in judgments:
        judgment.assignment = made[judgment.enrollment_id, judgment.matchup_id]
    Judgment.objects.bulk_update(judgments, ["assignment"])


def revise(judgment: Judgment, outcome: int) -> Judgment:
    """A revision that says something else."""
    Judgment.objects.filter(pk=judgment.pk).update(standing=False)
    return make_vote(
        judgment.enrollment,
        judgment.matchup,
        outcome,
        revision=judgment.revision + 1,
        revises=judgment,
    )


def refresh(event: Event, now: datetime = NOW, *, rebuild: bool = False) -> Snapshot | None:
    """Seal what is there and bring reliabilities and boards up to it."""
    seal_event(event.pk, now)
    refresh_reliability(Event.objects.get(pk=event.pk), now=now, rebuild=rebuild)
    return refresh_event(Event.objects.get(pk=event.pk), now=now, rebuild=rebuild)


class Crowd:
    """An event of four models in two categories, with controls and a handful of judges."""

    def __init__(self, judges: int = 6, **settings: Any) -> None:
        self.event = make_event(**settings)
        self.models: list[Competitor] = make_competitors(self.event, 4)
        self.judges = [make_enrollment(self.event) for _ in range(judges)]
        self.categories = [
            Category.objects.create(event=self.event, slug=name, name=name.title())
            for name in ("maths", "poems")
        ]
        self.matchups = [
            self.matchup(first, second, self.categories[(first + second) % 2])
            for _ in range(3)
            for first in range(4)
            for second in range(first)
        ]
        self.controls = [make_control(self.event, sign) for sign in (1, -1, 1, 0)]
        self.anchor = make_matchup(self.event, self.models[:2], role=Matchup.Role.ANCHOR)

    def matchup(self, first: int, second: int, category: Category) -> Matchup:
        """A further matchup of two of the models."""
        record = make_record(self.event)
        record.categories.add(category)
        return make_matchup(self.event, [self.models[first], self.models[second]], record=record)

    def vote(self, seed: int = 1, share: float = 1.0) -> list[Judgment]:
        """Everybody judges (a share of) everything, controls and the anchor included."""
        rng = Random(seed)
        return make_all_votes(
            [
                (judge, matchup, rng.choice([-2, -1, 0, 1, 2]), rng.random() < 0.5)
                for judge in self.judges
                for matchup in [*self.matchups, *self.controls, self.anchor]
                if rng.random() < share
            ]
        )


def figures(event: Event) -> dict[str, Any]:
    """Every derived number the public pages show, without keys and times of snapshots."""
    snapshot = Snapshot.objects.get(board__event=event)
    names = [field.name for field in Rating._meta.fields if field.name not in ("id", "snapshot")]
    ratings = snapshot.ratings.order_by("question", "category", "weighting", "competitor")
    return {
        "ratings": list(ratings.values(*names)),
        "details": snapshot.details,
        "head": snapshot.ledger_seq,
        "judgments": snapshot.judgments,
        "contributors": snapshot.contributors,
        "standings": list(event.standings.order_by("enrollment").values_list(*STANDING)),
    }


def show(client: Client, event: Event, query: str = "", **headers: Any) -> Any:
    """The board's page."""
    return client.get(reverse("leaderboard:board", args=[event.slug]) + query, **headers)

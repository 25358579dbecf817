"""When the first two models can be told apart, at the pace at which people judge."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from arena.desk.queries.forecast import forecast_leader
from arena.events.models import Event
from leaderboard.models import Board, Snapshot
from tests.desk.cast import url
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def snapshot_with(event: Event, **told: object) -> Snapshot:
    """A snapshot of 200 judgments, 160 of them votes, that says so of the first two."""
    one, two = event.competitors.all()[:2]
    known = {"difference": 0.2, "low": -0.1, "high": 0.5, "adjusted": 0.2}
    said = {"verdict": "not_yet", "votes_needed": 80} | told
    top = {"leader": one.pk, "challenger": two.pk} | known | said
    question = event.questions.get(kind="preference")
    boards = {f"{question.pk}/all/raw": {"votes": 160, "neighbours": [top]}}
    return Snapshot(event=event, judgments=200, details={"boards": boards}, created_at=NOW)


def test_votes_come_at_the_pace_of_the_last_day(event: Event) -> None:
    seen = forecast_leader(event, snapshot_with(event), 50, NOW)
    assert seen is not None
    assert seen.on == NOW + timedelta(days=2)  # four in five judgments are votes: 40 a day


@pytest.mark.parametrize(
    ("told", "last_day"),
    [
        ({}, 0),
        ({"votes_needed": 10**6}, 50),
        ({"verdict": "tied", "votes_needed": None}, 50),
        ({"verdict": "separated", "votes_needed": None}, 50),
    ],
)
def test_there_may_be_no_date(event: Event, told: dict[str, object], last_day: int) -> None:
    seen = forecast_leader(event, snapshot_with(event, **told), last_day, NOW)
    assert seen is not None
    assert seen.on is None
    assert seen.verdict == told.get("verdict", "not_yet")


def test_before_anything_is_ranked_nothing_is_said(desk: Client, event: Event) -> None:
    assert forecast_leader(event, None, 50, NOW) is None
    assert forecast_leader(event, Snapshot(event=event, details={}), 50, NOW) is None
    assert b"First two" not in desk.get(url("overview", event)).content


def test_the_desk_shows_it(desk: Client, event: Event) -> None:
    one, two = event.competitors.all()
    snapshot = snapshot_with(event, verdict="tied", votes_needed=None)
    snapshot.ledger_seq, snapshot.contributors = 200, 10
    snapshot.save()
    Board.objects.create(event=event, current_snapshot=snapshot)
    page = desk.get(url("overview", event)).content.decode()
    assert f"{one}, {two}" in " ".join(page.split())
    assert reverse("leaderboard:board", args=[event.slug]) + "#doubts" in page

"""The published LLMFAO votes through the database: the same ratings as an independent library."""

import csv
from collections.abc import Iterator
from pathlib import Path

import evalica
import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from arena.events.models import Event
from leaderboard.models import Board, Rating
from leaderboard.ratings.data.scale import to_points
from tests import llmfao
from tests.factories import make_event
from tests.undoing import undone

pytestmark = pytest.mark.django_db
WINNERS = {"a": evalica.Winner.X, "b": evalica.Winner.Y, "tie": evalica.Winner.Draw}


@pytest.fixture(scope="module")
def event(
    shared_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Event]:
    """Imported and computed once; the tests only read."""
    with django_db_blocker.unblock(), undone():
        event = make_event("llmfao", **llmfao.SETTINGS)
        llmfao.load_llmfao(event, shared_data, tmp_path_factory.mktemp("llmfao"))
        call_command("refresh", "llmfao", verbosity=0)
        yield event


@pytest.fixture
def votes(shared_data: Path) -> list[tuple[str, str, evalica.Winner]]:
    with (shared_data / "llmfao" / "votes.csv").open(encoding="utf-8", newline="") as file:
        return [
            (row["model_a"], row["model_b"], WINNERS[row["winner"]]) for row in csv.DictReader(file)
        ]


def overall(event: Event) -> dict[str, Rating]:
    rows = Rating.objects.filter(snapshot__board__event=event, category=None, weighting="raw")
    return {row.competitor.name: row for row in rows.select_related("competitor")}


def test_strengths_are_those_of_evalica(event: Event, votes: list) -> None:
    first, second, winners = zip(*votes, strict=True)
    theirs = evalica.bradley_terry(first, second, winners, tolerance=1e-12, limit=100_000).scores

    ours = overall(event)

    assert set(ours) == set(theirs.index)
    odds = np.array([np.exp(ours[name].strength) for name in theirs.index])
    expected = theirs.to_numpy() / np.exp(np.log(theirs.to_numpy()).mean())
    np.testing.assert_allclose(odds, expected, rtol=1e-6)


def test_elo_is_that_of_evalica(event: Event, votes: list) -> None:
    first, second, winners = zip(*votes, strict=True)
    theirs = evalica.elo(first, second, winners, initial=1000.0, base=10.0, scale=400.0, k=4.0)

    ours = overall(event)

    points = np.array([to_points(ours[name].elo) for name in theirs.scores.index])
    np.testing.assert_allclose(points, theirs.scores.to_numpy(), rtol=1e-6)


def test_the_page_says_how_much_was_counted(event: Event, client: Client) -> None:
    page = client.get(reverse("leaderboard:board", args=["llmfao"])).content.decode()

    assert "8,931" in page
    assert "124" in page
    rows = overall(event)
    assert len(rows) == 59
    assert all(name in page for name in rows)
    assert Board.objects.get(event=event).current_snapshot.judgments == 8_931

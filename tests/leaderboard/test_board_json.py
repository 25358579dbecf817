"""The public JSON of a board is what its schema says, whatever a snapshot keeps besides."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from leaderboard.models import Snapshot
from leaderboard.pages.board_json import board_schema
from tests.leaderboard.test_style_fit import dress
from tests.leaderboard.votes import Crowd, refresh
from tests.services import ROOT
from tests.undoing import undone

pytestmark = pytest.mark.any_database

SCHEMA = json.loads((ROOT / "docs" / "board.schema.json").read_text(encoding="utf-8"))
BOARDS = [
    "",
    "?weighting=weighted",
    "?weighting=style",
    "?category=maths",
    "?category=poems&weighting=weighted",
]
Details = dict[str, Any]


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Crowd]:
    """A crowd whose board is computed once."""
    with django_db_blocker.unblock(), undone():
        crowd = Crowd(slug="tea")
        dress(crowd)
        crowd.vote()
        refresh(crowd.event)
        yield crowd


@pytest.fixture
def crowd(judged: Crowd, db: None) -> Crowd:
    """The same for each test, whose changes to the database end with it."""
    return judged


def board(client: Client, query: str = "", slug: str = "tea") -> dict[str, Any]:
    found: dict[str, Any] = client.get(
        reverse("leaderboard:board_json", args=[slug]) + query
    ).json()
    return found


def check(found: dict[str, Any]) -> None:
    jsonschema.validate(found, SCHEMA, jsonschema.Draft202012Validator)


def overall(details: Details) -> dict[str, Any]:
    kept: dict[str, Any] = next(
        kept for key, kept in details["boards"].items() if key.endswith("/all/raw")
    )
    return kept


def change(how: Callable[[Details], object]) -> None:
    snapshot = Snapshot.objects.get()
    how(snapshot.details)
    snapshot.save()


def test_the_documented_schema_is_that_of_the_code() -> None:
    """`manage.py board_schema` prints it."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert board_schema() == SCHEMA


@pytest.mark.parametrize("query", BOARDS)
def test_every_kind_of_board_is_as_the_schema_says(
    crowd: Crowd, client: Client, query: str
) -> None:
    found = board(client, query)
    check(found)
    assert len(found["ratings"]) == 4
    assert found["method"]["votes"] > 0
    assert len(found["neighbours"]) == (0 if "category" in query else 3)
    assert ("influence" in found["method"]) == (query == "")
    assert len(found["method"].get("coefficients", [])) == (2 if "style" in query else 0)


def test_a_board_that_could_not_be_computed_says_why(crowd: Crowd, client: Client) -> None:
    def fail(details: Details) -> None:
        kept = overall(details)
        kept.clear()
        kept["why_not"] = "no_rating"

    change(fail)
    found = board(client)
    check(found)
    assert found["method"] == {"why_not": "no_rating"}


def test_an_event_without_that_board_says_nothing(db: None, client: Client) -> None:
    crowd = Crowd(slug="coffee")
    crowd.controls, crowd.anchor = [], crowd.matchups[0]
    for matchup in crowd.event.matchups.exclude(role="ordinary"):
        matchup.delete()
    crowd.matchups.pop(0)
    crowd.vote(share=0.5)
    refresh(crowd.event)  # fewer than a hundred judgments: no reliabilities so far
    found = board(client, "?weighting=weighted", "coffee")
    check(found)
    assert (found["method"], found["ratings"]) == ({}, [])


PLACES: list[Callable[[Details], dict[str, Any]]] = [
    lambda details: details,
    lambda details: details["timeline"],
    overall,
    lambda details: overall(details)["influence"],
    lambda details: overall(details)["bootstrap"],
    lambda details: overall(details)["neighbours"][0],
    lambda details: overall(details)["unseating"]["drop"],
]


@pytest.mark.parametrize("place", PLACES)
def test_what_else_a_snapshot_keeps_stays_inside(
    crowd: Crowd, client: Client, place: Callable[[Details], dict[str, Any]]
) -> None:
    before = board(client)
    change(lambda details: place(details).update(internal="a secret"))
    assert "internal" in json.dumps(Snapshot.objects.get().details)
    after = board(client)
    check(after)
    assert after == before


@pytest.mark.parametrize("part", ["method", "influence", "ratings", "neighbours", "drop", "pairs"])
def test_the_schema_takes_no_further_key(crowd: Crowd, client: Client, part: str) -> None:
    found = board(client)
    places = {
        "method": found["method"],
        "influence": found["method"]["influence"],
        "drop": found["unseating"]["drop"],
    }
    (places[part] if part in places else found[part][0])["internal"] = 1
    with pytest.raises(jsonschema.ValidationError, match="internal"):
        check(found)

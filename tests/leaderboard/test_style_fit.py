"""Style control: covariates as they are in the database, ratings at equal style, or why not."""

from datetime import timedelta
from random import Random

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from arena.events.models import Event, Response
from leaderboard.boards.style_fit import fit_style
from leaderboard.models import Rating, Snapshot
from leaderboard.ratings.data.scale import spread_to_points
from leaderboard.ratings.extended import style
from leaderboard.votes.known_contents import STYLE_FIELDS
from leaderboard.votes.loading import load_votes
from leaderboard.votes.matchup_contents import read_contents
from leaderboard.votes.table import Comparisons
from tests.factories import NOW
from tests.leaderboard.votes import Crowd, make_vote, refresh, show

pytestmark = pytest.mark.django_db


def dress(crowd: Crowd, seed: int = 1) -> None:
    """Give every response a length and some lists; the other marks stay 0."""
    rng = Random(seed)
    for response in Response.objects.filter(record__event=crowd.event).order_by("pk"):
        response.length, response.lists = rng.randint(20, 200), rng.randint(0, 4)
        response.save()


def longer_wins(crowd: Crowd, error: float = 0.25, seed: int = 1) -> None:
    """Everybody prefers the longer response, mostly."""
    rng = Random(seed)
    for matchup in crowd.matchups:
        first, second = matchup.responses.order_by("pk")
        for judge in crowd.judges:
            longer = 1 if first.length > second.length else -1
            make_vote(judge, matchup, longer if rng.random() > error else -longer)


@pytest.fixture
def crowd() -> Crowd:
    crowd = Crowd(slug="tea")
    dress(crowd)
    longer_wins(crowd)
    return crowd


def loaded(crowd: Crowd) -> Comparisons:
    refresh(crowd.event)
    return load_votes(Event.objects.get(pk=crowd.event.pk))


def notes(event: Event) -> dict:
    boards = Snapshot.objects.get(board__event=event).details["boards"]
    return next(board for key, board in boards.items() if key.endswith("/all/style"))


def test_differences_are_those_of_the_responses_row_by_row(crowd: Crowd) -> None:
    data = loaded(crowd)
    votes = data.votes(data.questions[0])
    x = read_contents(data).differences(votes)
    for row in range(len(votes)):
        places = Response.objects.filter(matchups=data.matchups[votes.matchup[row]])
        one = places.get(competitor=data.competitors[votes.first[row]])
        two = places.get(competitor=data.competitors[votes.second[row]])
        for column, name in enumerate(STYLE_FIELDS):
            a, b = getattr(one, name), getattr(two, name)
            assert x[row, column] == pytest.approx((a - b) / (a + b) if a + b else 0)


def test_prompts_are_numbered_by_their_records(crowd: Crowd) -> None:
    data = loaded(crowd)
    votes = data.votes(data.questions[0])
    prompts = read_contents(data).prompts(votes)
    assert sorted(set(prompts)) == list(range(18))
    for prompt in set(prompts):
        assert len(set(votes.matchup[prompts == prompt])) == 1


def test_ratings_at_equal_style_are_a_board_of_their_own(crowd: Crowd) -> None:
    data = loaded(crowd)
    votes = data.votes(data.questions[0])
    x = read_contents(data).differences(votes)[:, [0, 3]]
    fit = style.fit(votes, np.ascontiguousarray(x), ("length", "lists"))

    rows = Rating.objects.filter(snapshot__board__event=crowd.event, weighting="style")
    assert {row.category_id for row in rows} == {None}
    for row in rows:
        assert row.strength == pytest.approx(
            fit.strength[data.competitors.index(row.competitor_id)]
        )
        assert row.lower < row.strength < row.upper
        assert 1 <= row.rank_low <= row.rank <= row.rank_high <= 4
        assert row.votes == 6 * 9
        assert row.elo is None
    length, lists = notes(crowd.event)["coefficients"]
    assert (length["name"], lists["name"]) == ("length", "lists")
    assert length["worth"] == pytest.approx(fit.coefficient[0] / fit.spread[0] / 3)
    assert 0 < length["lower"] < length["worth"] < length["upper"]


def test_the_board_is_a_third_choice_on_the_page_and_in_downloads(
    crowd: Crowd, client: Client
) -> None:
    refresh(crowd.event)
    assert (
        'href="/events/tea/leaderboard/?weighting=style"'
        in show(client, crowd.event).content.decode()
    )
    page = show(client, crowd.event, "?weighting=style").content.decode()
    worth = round(spread_to_points(notes(crowd.event)["coefficients"][0]["worth"]))
    assert "Effect of style" in page
    assert f"+{worth}</td>" in page
    assert "not by category" in page
    assert "How certain is this?" in page
    assert 'href="/events/tea/leaderboard/?category=maths"' in page
    maths = show(client, crowd.event, "?category=maths").content.decode()
    assert "weighting=style" not in maths
    assert show(client, crowd.event, "?category=maths&weighting=style").status_code == 404
    address = reverse("leaderboard:board_json", args=["tea"])
    board = client.get(address, {"weighting": "style"}).json()
    assert board["weighting"] == "style"
    assert [row["rank"] for row in board["ratings"]] == [1, 2, 3, 4]
    assert board["method"]["coefficients"] == notes(crowd.event)["coefficients"]
    address = reverse("leaderboard:board_csv", args=["tea"])
    assert client.get(address, {"weighting": "style"}).content.decode().count("\n") == 5


def test_without_any_difference_of_style_the_page_says_so(client: Client) -> None:
    crowd = Crowd(slug="tea")
    crowd.vote()
    refresh(crowd.event)
    page = show(client, crowd.event).content.decode()
    assert "weighting=style" not in page
    assert "do not differ in length or formatting" in page
    assert "do not differ" in show(client, crowd.event, "?weighting=style").content.decode()


def test_too_few_votes_control_nothing() -> None:
    crowd = Crowd()
    dress(crowd)
    make_vote(crowd.judges[0], crowd.matchups[0])
    refresh(crowd.event)
    assert notes(crowd.event) == {"why_not": "too_few"}


def test_what_the_votes_cannot_tell_from_a_model_is_left_out(crowd: Crowd, client: Client) -> None:
    """One model alone writes headers, always as many; the rest is still controlled."""
    Response.objects.filter(competitor=crowd.models[0]).update(headers=3)
    refresh(crowd.event, NOW + timedelta(minutes=1))
    kept = notes(crowd.event)
    assert kept["left_out"] == ["headers"]
    assert [mark["name"] for mark in kept["coefficients"]] == ["length", "lists"]
    page = show(client, crowd.event, "?weighting=style").content.decode()
    assert "do not show its effect: Headers." in page


def test_what_hardly_any_vote_differs_in_is_left_out(crowd: Crowd) -> None:
    """A code block in six votes that all went one way says nothing, and takes nothing away."""
    place = crowd.matchups[0].places.order_by("pk").first()
    assert place is not None
    Response.objects.filter(pk=place.response_id).update(code=1)
    refresh(crowd.event, NOW + timedelta(minutes=1))
    kept = notes(crowd.event)
    assert kept["left_out"] == ["code"]
    assert "length" in [mark["name"] for mark in kept["coefficients"]]


def test_of_too_many_votes_whole_matchups_are_drawn_and_always_the_same(crowd: Crowd) -> None:
    data = loaded(crowd)
    votes = data.votes(data.questions[0])
    assert read_contents(data, 108).sample(votes) is votes
    some = read_contents(data, 54).sample(votes)
    assert 0 < len(some) < 108
    assert set(np.bincount(some.matchup)) == {0, 6}
    np.testing.assert_array_equal(some.matchup, read_contents(data, 54).sample(votes).matchup)
    np.testing.assert_array_equal(
        read_contents(data, 54).differences(some), read_contents(data).differences(some)
    )


def test_a_sample_is_named_on_the_page(
    crowd: Crowd, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "leaderboard.snapshots.refresh.read_contents", lambda data: read_contents(data, 72)
    )
    data = loaded(crowd)
    board = fit_style(data.votes(data.questions[0]), read_contents(data, 72))
    assert board.used < board.votes == 108
    page = show(client, crowd.event, "?weighting=style").content.decode()
    assert f"Computed from {board.used} of the 108 votes" in page
    page = show(client, crowd.event).content.decode()
    assert "are skipped above 1,000,000 votes" in page

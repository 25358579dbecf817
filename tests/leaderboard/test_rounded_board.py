"""The boards of a running event that hides its controls: what is rounded, and what is not shown."""

import csv
import io
import json
import re
from datetime import timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.events.models import Event, Membership
from leaderboard.boards.coarse import COUNT_GRAIN, choose_grains, coarsen, round_counts
from leaderboard.models import CategoryBoard, Rating, Snapshot
from leaderboard.pages.rounded_ratings import round_ratings
from tests.factories import make_enrollment, make_membership, make_user
from tests.judging.cast import signed_in
from tests.leaderboard.reading import text
from tests.leaderboard.votes import Crowd, make_all_votes, refresh, show


class LargeCrowd(Crowd):
    """Enough votes for rounded ratings: forty people on everything, and on some controls."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(judges=40, **({"publish_batch": 20} | settings))
        rng = Random(5)
        make_all_votes(
            [
                (judge, matchup, rng.choice([-1, 0, 1, 1]), rng.random() < 0.5)
                for judge in self.judges
                for matchup in [*self.matchups, *self.controls]
            ]
        )
        self.snapshot = refresh(self.event)


@pytest.fixture
def crowd(db: None) -> LargeCrowd:
    return LargeCrowd(slug="large")


def download(client: Client, crowd: Crowd, kind: str, query: str = "") -> Any:
    return client.get(reverse(f"leaderboard:board_{kind}", args=[crowd.event.slug]) + query)


# --- rounding ----------------------------------------------------------------------------------
def test_a_rating_is_rounded_to_what_forty_votes_move_it_by() -> None:
    grains = choose_grains(np.array([100, 200, 400, 900, 9_000, 20_000]))
    assert grains[0] == 200.0
    assert grains[1:].tolist() == [100.0, 50.0, 20.0, 2.0, 1.0]


def test_counts_are_rounded_to_the_nearest_hundred() -> None:
    assert round_counts(np.array([0, 49, 50, 149, 150, 251])).tolist() == [0, 0, 100, 100, 200, 300]


def test_rounded_intervals_hold_the_exact_ones_around_the_rounded_rating() -> None:
    strength, half = np.array([0.9, 0.1, -1.0]), np.array([0.1, 0.2, 0.15])
    board = coarsen(strength, strength - half, strength + half, np.full(3, 900), np.zeros(3))
    assert np.all(board.points % 20 == 0)
    assert np.all(board.upper - board.points >= half * 173.7)
    assert board.rank.tolist() == [1, 2, 3]
    assert board.group.tolist() == [1, 2, 3]


def test_those_that_are_level_share_a_rank_and_other_scales_do_not_count() -> None:
    strength = np.array([0.001, 0.002, -0.9, 0.5])
    board = coarsen(
        strength, strength - 0.1, strength + 0.1, np.full(4, 900), np.array([0, 0, 0, 1])
    )
    assert board.rank.tolist() == [1, 1, 3, 1]
    assert board.best.tolist() == [1, 1, 3, 1]
    assert board.worst.tolist() == [2, 2, 3, 1]


def test_what_has_no_rating_no_interval_or_few_votes_is_left_so() -> None:
    strength, nan = np.array([np.nan, 0.3, 0.2, 0.1]), np.nan
    lower, upper = np.array([nan, nan, 0.0, 0.0]), np.array([nan, nan, 0.4, 0.2])
    board = coarsen(strength, lower, upper, np.array([900, 900, 30, 900]), np.zeros(4))
    assert np.isnan(board.points).tolist() == [True, False, True, False]
    assert np.isnan(board.lower).tolist() == [True, True, True, False]
    assert board.rank.tolist() == [0, 1, 0, 2]
    assert board.best.tolist() == [0, 1, 0, 1]
    assert round_ratings([]) == []


# --- pages -------------------------------------------------------------------------------------
def test_figures_are_rounded_while_the_event_runs_and_exact_afterwards(
    client: Client, crowd: LargeCrowd
) -> None:
    page = text(show(client, crowd.event))
    assert "its figures are rounded" in page
    assert re.search(r"about (7|8)00", page) is None  # 720 votes are 360 on each model
    assert "about 400" in page
    for hidden in ("Head to head", "How certain is this?", "Weighted by", "Style controlled"):
        assert hidden not in page
    Event.objects.update(state=Event.State.CLOSED)
    page = text(show(client, crowd.event))
    assert "rounded" not in page
    assert "360" in page
    for shown in ("Head to head", "How certain is this?", "Weighted by"):
        assert shown in page


def test_live_boards_have_full_figures(client: Client, db: None) -> None:
    crowd = LargeCrowd(slug="live", publish_batch=0)
    page = text(show(client, crowd.event))
    assert "rounded" not in page
    assert "Head to head" in page


def test_downloads_are_as_coarse_as_the_page(client: Client, crowd: LargeCrowd) -> None:
    rows = list(csv.DictReader(io.StringIO(download(client, crowd, "csv").content.decode())))
    exact = {
        rating.competitor.name: rating
        for rating in Rating.objects.filter(category=None, weighting="raw")
    }
    for row in rows:
        rating = exact[row["model"]]
        assert float(row["rating"]) % 50 == 0
        assert abs(float(row["rating"]) - 1000 - rating.strength * 173.7) <= 25
        assert [int(row[name]) % COUNT_GRAIN for name in ("votes", "wins", "ties")] == [0, 0, 0]
        assert row["elo"] == row["win_rate"] == ""
    board = download(client, crowd, "json").json()
    assert board["rounded"] is True
    assert board["pairs"] == board["neighbours"] == []
    assert board["unseating"] == board["method"] == {}
    assert board["judgments"] == crowd.snapshot.judgments
    named = json.dumps(board)
    assert str(exact[rows[0]["model"]].strength) not in named


@pytest.mark.parametrize("query", ["?weighting=weighted", "?weighting=style"])
def test_weighted_boards_follow_at_the_close(client: Client, crowd: LargeCrowd, query: str) -> None:
    page = text(show(client, crowd.event, query))
    assert "This board follows when the event closes." in page
    assert "<tbody" not in page
    for kind in ("csv", "json"):
        assert download(client, crowd, kind, query).status_code == 404
    Event.objects.update(state=Event.State.CLOSED)
    assert download(client, crowd, "csv", query).status_code == 200


def test_a_category_is_shown_from_the_batch_that_brought_it_enough(
    client: Client, crowd: LargeCrowd
) -> None:
    query = "?category=maths"
    first = download(client, crowd, "json", query).json()
    assert first["ledger_position"] == crowd.snapshot.ledger_seq
    assert {row["votes"] for row in first["ratings"]} == {None}
    page = text(show(client, crowd.event, query))
    assert "Rating over time" not in page
    more = [make_enrollment(crowd.event) for _ in range(5)]
    poems = [one for one in crowd.matchups if crowd.categories[1] in one.record.categories.all()]
    make_all_votes([(judge, matchup, 1, True) for judge in more for matchup in poems[:4]])
    later = refresh(crowd.event)
    assert download(client, crowd, "json").json()["ledger_position"] == later.ledger_seq
    assert download(client, crowd, "json", query).json() == first
    CategoryBoard.objects.all().delete()
    assert "This category’s board follows once 20 judgments" in text(
        show(client, crowd.event, "?category=poems&pairs=all")
    )


def test_with_few_votes_a_model_has_no_rounded_rating(client: Client, db: None) -> None:
    crowd = Crowd(slug="small", publish_batch=20)
    crowd.vote(share=0.5)
    refresh(crowd.event)
    page = text(show(client, crowd.event))
    assert "Too few votes for rounded ratings" in page
    assert "its rating is shown with more" in page
    assert 'class="num rating"' not in page


def test_without_a_board_the_page_says_what_it_waits_for(client: Client, db: None) -> None:
    crowd = Crowd(slug="waiting", publish_batch=20)
    words = "The board comes once 20 judgments by at least 5 people are in."
    assert words in text(show(client, crowd.event))
    for control in crowd.controls:
        control.control.delete()
    assert "The board comes once 20 judgments are in, or after 6 hours." in text(
        show(client, crowd.event)
    )


def test_home_names_no_leader_before_the_close(client: Client, crowd: LargeCrowd) -> None:
    leader = Rating.objects.get(category=None, weighting="raw", rank=1).competitor.name
    past = timezone.now() - timedelta(seconds=1)
    Event.objects.update(state=Event.State.FROZEN, closes_at=past)
    assert leader not in text(client.get("/"))
    Event.objects.update(state=Event.State.CLOSED)
    assert leader in text(client.get("/"))


def test_places_and_the_method_page_say_how_boards_move(client: Client, crowd: LargeCrowd) -> None:
    page = text(client.get(reverse("leaderboard:method", args=[crowd.event.slug])))
    assert "After 20 further judgments by at least 5 people" in page
    assert "none of whom made more than 40% of them" in page
    assert "numbers of votes are rounded to multiples of 100" in page
    Event.objects.update(publish_batch=0)
    page = text(client.get(reverse("leaderboard:method", args=[crowd.event.slug])))
    assert "A few seconds after each judgment." in page
    assert "Anyone watching a live board can tell" in page


# --- those who look after the event ------------------------------------------------------------
def test_staff_see_the_latest_snapshot_in_full(crowd: LargeCrowd) -> None:
    reviewer = make_user()
    make_membership(crowd.event, reviewer, Membership.Role.REVIEWER)
    make_all_votes([(make_enrollment(crowd.event), crowd.matchups[0], 1, True)])
    latest = refresh(crowd.event)
    assert Snapshot.objects.get(board__event=crowd.event) == crowd.snapshot
    client, address = signed_in(reviewer), reverse("leaderboard:latest", args=[crowd.event.slug])
    page = text(client.get(address))
    assert f"ledger position {latest.ledger_seq}" in page.replace(",", "")
    assert "Head to head" in page
    assert f'href="{address}?category=maths"' in page
    assert "hx-get" not in page
    assert text(client.get(address + "?weighting=weighted"))
    desk = text(client.get(reverse("desk:overview", args=[crowd.event.slug])))
    assert address in desk


def test_nobody_else_sees_it(client: Client, crowd: LargeCrowd) -> None:
    address = reverse("leaderboard:latest", args=[crowd.event.slug])
    assert client.get(address).status_code == 302
    assert signed_in(make_user()).get(address).status_code == 404
    assert signed_in(crowd.judges[0].user).get(address).status_code == 404

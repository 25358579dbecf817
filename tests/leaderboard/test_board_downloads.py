"""The model board as CSV and JSON."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from leaderboard.models import Snapshot
from tests.leaderboard.votes import Crowd, refresh

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def crowd() -> Crowd:
    crowd = Crowd(slug="tea")
    crowd.vote()
    refresh(crowd.event)
    return crowd


def test_csv_holds_full_figures(crowd: Crowd, client: Client) -> None:
    response = client.get(reverse("leaderboard:board_csv", args=["tea"]))
    assert response.headers["Content-Type"] == "text/csv"
    assert response.headers["Content-Disposition"] == 'attachment; filename="tea-leaderboard.csv"'
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
    ratings = Snapshot.objects.get().ratings.filter(category=None, weighting="raw")
    for row in rows:
        rating = ratings.get(competitor__name=row["model"])
        assert float(row["strength"]) == rating.strength
        assert float(row["rating"]) == pytest.approx(1000 + 400 / 2.302585092994 * rating.strength)
        assert float(row["lower"]) < float(row["rating"]) < float(row["upper"])
        assert int(row["votes"]) == rating.votes
        assert int(row["rank_upper_bound"]) == rating.rank_upper_bound


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_the_csv_is_a_formula(crowd: Crowd, client: Client, name: str) -> None:
    crowd.event.competitors.filter(pk=crowd.models[0].pk).update(name=name, organization=name)
    response = client.get(reverse("leaderboard:board_csv", args=["tea"]))
    rows = list(csv.DictReader(io.StringIO(response.content.decode(), newline="")))
    found = next(row for row in rows if row["model"].endswith(name))
    assert found["model"] == found["organization"] == f"'{name}"
    assert any(row["strength"].startswith("-") for row in rows)


def test_json_holds_the_board_and_its_pairs(crowd: Crowd, client: Client) -> None:
    address = reverse("leaderboard:board_json", args=["tea"])
    board = client.get(address).json()
    assert (board["event"], board["category"], board["weighting"]) == ("tea", None, "raw")
    assert board["ledger_position"] == board["judgments"] == 138
    assert board["judgments_by_origin"] == {"screen": 138}
    assert board["method"]["votes"] == 108
    assert not {"pairs", "p", "neighbours", "unseating"} & board["method"].keys()
    order = [row["model"] for row in board["ratings"]]
    assert [pair["leader"] for pair in board["neighbours"]] == order[:-1]
    assert [pair["challenger"] for pair in board["neighbours"]] == order[1:]
    assert board["unseating"]["drop"]["leader"] == order[0]
    assert len(board["ratings"]) == 4
    assert len(board["pairs"]) == 6
    met = sum(pair["first_won"] + pair["tied"] + pair["second_won"] for pair in board["pairs"])
    assert met == 108
    won = {row["model"]: row["wins"] for row in board["ratings"]}
    for model, wins in won.items():
        assert wins == sum(
            pair[f"{side}_won"]
            for pair in board["pairs"]
            for side in ("first", "second")
            if pair[side] == model
        )
    maths = client.get(address, {"category": "maths", "weighting": "weighted"}).json()
    assert (maths["category"], maths["weighting"]) == ("maths", "weighted")
    assert maths["ratings"][0]["elo"] is None

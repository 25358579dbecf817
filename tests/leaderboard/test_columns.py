"""A board's columns, declared once: a further one is an entry, and everything follows."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from arena.exports.bundle_tables import RATINGS
from leaderboard.boards import columns
from leaderboard.boards.columns import COLUMNS, BoardColumn, stored_fields
from leaderboard.models import Rating
from leaderboard.pages import downloads
from tests.leaderboard.votes import Crowd, refresh, show

pytestmark = pytest.mark.any_database


def test_a_further_column_is_one_entry(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = BoardColumn(
        "decided",
        float,
        "Decided",
        "The part of its votes that were no ties.",
        lambda row: 1 - row.rating.ties / row.rating.votes if row.rating.votes else None,
        columns.format_share,
    )
    for module in (columns, downloads):
        monkeypatch.setattr(module, "COLUMNS", (*COLUMNS, toy))
    crowd = Crowd(slug="tea")
    crowd.vote()
    refresh(crowd.event)
    address = reverse("leaderboard:board_csv", args=["tea"])
    rows = list(csv.DictReader(io.StringIO(client.get(address).content.decode())))
    assert all(0 < float(row["decided"]) <= 1 for row in rows)
    ratings = client.get(reverse("leaderboard:board_json", args=["tea"])).json()["ratings"]
    assert [str(row["decided"]) for row in ratings] == [row["decided"] for row in rows]
    page = show(client, crowd.event).content.decode()
    assert ">Decided</th>" in page
    assert all(toy.cell(float(row["decided"])) in page for row in rows)


def test_the_bundle_keeps_every_stored_column() -> None:
    assert set(stored_fields()) <= set(RATINGS.columns)
    assert set(stored_fields()) <= {field.name for field in Rating._meta.fields}

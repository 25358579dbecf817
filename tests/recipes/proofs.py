"""Run by `test_recipes.py` in a copy with every recipe carried out, and in one without.

Not collected with the suite: what they ask for is not there.
"""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from arena.events.models import Response
from arena.exports.bundle import write_bundle
from arena.exports.bundle_tables import EVENT
from arena.exports.reproducing import reproduce
from arena.judging.models import Exclusion
from leaderboard.models import Snapshot
from tests.exports.test_bundle import current, published
from tests.exports.test_reproduce import empty_database, judged_event, rewritten
from tests.factories import NOW, make_user
from tests.leaderboard.votes import Crowd, make_vote, refresh, show
from tests.security.policy import POLICY

pytestmark = pytest.mark.django_db


def test_a_column_is_in_page_and_downloads(client: Client) -> None:
    crowd = Crowd(slug="tea")
    crowd.vote()
    refresh(crowd.event)
    rows = client.get(reverse("leaderboard:board_json", args=["tea"])).json()["ratings"]
    assert rows
    assert all(row["decided"] == 1 - row["ties"] / row["votes"] for row in rows)
    header = client.get(reverse("leaderboard:board_csv", args=["tea"])).content.splitlines()[0]
    assert b"decided" in header
    assert ">Decided</th>" in show(client, crowd.event).content.decode()


def test_a_stored_column_is_in_downloads_and_bundle(client: Client, tmp_path: Path) -> None:
    crowd = Crowd(slug="tea")
    crowd.vote()
    snapshot = refresh(crowd.event)
    rows = client.get(reverse("leaderboard:board_json", args=["tea"])).json()["ratings"]
    assert all(row["decisions"] == row["wins"] + row["losses"] for row in rows)
    write_bundle(snapshot, tmp_path / "tea.zip")
    with ZipFile(tmp_path / "tea.zip") as archive:
        kept = [json.loads(line) for line in archive.read("ratings.jsonl").splitlines()]
    assert kept
    assert all(row["decisions"] == row["wins"] + row["losses"] for row in kept)


def test_a_reason_is_offered_told_and_exported(tmp_path: Path) -> None:
    """Offered, told to the contributor with its rule, and in the exports."""
    organizer = make_user("olga")
    crowd = Crowd(slug="spices", organizer=organizer)
    user = make_user("sam")
    spammer = crowd.judges[0]
    spammer.user = user
    spammer.save()
    crowd.vote()
    refresh(crowd.event)
    client = Client()
    client.force_login(organizer)
    desk = reverse("desk:contributor", args=["spices", spammer.public_id])
    label = str(Exclusion.Reason("spam").label)
    assert f'<option value="spam">{label}</option>' in client.get(desk).content.decode()
    client.post(desk, {"act": "exclude", "reason": "spam", "note": "It advertises."})
    assert Exclusion.objects.get().reason == "spam"
    assert label in client.get(desk).content.decode()
    own = Client()
    own.force_login(user)
    mine = own.get(reverse("judging:me", args=["spices"])).content.decode()
    assert label in mine
    assert Exclusion.Reason("spam").rule in mine
    path = tmp_path / "spices.jsonl"
    call_command("export", "spices", "--out", str(path))
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    told = {row["exclusion"] for row in rows if row["pseudonym"] == spammer.pseudonym}
    assert told == {"spam"}


def test_a_bundle_carries_the_setting() -> None:
    assert "contact" in EVENT.columns


def test_the_policy_knows_the_page() -> None:
    assert "desk:count" in POLICY
    assert reverse("desk:count", args=["fair"]).endswith("/desk/count/")


def test_a_bundle_from_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "fair.zip"
    write_bundle(current(published(judged_event())), path)
    empty_database()
    rewritten(path, "event.jsonl", lambda rows: rows[0].pop("contact"))
    assert reproduce(path, NOW).differences == []


def test_a_covariate_is_counted_fitted_shown_and_carried(tmp_path: Path) -> None:
    """Counted, fitted, in the page, in JSON and in the bundle."""
    crowd = Crowd(slug="tea")
    for number, response in enumerate(Response.objects.filter(record__event=crowd.event)):
        response.text += "?" * (number % 5)
        response.save()
    call_command("count_style", "tea")
    assert set(Response.objects.values_list("asking", flat=True)) == {0, 1, 2, 3, 4}
    for number, matchup in enumerate(crowd.matchups):
        first, second = matchup.responses.order_by("pk")
        for judge in crowd.judges:
            asks = first.asking > second.asking
            make_vote(judge, matchup, 1 if asks != ((number + judge.pk) % 4 == 0) else -1)
    refresh(crowd.event)
    client = Client()
    page = show(client, crowd.event, "?weighting=style").content.decode()
    assert "Questions asked" in page
    assert "list items, code blocks and question marks, each as the difference" in page
    method = client.get(reverse("leaderboard:method", args=["tea"])).content.decode()
    assert "code blocks and question marks are worth" in method
    address = reverse("leaderboard:board_json", args=["tea"])
    board = client.get(f"{address}?weighting=style").json()
    assert "asking" in [each["name"] for each in board["method"]["coefficients"]]
    write_bundle(Snapshot.objects.get(board__event=crowd.event), tmp_path / "tea.zip")
    with ZipFile(tmp_path / "tea.zip") as archive:
        row = json.loads(archive.read("responses.jsonl").splitlines()[0])
    assert list(row)[-1] == "asking"

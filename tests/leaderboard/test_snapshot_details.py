"""What a snapshot keeps beside its rows: written and read by one pair, old rows included."""

import pytest
from django.test import Client

from leaderboard.boards.snapshot_details import (
    VERSION,
    BoardDetails,
    FitSummary,
    JudgmentsOverTime,
    OtherIntervals,
    OtherMethods,
    SnapshotDetails,
    TieEffect,
    UnseatingVotes,
)
from leaderboard.models import Snapshot
from leaderboard.pages.board_json import board_schema
from tests.leaderboard.votes import Crowd, refresh, show

EVERY_KIND = SnapshotDetails(
    origins={"screen": 3},
    timeline=JudgmentsOverTime(unit="day", start="2026-11-01", counts=(1, 2), unknown=4),
    competitors=(7, 9),
    boards={
        "1/all/raw": BoardDetails(
            fit=FitSummary(votes=3, clusters=(2, 3)),
            p=(0, 1, 300),
            neighbours=(),
            pairs=(0, 1, 2, 1, 0),
            unseating={"drop": UnseatingVotes(votes=1, leader=7, challenger=9)},
            other_methods=OtherMethods(ties=TieEffect(percent=20.0, moved=0)),
            other_intervals=OtherIntervals(),
        ),
        "1/all/style": BoardDetails(why_not="too_few"),
    },
)


def test_what_is_written_is_read() -> None:
    assert SnapshotDetails.from_json(EVERY_KIND.to_json()) == EVERY_KIND


def test_what_is_not_there_is_not_written_and_what_cannot_be_said_is_null() -> None:
    raw = EVERY_KIND.to_json()["boards"]["1/all/raw"]
    assert EVERY_KIND.to_json()["boards"]["1/all/style"] == {"why_not": "too_few"}
    assert (raw["graded"], raw["bootstrap"], raw["unseating"]["drop"]["votes"]) == (None, None, 1)
    assert not raw.keys() & {"why_not", "used", "coefficients", "other_methods", "fit"}


@pytest.mark.django_db
def test_the_rows_of_before_there_was_a_version_are_read(client: Client) -> None:
    crowd = Crowd(slug="tea")
    crowd.vote()
    snapshot = refresh(crowd.event)
    assert snapshot is not None
    assert snapshot.details.pop("version") == VERSION
    new, before = show(client, crowd.event).content, client.get("/events/tea/leaderboard.json")
    snapshot.fingerprint = "*" + snapshot.fingerprint[1:]  # another ETag: the page is rendered anew
    snapshot.save()
    kept = Snapshot.objects.get().details
    assert "version" not in kept
    assert SnapshotDetails.from_json(kept).to_json() == {"version": VERSION} | kept
    assert client.get("/events/tea/leaderboard.json").content == before.content
    old = show(client, crowd.event).content
    assert old.count(b"<tr") == new.count(b"<tr") > 4


def test_a_superseded_snapshot_keeps_nothing() -> None:
    nothing = SnapshotDetails.from_json({})
    assert (nothing.origins, nothing.boards, nothing.competitors) == ({}, {}, ())
    assert nothing.board("1/all/raw") == BoardDetails()


def test_later_code_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match=f"version {VERSION + 1}"):
        SnapshotDetails.from_json({"version": VERSION + 1})


def test_what_is_always_there_is_required_in_the_schema() -> None:
    schema = board_schema()
    assert set(schema["required"]) == set(schema["properties"])
    assert schema["$defs"]["PublicMethod"]["required"] == []
    assert "move" in schema["$defs"]["PublicInfluence"]["required"]

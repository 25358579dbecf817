"""An export of judgments, imported as it is into another event."""

import io
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from arena.events.lifecycle.duplication import duplicate_event
from arena.events.models import Control, Enrollment, Event, Matchup, Record
from arena.judging.ledger import seal_event
from arena.judging.models import Exclusion, Judgment, Origin
from leaderboard.models import Rating, Snapshot
from leaderboard.snapshots.refresh import refresh_fully
from tests.events.pairs import assert_pairs_stored
from tests.exports.cast import Cast, make_stranger, vote
from tests.factories import (
    NOW,
    make_companion,
    make_control,
    make_enrollment,
    make_event,
    make_matchup_of,
    make_response,
)
from tests.judging.campaign import SETTINGS, Campaign, bring, export_of, told

pytestmark = pytest.mark.django_db


def board(event: Event) -> list[dict[str, Any]]:
    """The unweighted board, every number of it, by model."""
    refresh_fully(event, now=NOW)
    snapshot = Snapshot.objects.filter(event=event).latest("pk")
    fields = [
        field.name
        for field in Rating._meta.concrete_fields
        if field.name not in ("id", "snapshot", "competitor", "category", "question")
    ]
    ratings = Rating.objects.filter(snapshot=snapshot, category=None, weighting="raw")
    return list(ratings.order_by("competitor__name").values("competitor__name", *fields))


def test_an_export_imported_into_a_fresh_event_says_the_same() -> None:
    source = Campaign()
    copy = make_event("copy", **SETTINGS)

    report = bring(copy, export_of(source.event))

    assert (report.landed, report.errors) == (True, [])
    there = told(source.event)
    assert told(copy) == there
    assert_pairs_stored(copy, pairs=6)
    assert len(there) == report.created == 102
    # It is shown that there is something of each kind.
    assert {row["outcome"] for row in there} == {-3, -2, -1, 0, 1, 2, 3}
    assert {row["role"] for row in there} == {"ordinary", "control", "anchor"}
    assert {row["left"] for row in there} == {"first", "second", None}
    assert {row["exclusion"] for row in there} == {None, "late", "broken", "rigging"}
    assert any(row["both_bad"] for row in there)
    assert {row["key"] for row in there} == {"", "first", "tie"}


def test_a_control_that_shows_one_text_twice_comes_along() -> None:
    source = Cast()
    twins = make_control(source.event, 0, texts=("Twelve.", "Twelve."))
    for person, answer in ((source.ada, "tie"), (source.ben, "a1")):
        source.judge(person, twins, answer)
    seal_event(source.event.pk, NOW)
    copy = make_event("copy")
    content = export_of(source.event)

    report = bring(copy, content)

    assert (report.errors, report.created) == ([], 2)
    assert told(copy) == told(source.event)
    assert (bring(copy, content).unchanged, copy.matchups.count()) == (2, 1)


def test_a_control_comes_along_with_its_companions() -> None:
    source = Cast()
    companion = make_companion(source.control)
    copy_of_first = make_response(source.first.record, None, "It is less dense.")
    first = source.first.record.responses.order_by("pk").first()
    tie = make_matchup_of(source.first.record, [first, copy_of_first], role="control")
    Control.objects.create(
        matchup=tie, question=source.event.questions.get(kind="preference"), key={"sign": 0}
    )
    for matchup in (source.control, companion, tie, source.first):
        source.judge(source.ada, matchup, "b1")
    source.judge(source.ben, companion, "a2")
    seal_event(source.event.pk, NOW)
    copy = make_event("copy")
    content = export_of(source.event)

    report = bring(copy, content)

    assert (report.errors, report.created) == ([], 5)
    assert told(copy) == told(source.event)
    assert board(copy) == board(source.event)
    assert (bring(copy, content).unchanged, Control.objects.count()) == (5, 4)


def test_the_pairs_that_nobody_judged_are_wanted_in_the_copy() -> None:
    source = Campaign()
    copy = make_event("copy", **SETTINGS)

    bring(copy, export_of(source.event))

    record = Record.objects.get(event=copy, metadata={"level": 3})
    assert record.matchups.count() == 6
    assert not copy.matchups.filter(retired_at__isnull=False).exists()
    for role in Matchup.Role:
        wanted = copy.overlap if role == "ordinary" else 0
        assert {m.open_slots for m in copy.matchups.filter(role=role)} == {wanted}
    control = Control.objects.get(matchup__event=copy, key={"sign": 0})
    assert control.reason == "It is so."


def test_an_event_that_samples_pairs_takes_an_export_with_the_same_board() -> None:
    source = Campaign()
    copy = make_event("copy", matchups_per_record=2, **SETTINGS)

    bring(copy, export_of(source.event))

    assert told(copy) == told(source.event)
    assert board(copy) == board(source.event)


def test_a_duplicate_of_the_event_takes_the_votes_of_the_original() -> None:
    source = Campaign()
    copy = duplicate_event(
        source.event, "Again", organizer=source.organizer, now=NOW, rng=Random(2)
    )
    records = list(Record.objects.filter(event=copy).order_by("pk").values())

    report = bring(copy, export_of(source.event))

    assert (report.landed, report.errors) == (True, [])
    assert told(copy) == told(source.event)
    assert board(copy) == board(source.event)
    assert list(Record.objects.filter(event=copy).order_by("pk").values()) == records


def test_the_same_export_again_changes_nothing() -> None:
    source = Campaign()
    copy = make_event("copy", **SETTINGS)
    content = export_of(source.event)
    bring(copy, content)
    before = told(copy), list(copy.matchups.order_by("pk").values())

    report = bring(copy, content)

    assert (report.created, report.unchanged, report.errors) == (0, 102, [])
    assert (told(copy), list(copy.matchups.order_by("pk").values())) == before


def test_an_export_is_refused_by_the_event_it_came_from() -> None:
    source = Campaign()
    before = Judgment.objects.count()

    report = bring(source.event, export_of(source.event))

    assert not report.landed
    assert "this very event" in report.errors[0].message
    assert Judgment.objects.count() == before


def test_simulated_and_machine_votes_stay_what_they_are() -> None:
    source = Cast(counts_machine=True)
    machine = make_enrollment(source.event, kind=Enrollment.Kind.MACHINE)
    vote(machine, source.first, 1, origin=Origin.MACHINE)
    vote(make_stranger(source.event), source.first, 1, origin=Origin.SIMULATED)
    copy = make_event("copy")

    report = bring(copy, export_of(source.event))

    found = copy.judgments.order_by("pk").values_list("origin", "enrollment__kind")
    assert list(found) == [("machine", "machine"), ("simulated", "human")]
    assert not Judgment.objects.counted().filter(event=copy).exists()
    said = [warning.message for warning in report.warnings]
    assert "1 votes are machine, which this event's boards do not count" in said
    assert "1 votes are simulated, which this event's boards do not count" in said


def test_imported_votes_that_did_not_count_do_not_begin_to() -> None:
    source = Cast(counts_imported=False)
    vote(make_stranger(source.event), source.first, 1)
    copy = make_event("copy")

    bring(copy, export_of(source.event))

    exclusion = Exclusion.objects.get(judgment__event=copy)
    assert "origin was not counted there" in exclusion.note
    assert not Judgment.objects.counted().filter(event=copy).exists()


# --- the commands -----------------------------------------------------------------------------
def test_the_command_brings_what_export_has_written(tmp_path: Path) -> None:
    source = Cast()
    source.judge_all()
    copy = make_event("copy")
    file, out = tmp_path / "judgments.jsonl", io.StringIO()
    call_command("export", "fair", "--out", str(file))

    call_command("import_judgments", "copy", str(file), stdout=out)

    assert "Imported: 7 created." in out.getvalue()
    assert "The file's records came along: 5 new" in out.getvalue()
    seal_event(copy.pk, NOW)
    assert told(copy) == told(source.event)


def test_the_command_for_records_says_which_one_takes_an_export(tmp_path: Path) -> None:
    source = Cast()
    source.judge_all()
    make_event("copy")
    file, out = tmp_path / "judgments.jsonl", io.StringIO()
    call_command("export", "fair", "--out", str(file))

    with pytest.raises(CommandError, match="1 errors"):
        call_command("import_records", "copy", str(file), stdout=out)

    assert "import_judgments" in out.getvalue()


def test_the_unweighted_board_of_the_copy_is_equal_to_the_last_digit() -> None:
    source = Campaign()
    copy = make_event("copy", **SETTINGS)

    bring(copy, export_of(source.event))

    found = board(source.event)
    assert len(found) >= 4
    assert board(copy) == found

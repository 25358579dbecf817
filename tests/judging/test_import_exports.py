"""An export of judgments, imported as it is into another event."""

import io
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from arena.events.lifecycle.duplication import duplicate_event
from arena.events.models import Control, Enrollment, Event, ImportJob, Matchup, Record
from arena.exports.jsonl import judgment_lines
from arena.judging.importing import copying_records, import_judgments, writing
from arena.judging.ledger import seal_event
from arena.judging.models import Exclusion, Judgment, Origin
from arena.judging.review.exclusions import exclude_contributor, exclude_judgment
from leaderboard.models import Rating, Snapshot
from leaderboard.snapshots.refresh import refresh_event
from tests.exports.cast import Cast, make_stranger, vote
from tests.factories import (
    NOW,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup_of,
    make_record,
    make_user,
)

pytestmark = pytest.mark.django_db
SETTINGS = {"scale": 7, "both_bad": True, "publish_batch": 0}


class Campaign(Cast):
    """An event in which everything that a vote can say was said, by five people."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**(SETTINGS | settings))
        self.models += make_competitors(self.event, 2)
        rng = Random(7)
        people = [self.ada, self.ben, *(make_enrollment(self.event) for _ in range(3))]
        self.people = people
        self.judge_all()
        for number in range(6):
            record = make_record(self.event, f"Is {number} prime?", metadata={"level": number})
            self.judge_record(record, people, rng)
        self.tie_control = make_control(self.event, 0, texts=("2", "two"))
        for person in people:
            self.judge(person, self.tie_control, rng.choice(["a1", "tie", "b3"]))
        exclude_contributor(people[-1], Exclusion.Reason.RIGGING, by=self.organizer, now=NOW)
        seal_event(self.event.pk, NOW)

    def judge_record(self, record: Record, people: list[Enrollment], rng: Random) -> None:
        """All four models answer; three pairs of them are judged, some on the other side."""
        responses = [
            record.responses.create(competitor=model, text=f"{model.name[-1]} says {rng.random()}")
            for model in rng.sample(self.models, 4)
        ]
        for one, other in ((0, 1), (1, 2), (0, 3)):
            matchup = make_matchup_of(record, [responses[one], responses[other]])
            for person in people:
                answer = rng.choice(["a3", "a2", "a1", "tie", "b1", "b2", "b3", "both_bad"])
                order = rng.choice([(0, 1), (1, 0)])
                judgment = self.judge(person, matchup, answer, f"I chose {answer}", order)
                if rng.random() < 0.1:
                    reason = Exclusion.Reason.LATE
                    exclude_judgment(judgment, reason, by=None, now=NOW)


def export_of(event: Event) -> bytes:
    return "".join(judgment_lines(event)).encode()


def bring(event: Event, content: bytes, **options: Any) -> Any:
    report = import_judgments(event, io.BytesIO(content), now=NOW, rng=Random(3), **options)
    seal_event(event.pk, NOW)
    return report


SAME = (
    *("external_id", "prompt", "categories", "first_competitor", "first_response", "winner"),
    *("second_competitor", "second_response", "left", "right", "outcome", "both_bad", "comment"),
    *("pseudonym", "contributor_kind", "judged_at", "role", "exclusion", "counted", "metadata"),
    *("key", "key_reason", "other_answers"),
)


def told(event: Event) -> list[dict[str, Any]]:
    """What an export says, but for what is another event's own: identifiers, screens, origins."""
    rows = [json.loads(line) for line in judgment_lines(event)]
    return [{name: row[name] for name in SAME} for row in rows]


def board(event: Event) -> list[dict[str, Any]]:
    """The unweighted board, every number of it, by model."""
    refresh_event(event, now=NOW)
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


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "another prompt": ({"prompt": "Another?"}, "prompt", "is not that of record"),
    "another text": ({"first_response": "Other."}, "first_response", "in an earlier line"),
    "no answer of a control": ({"key": "", "role": "control"}, "key", "export the event anew"),
    "a degree too many": ({"outcome": 3, "both_bad": False}, "outcome", "2 degrees, not 3"),
    "another role": ({"role": "anchor"}, "role", "earlier line"),
    "twice": ({}, "pseudonym", "in an earlier line"),
    "no side": ({"left": "top"}, "left", "first, second or null"),
    "no origin": ({"origin": "dream"}, "origin", "one of"),
    "future reason": ({"exclusion": "mood"}, "exclusion", "one of"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_line_that_was_changed_is_named_and_nothing_comes(case: str) -> None:
    changes, field, words = WRONG[case]
    source = Cast()
    source.judge(source.ada, source.first, "a1", "so")
    source.judge(source.ben, source.first, "a1", "so")
    lines = [json.loads(line) for line in judgment_lines(source.event)]
    copy = make_event("copy")
    wrong = lines[0 if case == "twice" else 1] | changes

    report = bring(copy, "".join(json.dumps(line) + "\n" for line in [lines[0], wrong]).encode())

    assert [(error.line, error.field) for error in report.errors] == [(2, field)]
    assert words in report.errors[0].message
    assert not report.landed
    assert not Record.objects.filter(event=copy).exists()
    assert not copy.enrollments.exists()


@pytest.mark.parametrize("scale", [3, 5])
def test_an_export_of_a_scale_with_other_degrees_is_refused_in_one_sentence(scale: int) -> None:
    source = Campaign()
    copy = make_event("copy", scale=scale, both_bad=True)

    (error,) = bring(copy, export_of(source.event)).errors

    assert (error.field, error.count) == ("scale", 1)
    assert f"a scale of 7, and this event has one of {scale}" in error.message
    assert not Record.objects.filter(event=copy).exists()


def test_an_export_that_another_program_has_written_again_is_known() -> None:
    source = Campaign()
    lines = [json.loads(line) for line in judgment_lines(source.event)]
    numbers = ("first_competitor_id", "second_competitor_id", "matchup_id")
    floats = [
        line | {name: float(line[name]) for name in numbers if line[name] is not None}
        for line in lines
    ]
    again = "".join(json.dumps(line, sort_keys=True) + "\n" for line in floats).encode()
    copy = make_event("copy", **SETTINGS)

    assert bring(copy, again).errors == []
    assert told(copy) == told(source.event)


def test_a_process_that_dies_leaves_no_votes_and_the_next_import_finishes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = Cast()
    source.judge_all()
    copy = make_event("copy")
    content = export_of(source.event)

    def dies(*_args: Any) -> None:
        raise KeyboardInterrupt

    for module, name in (
        (copying_records, "fill_up"),
        (copying_records, "apply_staged"),
        (writing, "write_batch"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, dies)
            with pytest.raises(KeyboardInterrupt):
                bring(copy, content)
        assert not Judgment.objects.landed().filter(event=copy).exists()

    assert bring(copy, content).landed
    assert told(copy) == told(source.event)


def test_an_import_that_dies_after_its_records_does_not_say_that_nothing_was_imported(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    source = Cast()
    source.judge_all()
    organizer = make_user("organizer-of-the-copy")
    copy = make_event("copy", organizer=organizer)
    content = export_of(source.event)

    def dies(*_args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_batch", dies)
        with pytest.raises(KeyboardInterrupt):
            bring(copy, content)

    assert Record.objects.filter(event=copy, imported_at__isnull=False).count() == 5
    client.force_login(organizer)
    for page in (
        reverse("votes:new", args=["copy"]),
        reverse("votes:job", args=["copy", ImportJob.objects.get(event=copy).uuid]),
    ):
        text = client.get(page).content.decode()
        assert "records are here, its votes are not" in text
        assert "othing was imported" not in text


def test_a_model_that_stands_in_no_order_is_told(tmp_path: Path) -> None:
    source = Cast()
    copy = make_event("copy")
    source.judge(source.ada, source.first, "a1")
    [line] = [json.loads(line) for line in judgment_lines(source.event)]
    turned = line | {"pseudonym": "other", "matchup_id": line["matchup_id"] + 1}
    for name in ("competitor", "response", "competitor_id"):
        one, other = f"first_{name}", f"second_{name}"
        turned[one], turned[other] = line[other], line[one]

    report = bring(copy, (json.dumps(line) + "\n" + json.dumps(turned)).encode())

    assert [(error.line, error.field) for error in report.errors] == [(2, "role")]


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

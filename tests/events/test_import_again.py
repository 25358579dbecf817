"""A file that comes again, and the keys of controls: what changes, what is frozen."""

from typing import Any

import pytest

from arena.events.decision_record import Ruling
from arena.events.importing import (
    running,
)
from arena.events.importing.writing import updating
from arena.events.models import (
    Control,
    Event,
    Matchup,
    Record,
    Response,
    StagedRecord,
)
from arena.events.records.controls import withdraw_key
from tests.events.record_files import bring, control, everything, record
from tests.factories import NOW, make_assignment, make_enrollment, make_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return make_event()


@pytest.mark.parametrize(("expected", "sign"), [("a", 1), ("b", -1), ("tie", 0)])
def test_a_control_has_its_key_in_canonical_order(event: Event, expected: str, sign: int) -> None:
    bring(event, [control(expected)])

    matchup = Matchup.objects.get()
    assert (matchup.role, matchup.open_slots) == (Matchup.Role.CONTROL, 0)
    assert (matchup.control.key, matchup.control.reason) == ({"sign": sign}, "So it is.")
    assert matchup.control.question == event.questions.get(kind="preference")
    assert set(Response.objects.values_list("competitor", flat=True)) == {None}


def test_the_expected_answer_may_be_a_models_name(event: Event) -> None:
    bring(event, [record(control={"expected": "Birch 2"})])

    assert Control.objects.get().key == {"sign": -1}


def test_a_key_follows_the_response_when_it_is_listed_the_other_way_round(event: Event) -> None:
    bring(event, [record()])
    reversed_order = {"Birch 2": "No 1.", "Ash 1": "Yes 1."}

    report = bring(event, [record(responses=reversed_order, control={"expected": "a"})])

    assert report.updated == 1
    matchup = Matchup.objects.get()  # the ordinary matchup has become the control
    assert (matchup.role, matchup.open_slots) == (Matchup.Role.CONTROL, 0)
    assert matchup.control.key == {"sign": -1}
    assert bring(event, [record(control={"expected": "b"})]).unchanged == 1


def test_a_key_can_be_corrected_until_somebody_has_seen_the_control(event: Event) -> None:
    bring(event, [control("a")])
    assert bring(event, [control("b")]).updated == 1
    assert Control.objects.get().key == {"sign": -1}
    Matchup.objects.update(role=Matchup.Role.ORDINARY, open_slots=1)  # so that it is served first
    make_assignment(make_enrollment(event))

    report = bring(event, [control("tie")])

    assert [(error.line, error.field) for error in report.errors] == [(1, "control.expected")]
    assert Control.objects.get().key == {"sign": -1}


def test_a_withdrawn_key_is_not_given_back_by_an_import(event: Event) -> None:
    bring(event, [control("a")])
    withdraw_key(Control.objects.get(), "It was wrong.", Ruling(None, NOW))
    assert bring(event, [control("a")]).unchanged == 1

    report = bring(event, [control("b")])

    assert [(error.line, error.field) for error in report.errors] == [(1, "control.expected")]
    assert Control.objects.get().retired_at == NOW


def test_a_key_nobody_can_answer_is_refused(event: Event) -> None:
    Event.objects.update(scale=Event.Scale.TWO)
    event.refresh_from_db()

    report = bring(event, [control("tie")])

    assert [(error.line, error.field) for error in report.errors] == [(1, "control.expected")]
    assert not Record.objects.exists()


def test_an_import_again_changes_what_has_changed_and_nothing_else(event: Event) -> None:
    rows = [record(n, categories=["x"], metadata={"n": n}) for n in range(4)]
    bring(event, rows)
    rows[1]["prompt"] = "Another?"
    rows[2]["categories"] = ["y"]
    rows[3]["responses"]["Ash 1"] = "Now **bold**."
    keys = set(Matchup.objects.values_list("pk", "key"))

    report = bring(event, rows)

    assert (report.created, report.updated, report.unchanged) == (0, 3, 1)
    assert Record.objects.get(external_id="r1").prompt[0]["content"] == "Another?"
    assert [c.name for c in Record.objects.get(external_id="r2").categories.all()] == ["y"]
    changed = Response.objects.get(record__external_id="r3", competitor__name="Ash 1")
    assert (changed.text, changed.bold) == ("Now **bold**.", 1)
    assert set(Matchup.objects.values_list("pk", "key")) == keys
    assert not StagedRecord.objects.exists()
    assert bring(event, rows).unchanged == 4


def test_what_a_file_does_not_mention_stays(event: Event) -> None:
    bring(event, [record(categories=["x"], metadata={"n": 1})])
    before = everything()

    assert bring(event, [record()]).unchanged == 1
    assert everything() == before


def test_a_text_that_was_shown_is_frozen(event: Event) -> None:
    bring(event, [record(1), record(2)])
    shown = make_assignment(make_enrollment(event)).matchup.record
    before = everything()
    number = int(shown.external_id[1:])

    responses = {"Ash 1": "Other.", "Birch 2": f"No {number}."}
    changed = record(number, prompt="Other?", responses=responses)
    report = bring(event, [record(3), changed])

    assert [(error.line, error.field) for error in report.errors] == [
        (2, "prompt"),
        (2, "responses.Ash 1"),
    ]
    assert "frozen" in report.errors[0].message
    assert everything() == before
    assert bring(event, [record(1), record(2)]).unchanged == 2


def test_a_response_of_a_shown_record_that_was_not_shown_itself_can_change(event: Event) -> None:
    bring(event, [record(responses={"Ash": "a", "Birch": "b", "Cedar": "c"})])
    matchup = make_assignment(make_enrollment(event)).matchup
    unseen = Response.objects.exclude(matchups=matchup).get()

    report = bring(event, [record(responses={unseen.competitor.name: "better"})])

    assert report.updated == 1
    unseen.refresh_from_db()
    assert unseen.text == "better"


def test_a_text_shown_while_the_import_runs_is_kept_and_reported(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(event, [record(1)])

    def shown_meanwhile(*args: Any) -> None:
        make_assignment(make_enrollment(event))
        updating.apply_staged(*args)

    monkeypatch.setattr(running, "apply_staged", shown_meanwhile)
    report = bring(event, [record(1, prompt="Other?")])

    assert (report.updated, report.skipped, report.error_total) == (0, 1, 1)
    assert report.landed
    assert Record.objects.get(external_id="r1").prompt[0]["content"] == "Is it 1?"

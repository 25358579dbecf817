"""Controls of more than two responses: the further ones make companions."""

from typing import Any

import pytest

from arena.events.models import Control, Event, Matchup, Record, Response
from tests.events.bringing import table
from tests.events.record_files import bring, record
from tests.factories import make_event

pytestmark = pytest.mark.django_db
TEXTS = ("first", "second", "third", "fourth")


@pytest.fixture
def event() -> Event:
    return make_event()


def key_of(expected: str, texts: tuple[str, ...] = TEXTS, **fields: Any) -> dict[str, Any]:
    """A control with these responses, which are nobody's."""
    control = {"expected": expected, "reason": "So it is."}
    return record(responses=[{"text": text} for text in texts], control=control) | fields


def texts_of(matchup: Matchup) -> list[str]:
    return list(matchup.places.values_list("response__text", flat=True))


def companions(event: Event) -> list[Matchup]:
    return list(event.matchups.filter(role=Matchup.Role.ORDINARY).order_by("pk"))


def test_further_responses_make_companions_of_every_pair_but_the_keyed_one(event: Event) -> None:
    bring(event, [key_of("b")])

    control = Control.objects.select_related("matchup").get()
    assert texts_of(control.matchup) == ["first", "second"]
    assert (control.key, control.matchup.role) == ({"sign": -1}, "control")
    pairs = [tuple(texts_of(matchup)) for matchup in companions(event)]
    assert sorted(pairs) == sorted(
        (one, other)
        for place, one in enumerate(TEXTS)
        for other in TEXTS[place + 1 :]
        if (one, other) != ("first", "second")
    )
    assert {(one.pair, one.open_slots) for one in companions(event)} == {("", event.overlap)}


@pytest.mark.parametrize("wanted", [1, 2, 3, 4])
def test_a_control_has_as_many_matchups_as_an_ordinary_record(wanted: int) -> None:
    event = make_event(matchups_per_record=wanted)
    models = {f"Model {letter}": f"Says {letter}" for letter in "ABCD"}

    bring(event, [record(1, responses=models), key_of("a", external_id="c1")])

    counts = {one.external_id: one.matchups.count() for one in Record.objects.all()}
    assert counts == {"r1": counts["r1"], "c1": max(wanted, 1)}
    # The tree of a sample has three pairs of four responses at most.
    assert counts["r1"] == wanted


def test_a_flat_table_may_give_a_control_four_responses(event: Event) -> None:
    header = ["external_id", "prompt", *(f"response_{letter}" for letter in "abcd"), "expected"]

    bring(event, table(header, ["c1", "Which?", *TEXTS, "tie"]), format="csv")

    assert Control.objects.get().key == {"sign": 0}
    assert len(companions(event)) == 5


def test_responses_added_later_bring_companions_and_leave_the_key(event: Event) -> None:
    bring(event, [key_of("b", TEXTS[:2])])
    before = Control.objects.values().get()
    assert companions(event) == []

    report = bring(event, [key_of("b")])

    assert (report.updated, report.errors) == (1, [])
    assert Control.objects.values().get() == before
    assert Response.objects.count() == 4
    assert len(companions(event)) == 5
    assert bring(event, [key_of("b")]).unchanged == 1


def test_a_row_without_identifier_finds_the_control_that_it_adds_to(event: Event) -> None:
    def without_id(texts: tuple[str, ...]) -> dict[str, Any]:
        row = key_of("a", texts)
        del row["external_id"]
        return row

    bring(event, [without_id(TEXTS[:2])])
    assert bring(event, [without_id(TEXTS)]).updated == 1
    assert Record.objects.count() == 1


def test_responses_of_nobody_are_told_by_their_texts(event: Event) -> None:
    bring(event, [key_of("a")])

    report = bring(event, [key_of("a", ("first", "second", "fourth", "fifth"))])

    assert (report.updated, report.errors) == (1, [])
    # "third" was left over for the one text that is nowhere: it was changed.
    assert set(Response.objects.values_list("text", flat=True)) == {
        *("first", "second", "fourth", "fifth")
    }


def test_a_key_stays_with_its_two_responses(event: Event) -> None:
    bring(event, [key_of("a")])

    report = bring(event, [key_of("a", ("third", "fourth", "first", "second"))])

    assert [(error.line, error.field) for error in report.errors] == [(1, "responses")]
    assert "this record's key is about" in report.errors[0].message


def test_two_models_of_an_ordinary_record_become_its_control(event: Event) -> None:
    models = {"Ash 1": "Yes 1.", "Birch 2": "No 1.", "Cedar 3": "Perhaps."}
    bring(event, [record(1, responses=models)])

    report = bring(event, [record(1, responses=models, control={"expected": "Birch 2"})])

    assert (report.updated, report.errors) == (1, [])
    assert texts_of(Control.objects.get().matchup) == ["Yes 1.", "No 1."]
    assert [one.pair != "" for one in companions(event)] == [True, True]


def test_a_model_that_joins_a_controls_record_is_paired_with_its_others(event: Event) -> None:
    bring(event, [record(5, control={"expected": "a"})])

    report = bring(event, [record(5, responses={"Cedar 3": "x"})])

    assert (report.updated, report.errors) == (1, [])
    assert len(companions(event)) == 2
    assert Control.objects.count() == 1

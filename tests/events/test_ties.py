"""Tie controls by one button: a response beside its copy, in the place of an ordinary matchup."""

from random import Random
from typing import Any

import pytest

from arena.errors import ArenaError
from arena.events.decision_record import Ruling
from arena.events.models import Control, Event, LedgerEntry, Matchup, Record
from arena.events.records.controls import ExpectedAnswer, mark_as_control
from arena.events.records.corrections import RecordTexts, correct_record, texts_of
from arena.events.records.ties import count_ties_offered, make_tie_controls
from arena.judging.models import Assignment
from tests.events.record_files import bring, record
from tests.factories import (
    NOW,
    make_control,
    make_enrollment,
    make_event,
)

pytestmark = pytest.mark.django_db
MODELS = {f"Model {letter}": f"Says {letter}." for letter in "ABCD"}


def make_full_event(controls: int = 9, records: int = 6, **settings: Any) -> Event:
    """Records of four responses and three matchups, and controls."""
    event = make_event(**({"matchups_per_record": 3} | settings))
    rows = [
        record(number, responses={model: f"{text} {number}" for model, text in MODELS.items()})
        for number in range(records)
    ]
    bring(event, rows)
    for number in range(controls):
        make_control(event, 1 if number % 2 else -1)
    return event


def find_ties(event: Event) -> list[Control]:
    found = Control.objects.filter(matchup__event=event, key__sign=0)
    return list(found.select_related("matchup__record"))


def serving(one: Record) -> int:
    return Matchup.objects.serving().filter(record=one).count()


def test_one_control_in_ten_at_most() -> None:
    event = make_full_event(controls=8)
    assert count_ties_offered(event) == 0
    make_control(event)
    assert count_ties_offered(event) == 1
    assert make_tie_controls(event, Ruling(None, NOW), Random(1)) == 1
    assert count_ties_offered(event) == 0
    with pytest.raises(ArenaError) as caught:
        make_tie_controls(event, Ruling(None, NOW), Random(1))
    assert caught.value.code == "ties_enough"
    for _ in range(9):
        make_control(event)
    assert count_ties_offered(event) == 1
    assert Control.objects.count() == 19


def test_a_response_stands_beside_its_copy_in_the_place_of_an_ordinary_matchup() -> None:
    event = make_full_event()
    make_tie_controls(event, Ruling(None, NOW), Random(1))
    (tie,) = find_ties(event)
    matchup = tie.matchup
    original, copy = (place.response for place in matchup.places.all())
    assert (matchup.role, matchup.open_slots, matchup.pair) == ("control", 0, "")
    assert (original.text, original.html) == (copy.text, copy.html)
    assert original.length == copy.length
    assert original.competitor is not None
    assert copy.competitor is None
    assert serving(matchup.record) == 3
    retired = matchup.record.matchups.get(retired_at=NOW)
    assert original in retired.responses.all()
    written = LedgerEntry.objects.filter(event=event, subject=matchup.pk)
    assert set(written.values_list("kind", flat=True)) == {"matchup", "key"}


def test_records_with_a_control_and_matchups_that_were_handed_out_are_left_alone() -> None:
    event = make_full_event(records=3)
    first, second, third = event.records.exclude(matchups__role="control").order_by("pk")
    mark_as_control(first.matchups.first(), ExpectedAnswer("a", "So it is."), Ruling(None, NOW))
    person = make_enrollment(event)
    for number, matchup in enumerate(second.matchups.all()):
        Assignment.objects.create(
            enrollment=person,
            matchup=matchup,
            ordinal=number + 1,
            order=[0, 1],
            reserved_at=NOW,
            lease_until=NOW,
        )
    make_tie_controls(event, Ruling(None, NOW), Random(5))
    (tie,) = find_ties(event)
    assert tie.matchup.record == third
    for _ in range(9):
        make_control(event)
    with pytest.raises(ArenaError) as caught:
        make_tie_controls(event, Ruling(None, NOW), Random(5))
    assert caught.value.code == "matchups_missing"


def test_none_is_offered_on_a_scale_without_a_tie() -> None:
    event = make_full_event(scale=Event.Scale.TWO)
    assert count_ties_offered(event) == 0
    with pytest.raises(ArenaError):
        make_tie_controls(event, Ruling(None, NOW), Random(1))


def test_no_other_control_is_marked_in_its_record() -> None:
    event = make_full_event()
    make_tie_controls(event, Ruling(None, NOW), Random(1))
    record = find_ties(event)[0].matchup.record
    ordinary = record.matchups.filter(role="ordinary", retired_at=None).first()
    with pytest.raises(ArenaError) as caught:
        mark_as_control(ordinary, ExpectedAnswer("a", "So it is."), Ruling(None, NOW))
    assert caught.value.code == "tie_control_there"


def test_a_correction_changes_the_copy_with_its_original() -> None:
    event = make_full_event()
    make_tie_controls(event, Ruling(None, NOW), Random(1))
    old = find_ties(event)[0].matchup.record
    wording = texts_of(old)
    assert len(wording.responses) == 4
    texts = [f"Corrected: {text}" for text in wording.responses]
    new = correct_record(old, RecordTexts(wording.turns, texts), Ruling(None, NOW), Random(2))
    tie = new.matchups.get(role="control")
    shown = [place.response.text for place in tie.places.all()]
    assert shown[0] == shown[1]
    assert shown[0].startswith("Corrected: ")
    assert (serving(new), tie.control.key) == (3, {"sign": 0})


def test_an_import_changes_the_copy_with_its_original_and_pairs_it_with_nothing() -> None:
    event = make_full_event()
    make_tie_controls(event, Ruling(None, NOW), Random(1))
    one = find_ties(event)[0].matchup.record
    number = one.external_id.removeprefix("r")
    changed = {model: f"{text} Changed." for model, text in MODELS.items()}
    report = bring(event, [record(int(number), responses=changed | {"Model E": "Says E."})])
    assert (report.updated, report.errors) == (1, [])
    tie = one.matchups.get(role="control")
    shown = [place.response.text for place in tie.places.all()]
    assert shown[0] == shown[1]
    assert shown[0].endswith("Changed.")
    copy = one.responses.get(competitor=None)
    assert list(copy.matchups.all()) == [tie]

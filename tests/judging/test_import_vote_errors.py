"""Lines of a file of votes that are wrong: each is named, and nothing is left."""

import io
import json
from random import Random
from typing import Any

import pytest

from arena.errors import ArenaError
from arena.events.importing import import_records
from arena.events.models import (
    Enrollment,
    Event,
)
from arena.judging.models import Judgment
from tests.factories import NOW, make_event
from tests.judging.vote_files import CSV, bring, everything, vote, with_records

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return with_records(make_event())


WRONG: dict[str, tuple[Any, str, str]] = {
    "unknown record": (vote(record="r9"), "record", "no record r9"),
    "unknown model": (vote(model_b="Brich"), "model_b", "did you mean Birch?"),
    "no such response": (vote(record="extra", model_b="Cedar"), "model_b", "no response to extra"),
    "same model": (vote(model_b="Ash"), "model_b", "same model"),
    "no worker": (vote(worker=""), "worker", "missing"),
    "blank worker": (vote(worker="  "), "worker", "empty"),
    "no record": (vote(record=None), "record", "missing"),
    "no model": (vote(model_a=None), "model_a", "missing"),
    "no winner": (vote(winner=None), "winner", "missing"),
    "winner and outcome": (vote(outcome=1), "winner", "beside outcome"),
    "unknown winner": (vote(winner="perhaps"), "winner", "not known"),
    "outcome off the scale": (vote(winner=None, outcome=3), "outcome", "-2, -1, 0, 1, 2"),
    "outcome a word": (vote(winner=None, outcome="much"), "outcome", "one of"),
    "outcome in between": (vote(winner=None, outcome=1.5), "outcome", "one of"),
    "outcome true": (vote(winner=None, outcome=True), "outcome", "one of"),
    "unknown side": (vote(left="top"), "left", "a, b, unknown"),
    "no moment": (vote(timestamp="yesterday"), "timestamp", "ISO 8601"),
    "moment a list": (vote(timestamp=[1]), "timestamp", "ISO 8601"),
    "future": (vote(timestamp="2031-01-01"), "timestamp", "future"),
    "long ago": (vote(timestamp="1789-07-14"), "timestamp", "before 1990"),
    "comment a number": (vote(comment=5), "comment", "a number"),
    "comment too long": (vote(comment="x" * 3000), "comment", "2,000 characters"),
    "nul": (vote(comment="\x00"), "comment", "NUL"),
    "surrogate": (vote(worker="\ud800"), "worker", "surrogate"),
    "unknown key": (vote(wniner="a"), "wniner", "did you mean winner?"),
    "no object": ([1], "", "object"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_line_is_named_and_nothing_is_left(event: Event, case: str) -> None:
    wrong, field, words = WRONG[case]
    extra = {"external_id": "extra", "prompt": "x", "responses": {"Ash": "x", "Birch": "y"}}
    import_records(event, io.BytesIO(json.dumps(extra).encode()), now=NOW, rng=Random(1))
    before = everything()

    report = bring(event, [vote(), wrong])

    assert not report.landed
    assert [(error.line, error.field) for error in report.errors] == [(2, field)]
    assert words in report.errors[0].message
    assert everything() == before


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("worker,record,model_a,model_b,wniner", [("", "--map wniner=winner")]),
        ("worker,record,model_a,left,winner", [("", "model_b (the other model's name)")]),
        ("worker,prompt,model_a,model_b,winner", [("", "record (the identifier of the record)")]),
    ],
)
def test_a_wrong_header_is_wrong_once(
    event: Event, header: str, found: list[tuple[str, str]]
) -> None:
    content = f"{header}\n" + "w1,r0,Ash,Birch,a\n" * 3

    report = bring(event, content.encode(), on_error="skip")

    assert not report.landed
    assert [(error.line, error.field) for error in report.errors] == [
        (1, name) for name, _ in found
    ]
    for error, (_, words) in zip(report.errors, found, strict=True):
        assert words in error.message


def test_texts_and_names_that_begin_with_a_sign_are_taken_to_the_letter(event: Event) -> None:
    lines = "=1+1,r0,Ash,Birch,a,=x\n-w,r0,Ash,Birch,b,- so so\n"

    report = bring(event, f"worker,record,model_a,model_b,winner,comment\n{lines}".encode())

    assert (report.created, report.errors) == (2, [])
    workers = Enrollment.objects.order_by("external_id").values_list("external_id", flat=True)
    assert list(workers) == ["-w", "=1+1"]


def test_errors_come_in_the_order_of_lines(event: Event) -> None:
    votes = [vote(record="r9", worker=f"w{number}") for number in range(3)]

    report = bring(event, [*votes, vote(winner="x"), votes[0]])

    assert [(error.where, error.count) for error in report.errors] == [("1, 2, 3, 5", 4), ("4", 1)]


@pytest.mark.parametrize(
    ("settings", "said", "words"),
    [
        ({"scale": 2}, {"winner": "tie"}, "no tie"),
        ({"both_bad": False}, {"winner": "both_bad"}, "does not offer"),
        ({"scale": 5}, {"winner": None, "outcome": 3}, "-2, -1, 0, 1, 2"),
        ({"scale": 2}, {"winner": None, "outcome": 0}, "no tie"),
    ],
)
def test_a_vote_fits_the_events_scale(
    settings: dict[str, Any], said: dict[str, Any], words: str
) -> None:
    event = with_records(make_event(**settings))

    assert words in bring(event, [vote(**said)]).errors[0].message


def test_a_comment_needs_a_question_for_it(event: Event) -> None:
    event.questions.filter(kind="text").delete()

    assert [error.field for error in bring(event, [vote(comment="x")]).errors] == ["comment"]


def test_votes_need_a_preference(event: Event) -> None:
    event.questions.filter(kind="preference").delete()

    with pytest.raises(ArenaError, match="no preference"):
        bring(event, [vote()])


@pytest.mark.parametrize("content", [b"", b"\n\n", b"worker,record\n", CSV.encode("utf-16")])
def test_a_file_without_votes_is_refused(event: Event, content: bytes) -> None:
    report = bring(event, content)

    assert not report.landed
    assert report.errors[0].line == 1


def test_the_other_votes_are_imported_where_the_caller_says_so(event: Event) -> None:
    report = bring(event, [vote(), vote(record="r9"), vote(record="r1")], on_error="skip")

    assert (report.created, report.skipped) == (2, 1)
    assert Judgment.objects.counted().count() == 2


def test_records_of_an_import_under_way_cannot_be_voted_on(event: Event) -> None:
    event.records.filter(external_id="r1").update(imported_at=None)

    assert bring(event, [vote(record="r1")]).errors[0].field == "record"

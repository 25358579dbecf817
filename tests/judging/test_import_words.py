"""What the cells of other people's votes say: winners, sides, columns and their values."""

import io
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from arena.errors import ArenaError
from arena.events.importing import import_records
from arena.events.models import Event
from arena.judging.importing import import_judgments
from arena.judging.importing.reading.value_answers import read_value_answers
from arena.judging.models import Judgment
from tests.factories import make_event
from tests.judging.foreign_votes import bring, stored
from tests.judging.vote_files import LATER, vote, with_records

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def event() -> Event:
    return with_records(make_event())


# --- winners ----------------------------------------------------------------------------------
ASH = [
    *("a", "A", " A ", "model_a", "Model A", "MODEL-A", "modelA", "response a", "Response_A", "1"),
    *("Ash", "ash", "ASH ", "A wins", "a is better", "model_1", "Assistant A", "first", "[[A]]"),
    *("a1", "A>B", "[[A>B]]", "B<A", "option a", "output_1", 1, 1.0),
]
BIRCH = ["b", "Model B", "model_b", "2", 2, "Birch", "birch", "B is better", "second", "b1", "B>A"]
TIE = [
    *("tie", "Tie", "TIE", "draw", "Draw", "equal", "same", "no preference", "both good", "A=B"),
    *("Tie (both good)", "tied", "[[C]]"),
]
BOTH_BAD = [
    *("both_bad", "both bad", "Both Bad", "bothbad", "BOTH-BAD", "tie (bothbad)", "Tie (both bad)"),
    *("tie(bothbad)", "both are bad", "bothbad (tie)"),
]


@pytest.mark.parametrize(
    ("words", "answer"),
    [(ASH, (1, False)), (BIRCH, (-1, False)), (TIE, (0, False)), (BOTH_BAD, (0, True))],
)
def test_every_common_word_for_the_winner_is_known(
    event: Event, words: list[Any], answer: tuple[int, bool]
) -> None:
    votes = [vote(worker=f"w{number}", winner=word) for number, word in enumerate(words)]

    report = bring(event, votes)

    assert report.errors == []
    assert stored() == [(*answer, None)] * len(words)


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("A is much better", 2), ("much better A", 2), ("A better", 1), ("b2", -2), ("A>>B", 2),
        ("B is better", -1), ("[[B>>A]]", -2), ("Model B is much better", -2),
    ],
)  # fmt: skip
def test_words_of_degree_are_those_of_the_scale(event: Event, word: str, outcome: int) -> None:
    assert bring(event, [vote(winner=word)]).errors == []
    assert stored() == [(outcome, False, None)]


@pytest.mark.parametrize(
    ("word", "left", "outcome", "first_on_left"),
    [
        ("left", "a", 1, True), ("Left", "b", -1, False), ("right", "a", -1, True),
        ("right side wins", "b", None, None), ("RIGHT", "b", 1, False),
        ("left", "Birch", -1, False),
        ("left", "Model A", 1, True), ("left is better", "model_b", -1, False),
    ],
)  # fmt: skip
def test_left_and_right_are_whoever_stood_there(
    event: Event, word: str, left: str, outcome: int | None, first_on_left: bool | None
) -> None:
    report = bring(event, [vote(winner=word, left=left)])

    if outcome is None:
        assert "is not known" in report.errors[0].message
    else:
        assert stored() == [(outcome, False, first_on_left)]


def test_left_is_taken_for_model_a_where_nothing_says_otherwise_and_this_is_told(
    event: Event,
) -> None:
    report = bring(event, [vote(winner="left"), vote(worker="w2", winner="right")])

    assert stored() == [(1, False, True), (-1, False, True)]
    assert [(warning.line, warning.field) for warning in report.warnings] == [(1, "winner")]
    assert "taken for model_a" in report.warnings[0].message


def test_left_is_refused_where_the_organizer_says_that_nobody_knows(event: Event) -> None:
    report = bring(event, [vote(winner="left")], left="unknown")

    assert "nobody knows which model stood left" in report.errors[0].message


@pytest.mark.parametrize(
    "word", ["perhaps", "neither", "c", "0.5", "model c", "Cedar", "n/a", "asch", "[[D]]"]
)
def test_a_word_that_nobody_knows_is_named_and_can_be_mapped(event: Event, word: str) -> None:
    report = bring(event, [vote(winner=word)])
    assert "winner" in {error.field for error in report.errors}
    assert not report.landed

    assert bring(event, [vote(winner=word)], values=read_value_answers([f"{word}=tie"])).landed
    assert stored() == [(0, False, None)]


def test_a_models_name_that_means_the_other_one_is_ambiguous() -> None:
    event = make_event()
    rows = {"external_id": "r0", "prompt": "?", "responses": {"B": "x", "2": "y", "Left": "z"}}

    import_records(event, io.BytesIO(json.dumps([rows]).encode()), now=LATER, rng=Random(1))

    report = bring(event, [vote(model_a="B", model_b="2", winner="b")])
    assert "ambiguous" in report.errors[0].message
    report = bring(event, [vote(model_a="B", model_b="2", winner="2")])
    assert report.landed  # the name and the number mean the same one


@pytest.mark.parametrize(
    "numbers", [(0, 1), (1, 2, 0), (-1, 0, 1), (1, 2, 3, 4, 5), ("1", "2", "3")]
)
@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_numbers_of_a_scale_are_no_winners(
    event: Event, numbers: tuple[Any, ...], on_error: str
) -> None:
    votes = [vote(worker=f"w{n}", winner=number) for n, number in enumerate(numbers)]

    report = bring(event, votes, on_error)

    assert not report.landed
    assert any("holds the numbers" in error.message for error in report.errors)


def test_three_columns_of_zero_and_one(event: Event) -> None:
    flags = [(1, 0, 0), (0, 1, 0), (0, 0, 1), ("1", "0", "0"), (True, False, False)]
    names = ("winner_model_a", "winner_model_b", "winner_tie")
    votes = [
        vote(worker=f"w{n}", winner=None, **dict(zip(names, said, strict=True)))
        for n, said in enumerate(flags)
    ]
    assert bring(event, votes).errors == []
    assert [outcome for outcome, *_ in stored()] == [1, -1, 0, 1, 1]

    wrong = vote(worker="x", winner=None, winner_model_a=1, winner_model_b=1, winner_tie=0)
    assert "exactly one" in bring(event, [wrong]).errors[0].message


# --- values -----------------------------------------------------------------------------------
def test_the_three_columns_may_say_true_and_false(event: Event) -> None:
    flags = ("winner_model_a", "winner_model_b", "winner_tie")
    rows = [
        {"winner": None, **dict(zip(flags, said, strict=True))}
        for said in (("True", "False", "False"), ("false", "TRUE", "false"), (False, False, True))
    ]

    report = bring(event, [vote(worker=f"w{n}", **row) for n, row in enumerate(rows)])

    assert report.errors == []
    assert [outcome for outcome, *_ in stored()] == [1, -1, 0]


def test_each_word_that_nobody_knows_is_named(event: Event) -> None:
    votes = [vote(worker=f"w{n}", winner=word) for n, word in enumerate(["links", "egal", "links"])]

    report = bring(event, votes)

    assert [error.count for error in report.errors] == [3]
    (warning,) = report.warnings
    assert "“links”, “egal”" in warning.message


def test_headers_in_other_case_or_with_blanks_are_read(event: Event) -> None:
    content = b"Worker;Record;Model A;MODEL-B;Winner\r\nada;r0;Ash;Birch;A\r\n"

    report = import_judgments(event, io.BytesIO(content), now=LATER, rng=Random(1))

    assert (report.errors, report.created) == ([], 1)
    assert stored() == [(1, False, None)]


def test_identifiers_that_a_table_has_made_decimal_numbers_of_are_found() -> None:
    event = make_event()
    row = {"external_id": 17, "prompt": "?", "responses": {"Ash": "x", "Birch": "y"}}
    import_records(event, io.BytesIO(json.dumps([row]).encode()), now=LATER, rng=Random(1))

    report = bring(event, [vote(record="17.0"), vote(record=17.0, worker=8.0)])

    assert (report.errors, report.created) == ([], 2)


def test_values_are_said_by_pairs_or_by_a_file(event: Event, tmp_path: Path) -> None:
    csv, plain = tmp_path / "values.csv", tmp_path / "values.json"
    csv.write_text('value,answer\nlinks,a\n"rechts, klar",b2\n', encoding="utf-8-sig")
    plain.write_text('{"beide schlecht": "both_bad", "weiß nicht": ""}', encoding="utf-8")
    values = read_value_answers([str(csv), str(plain), "egal=tie"])
    words = ["Links", "rechts, klar", "BEIDE schlecht", "weiß  nicht", "egal"]

    report = bring(event, [vote(worker=w, winner=w) for w in words], values=values)

    assert (report.created, report.skipped, report.errors) == (4, 1, [])
    assert [said[:2] for said in stored()] == [(1, False), (-2, False), (0, True), (0, False)]
    assert "left out" in report.warnings[0].message


@pytest.mark.parametrize("said", ["links=perhaps", "links=c"])
def test_an_answer_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(ArenaError, match="is no answer"):
        read_value_answers([said])


def test_an_answer_that_the_event_does_not_offer_is_refused() -> None:
    event = with_records(make_event(scale=2, both_bad=False))
    for answer in ("tie", "both_bad", "a2"):
        with pytest.raises(ArenaError, match=answer):
            bring(event, [vote()], values={"x": answer})


# --- columns ----------------------------------------------------------------------------------
def test_votes_of_nobody_named_are_somebodys_by_option(event: Event) -> None:
    [error] = bring(event, [vote(worker=None)]).errors
    assert error.field == "worker"
    assert bring(event, [vote(worker=None)], worker="crowd").landed
    assert Judgment.objects.get().enrollment.external_id == "crowd"


def test_columns_of_no_use_are_left_out_and_named(event: Event) -> None:
    report = bring(event, [vote(language="en", toxic_chat_tag={})])
    assert report.landed
    assert "left out: language, toxic_chat_tag" in report.warnings[0].message


def test_a_vote_on_a_later_turn_is_no_vote_on_the_first(event: Event) -> None:
    report = bring(event, [vote(turn=1), vote(worker="w2", turn=2)])
    assert [(error.line, error.field) for error in report.errors] == [(2, "turn")]


# --- the command ------------------------------------------------------------------------------
def test_the_command_takes_every_option(event: Event, tmp_path: Path) -> None:
    path, out = tmp_path / "votes.csv", io.StringIO()
    path.write_text(
        "item,left_model,right_model,pref,when,language\n"
        "r0,Ash,Birch,-2,2026-05-01 10:00 UTC,en\nr0,Birch,Ash,-1,,en\nr1,Ash,Birch,unsure,,en\n",
        encoding="utf-8",
    )
    names = ("item=record", "left_model=model_a", "right_model=model_b", "pref=outcome")
    options = [word for name in (*names, "when=timestamp") for word in ("--map", name)]
    with pytest.raises(CommandError):
        call_command("import_judgments", event.slug, str(path), *options, "--worker=x", stdout=out)
    assert "nothing says which end is which" in " ".join(out.getvalue().split())

    call_command(
        "import_judgments", event.slug, str(path), *options, "--worker=x", "--left=a",
        "--ends", "a=-2,b=2", "--values", "unsure=", "--duplicates=both", stdout=out,
    )  # fmt: skip

    assert stored() == [(2, False, True), (-1, False, False)]
    assert Judgment.objects.get(standing=True).revision == 1


@pytest.mark.parametrize("ends", ["3,-3", "a=3", "a=x,b=1", "a=1,b=2,c=3"])
def test_the_command_names_the_form_of_the_ends(event: Event, ends: str) -> None:
    with pytest.raises(CommandError, match="not of the form a=3,b=-3"):
        call_command("import_judgments", event.slug, "x.csv", "--ends", ends)


def test_one_fault_of_many_lines_is_called_one_kind(event: Event, tmp_path: Path) -> None:
    file, out = tmp_path / "votes.csv", io.StringIO()
    rows = "".join(f"w{number},r0,Ash,Birch,perhaps\n" for number in range(30))
    file.write_text(f"worker,record,model_a,model_b,winner\n{rows}")

    with pytest.raises(CommandError):
        call_command("import_judgments", event.slug, str(file), stdout=out)

    assert "Errors: 30, of one kind" in out.getvalue()

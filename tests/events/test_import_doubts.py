"""What would be imported as it stands and was probably meant otherwise is asked about first."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from arena.events.importing.checking.doubts import DOUBT_KINDS
from arena.events.management.commands import import_records as command
from arena.events.models import Competitor, Event, ImportJob, Record
from tests.events.bringing import bring, kinds, lines_of, matchups, stored, table
from tests.factories import make_event

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
PAIR = ["id", "prompt", "model_a", "response_a", "model_b", "response_b"]
MAP = {"id": "external_id"}


@pytest.fixture
def event() -> Event:
    return make_event("fair")


def pair(first: str = "Yes, it is.", second: str = "No, never.", **fields: Any) -> dict[str, Any]:
    """A record of two responses."""
    record = {"external_id": "r1", "prompt": "Is it so?"}
    return record | {"responses": {"alpha": first, "beta": second}} | fields


def test_three_rows_with_holes_make_only_the_matchups_that_are_there(event: Event) -> None:
    header = ["external_id", "prompt"]
    header += [f"{word}_{letter}" for letter in "abc" for word in ("model", "response")]
    rows = [
        ["r1", "One?", "Ash", "One.", "Birch", "", "Cedar", "Three."],
        ["r2", "Two?", "Ash", "", "Birch", "Two.", "Cedar", "   "],
        ["r3", "Three?", "Ash", "One.", "Birch", "Two.", "Cedar", "Three."],
    ]

    report = bring(event, table(header, *rows))

    assert (report.landed, matchups(event), Record.objects.count()) == (False, 0, 0)
    holes = next(doubt for doubt in report.doubts if doubt.kind == "empty_response")
    assert (holes.count, holes.line, holes.field) == (3, 2, "response_b")
    assert kinds(report) == ["empty_response", "only_response"]

    assert bring(event, table(header, *rows), accepts_doubts=True).landed
    assert matchups(event) == 1 + 0 + 3
    assert stored(event)["r2"][1] == {"Birch": "Two."}


DOUBTFUL: dict[str, tuple[dict[str, Any], str]] = {
    "same": (pair("Yes, it is.", "Yes, it is."), "same_responses"),
    "empty text": (pair(second=""), "blank_response"),
    "only one": (pair(responses={"a": "x"}), "only_response"),
    "nan": (pair(second="NaN"), "missing_word"),
    "none": (pair(second="None"), "missing_word"),
    "n/a": (pair(second=" n/a "), "missing_word"),
    "excel error": (pair(second="#NAME?"), "missing_word"),
    "null prompt": (pair(prompt="null"), "missing_word"),
    "nan as identifier": (pair(external_id="nan"), "missing_word"),
    "list of one": (pair('["A barber cuts hair."]', '["A barber shaves."]'), "serialised"),
    "list of python": (pair("['a b', 'c']"), "serialised"),
    "messages": (pair('[{"role": "assistant", "content": "x"'), "serialised"),
    "messages of python": (pair("[{'role': 'assistant', 'content': 'x'}]"), "serialised"),
    "parts": (pair("{'type': 'text', 'text': 'x'}"), "serialised"),
    "prompt": (pair(prompt="['Is it so?']"), "serialised"),
    "excel's longest cell": (pair("x" * 32_767), "truncated"),
    "umlauts": (pair("KÃ¤se"), "mojibake"),
    "apostrophe": (pair("Itâ€™s so"), "mojibake"),
    "lost letters": (pair("K\ufffdse"), "mojibake"),
    "entities": (pair("Tom &amp; Jerry&#39;s"), "escaped"),
    "newlines": (pair("One.\\nTwo.\\nThree."), "escaped"),
    "large number as identifier": (pair(external_id="1.23E+15"), "spreadsheet"),
    "date as model": (pair(responses={"03-Apr": "x", "beta": "y"}), "spreadsheet"),
    "date as identifier": (pair(external_id="01.02.2024"), "spreadsheet"),
    "case": (pair(responses={"GPT-4": "x", "gpt-4": "y"}), "alike"),
    "blank": (pair(responses={"Mistral 7B": "x", "Mistral-7B": "y"}), "alike"),
    "underscore": (pair(responses={"llama_3": "x", "llama-3": "y"}), "alike"),
    "categories in one": (pair(categories="math;logic"), "categories"),
    "categories by commas": (pair(categories="math, logic"), "categories"),
    "token": (pair("Yes.<|im_end|>"), "leak"),
    "introduction": (pair("I am Qwen, created by Alibaba Cloud."), "leak"),
    "votes": (pair(winner="model_a"), "votes"),
    "the same but for a blank": (pair("Yes.", "Yes.\n"), "same_responses"),
    "no answer to the second question": (
        {
            "external_id": "r1",
            "prompt": '["One?", "Two?"]',
            "model_a": "Ash",
            "response_a": '["1", "2"]',
            "model_b": "Birch",
            "response_b": '["1", null]',
        },
        "blank_response",
    ),
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_what_is_doubtful_is_asked_about_and_nothing_lands_before(event: Event, case: str) -> None:
    record, kind = DOUBTFUL[case]

    report = bring(event, lines_of(record))

    assert kinds(report) == [kind]
    assert (report.landed, report.errors, Record.objects.exists()) == (False, [], False)
    assert ImportJob.objects.get().state == ImportJob.State.DOUBTFUL
    (doubt,) = report.doubts
    assert str(DOUBT_KINDS[doubt.kind])
    assert doubt.message
    assert not Competitor.objects.exists()
    assert bring(event, lines_of(record), accepts_doubts=True).landed


@pytest.mark.parametrize(
    "record",
    [
        pair(),
        pair("Claude Monet painted it.", "Gemini is a sign of the zodiac."),
        pair("Llamas live in Peru.", "Nan is my grandmother; none of us knew."),
        pair('{"planet": "Mars"}', '[{"planet": "Venus"}]', prompt="Answer as JSON."),
        pair("Käse, naïve, 中文, Ã la carte", "It’s so"),
        pair("x < y && y > z", "A&B, AT&T"),
        pair("`&amp;` is an entity", "<b>&quot;</b> in HTML"),
        pair("C:\\new\\names", "a\\nb"),
        pair(responses={"GPT-3.5": "x", "GPT-35": "y", "GPT-4": "z"}),
        pair(responses={"C": "x", "C++": "y"}),
        pair(categories=["Arts, crafts"]),
        pair(external_id="2024-05", metadata={"language": "de", "score": 3, "system": "Be kind."}),
        pair(language="de", score=0.5, system="Be kind."),
        pair(external_id=1.0),
    ],
)
def test_what_is_as_it_should_be_is_asked_no_questions(
    event: Event, record: dict[str, Any]
) -> None:
    report = bring(event, lines_of(record))

    assert (report.landed, report.doubts) == (True, [])


def test_models_without_a_response_are_named(event: Event) -> None:
    rows = [["1", "One?", "Ash", "a b", "Elm", ""], ["2", "Two?", "Ash", "b c", "Birch", "c d"]]
    report = bring(event, table(PAIR, *rows), mapping=MAP)

    (silent,) = [doubt for doubt in report.doubts if doubt.kind == "no_responses"]
    assert silent.message == "Elm has no response in this file"


def test_a_null_is_no_response(event: Event) -> None:
    report = bring(event, lines_of(pair(responses={"a": "x y", "b": "z", "c": None})))

    assert kinds(report) == ["empty_response", "no_responses"]


def test_a_model_that_is_written_otherwise_than_in_the_event_is_named(event: Event) -> None:
    bring(event, lines_of(pair()))

    report = bring(event, lines_of(pair(external_id="r2", responses={"Alpha": "x", "beta": "y"})))

    assert [doubt.message for doubt in report.doubts] == [
        "“Alpha” and “alpha” are counted separately"
    ]


def test_each_kind_is_counted_and_shown_once_with_one_example(event: Event) -> None:
    rows = [pair(second="NaN", external_id=f"r{n}") for n in range(3_000)]

    (doubt,) = bring(event, lines_of(*rows)).doubts

    assert (doubt.kind, doubt.count, doubt.line) == ("missing_word", 3_000, 1)
    assert "“NaN”" in doubt.message


def test_a_file_that_changes_nothing_is_asked_no_questions_again(event: Event) -> None:
    bring(event, lines_of(pair(second="NaN")), accepts_doubts=True)

    report = bring(event, lines_of(pair(second="NaN")))

    assert (report.unchanged, report.landed, report.doubts) == (1, True, [])


# --- the command ------------------------------------------------------------------------------
def run(tmp_path: Path, *arguments: str) -> str:
    """Import a doubtful file by the command; what it prints."""
    path = tmp_path / "records.jsonl"
    path.write_bytes(lines_of(pair(second="NaN")))
    out = io.StringIO()
    try:
        call_command("import_records", "fair", str(path), *arguments, stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}\n{error}"
    return out.getvalue()


def test_the_command_lists_what_is_doubtful_and_imports_nothing(
    event: Event, tmp_path: Path
) -> None:
    printed = run(tmp_path)

    assert "Words that may mean a missing value" in printed
    assert "says “NaN”" in printed
    assert "--accept-doubts" in printed
    assert not Record.objects.exists()


@pytest.mark.parametrize("flag", ["--yes", "--accept-doubts"])
def test_the_command_imports_what_is_doubtful_where_told_so(
    event: Event, tmp_path: Path, flag: str
) -> None:
    assert "Imported: 1 created." in run(tmp_path, flag)
    assert Record.objects.exists()


@pytest.mark.parametrize(("answer", "lands"), [("y", True), ("", False), ("no", False)])
def test_on_a_terminal_the_command_asks(
    event: Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, lands: bool
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(command.Command, "can_ask", lambda self, options: True)
    monkeypatch.setattr("builtins.input", lambda words: asked.append(words) or answer)

    run(tmp_path)

    assert len(asked) == 1
    assert Record.objects.exists() == lands

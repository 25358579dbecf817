"""The shapes in which people have their records: flat, one column a model, one row a pair."""

import json
from typing import Any

import pytest

from arena.events.importing.reading.name_index import MAX_COMPETITORS
from arena.events.models import Category, Event, Record
from tests.events.bringing import bring, kinds, lines_of, matchups, stored, table
from tests.factories import make_event

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
PAIR = ["external_id", "prompt", "model_a", "response_a", "model_b", "response_b"]
SAID = {"r1": ("Why?", {"Ash": "So.", "Birch": "Thus."})}


@pytest.fixture
def event() -> Event:
    return make_event()


def landed(event: Event, content: bytes, **options: Any) -> dict[str, Any]:
    """What is there after an import that asked no questions."""
    report = bring(event, content, **options)
    assert (report.errors, report.doubts) == ([], [])
    assert report.landed
    return stored(event)


# --- flat rows --------------------------------------------------------------------------------
FLAT = {
    "external_id": "r1",
    "prompt": "Why?",
    "model_a": "Ash",
    "response_a": "So.",
    "model_b": "Birch",
    "response_b": "Thus.",
}


def test_flat_keys_in_json_are_what_they_are_in_csv(event: Event) -> None:
    row = FLAT | {"categories": ["Physics"], "metadata": {"a": 1}, "metadata.b": 2}

    assert landed(event, lines_of(row)) == SAID
    assert Record.objects.get().metadata == {"a": 1, "b": 2}
    assert Category.objects.get().name == "Physics"


def test_an_error_in_a_flat_row_is_named_by_its_own_key(event: Event) -> None:
    row = FLAT | {"model_b": "B" * 121}
    other = {"answer 2" if key == "response_b" else key: value for key, value in FLAT.items()}
    mapping = {"answer 2": "response_b"}

    assert [error.field for error in bring(event, lines_of(row)).errors] == ["model_b"]
    report = bring(event, lines_of(other | {"answer 2": 5}), mapping=mapping)
    assert [error.field for error in report.errors] == ["answer 2"]


def test_one_column_a_model(event: Event) -> None:
    content = table(["external_id", "prompt", "Ash", "Birch"], ["r1", "Why?", "So.", "Thus."])
    mapping = {"Ash": "responses.Ash", "Birch": "responses.Birch"}

    assert landed(event, content, mapping=mapping) == SAID
    assert matchups(event) == 1


def test_one_column_a_model_in_json_and_under_another_name(event: Event) -> None:
    row = {"external_id": "r1", "prompt": "Why?", "out_1": "So.", "out_2": "Thus."}
    mapping = {"out_1": "responses.Ash", "out_2": "responses.Birch"}

    assert landed(event, lines_of(row), mapping=mapping) == SAID


def test_one_row_a_pair_with_a_shared_identifier(event: Event) -> None:
    rows = [
        ["r1", "Why?", "Ash", "So.", "Birch", "Thus."],
        ["r2", "How?", "Ash", "Well.", "Birch", "Ill."],
        ["r1", "Why?", "Birch", "Thus.", "Cedar", "Because."],
        ["r1", "Why?", "Ash", "So.", "Cedar", "Because."],
    ]
    report = bring(event, table(PAIR, *rows))

    assert kinds(report) == ["repeated"]  # the fourth brings nothing new
    bring(event, table(PAIR, *rows), accepts_doubts=True)
    texts = {"Ash": "So.", "Birch": "Thus.", "Cedar": "Because."}
    assert stored(event)["r1"] == ("Why?", texts)
    assert matchups(event) == 4


def test_rows_of_one_record_that_contradict_each_other_are_named(event: Event) -> None:
    rows = [
        ["r1", "Why?", "Ash", "So.", "Birch", "Thus."],
        ["r1", "Why not?", "Ash", "So.", "Cedar", "Because."],
        ["r1", "Why?", "Ash", "Otherwise.", "Elm", "Because."],
    ]
    report = bring(event, table(PAIR, *rows))

    assert [(error.line, error.field) for error in report.errors] == [
        (3, "external_id"),
        (4, "response_a"),
    ]
    assert "line 2" in report.errors[0].message


def test_metadata_that_differ_between_rows_of_a_record_are_asked_about(event: Event) -> None:
    rows = [
        ["r1", "Why?", "Ash", "So.", "Birch", "Thus.", "1"],
        ["r1", "Why?", "Ash", "So.", "Cedar", "Because.", "2"],
    ]
    report = bring(event, table([*PAIR, "turn"], *rows))

    assert [(doubt.kind, doubt.line, doubt.field) for doubt in report.doubts] == [
        ("other_metadata", 3, "turn")
    ]


def test_one_row_a_response(event: Event) -> None:
    header = ["prompt", "model", "response"]
    rows = [
        ["Why?", "Ash", "So."],
        ["How?", "Ash", "Well."],
        ["Why?", "Birch", "Thus."],
        ["How?", "Birch", "Ill."],
    ]

    assert list(landed(event, table(header, *rows)).values()) == [
        ("Why?", {"Ash": "So.", "Birch": "Thus."}),
        ("How?", {"Ash": "Well.", "Birch": "Ill."}),
    ]
    assert bring(event, table(header, *rows)).unchanged == 2


# --- conversations ----------------------------------------------------------------------------
def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def record(prompt: Any, first: Any, second: Any) -> dict[str, Any]:
    return {"external_id": "r1", "prompt": prompt, "responses": {"Ash": first, "Birch": second}}


def parts(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text, "image": None} for text in texts]


@pytest.mark.parametrize(
    "row",
    [
        record("Why?", [said("assistant", "So.")], [said("assistant", "Thus.")]),
        record("Why?", said("assistant", "So."), said("assistant", parts("Thus."))),
        record(parts("Why?"), parts("So."), "Thus."),
        record([said("user", parts("Why?"))], "So.", "Thus."),
        record(
            [said("user", "Why?")],
            [said("user", "Why?"), said("assistant", "So.")],
            [said("user", "Why?"), said("assistant", "Thus.") | {"name": None}],
        ),
        {
            "external_id": "r1",
            "model_a": "Ash",
            "response_a": [said("user", "Why?"), said("assistant", "So.")],
            "model_b": "Birch",
            "response_b": [said("user", "Why?"), said("assistant", "Thus.")],
        },
        FLAT | {"prompt": ["Why?"], "response_a": ["So."], "response_b": ["Thus."]},
        FLAT | {"prompt": '["Why?"]', "response_a": '["So."]', "response_b": '["Thus."]'},
    ],
)
def test_messages_and_parts_of_content_are_the_texts_they_hold(
    event: Event, row: dict[str, Any]
) -> None:
    assert landed(event, lines_of(row)) == SAID


def test_conversations_in_cells_of_csv(event: Event) -> None:
    first, second = ([said("assistant", text)] for text in ("So.", "Thus."))
    cells = ["r1", "Why?", "Ash", json.dumps(first), "Birch", json.dumps(second)]
    lists = ["r2", '["How?"]', "Ash", '["Well."]', "Birch", '["Ill."]']

    there = landed(event, table(PAIR, cells, lists))

    assert there == SAID | {"r2": ("How?", {"Ash": "Well.", "Birch": "Ill."})}


def test_responses_of_several_turns_are_one_text_each_with_the_questions_between(
    event: Event,
) -> None:
    first = [
        said("user", "Q1"),
        said("assistant", "A1"),
        said("user", "Q2"),
        said("assistant", "A2"),
    ]
    second = [*first[:1], said("assistant", "B1"), *first[2:3], said("assistant", "B2")]
    row = {key: FLAT[key] for key in ("external_id", "model_a", "model_b")}

    there = landed(event, lines_of(row | {"response_a": first, "response_b": second}))

    texts = {
        "Ash": "A1\n\n---\n\n*User:*\n\nQ2\n\n---\n\nA2",
        "Birch": "B1\n\n---\n\n*User:*\n\nQ2\n\n---\n\nB2",
    }
    assert there == {"r1": ("Q1", texts)}


def test_the_same_from_lists_of_turns(event: Event) -> None:
    row = FLAT | {"prompt": ["Q1", "Q2"], "response_a": ["A1", "A2"], "response_b": ["B1", "B2"]}

    assert landed(event, lines_of(row))["r1"][1]["Ash"].endswith("*User:*\n\nQ2\n\n---\n\nA2")


def test_turns_that_both_share_are_the_prompt(event: Event) -> None:
    shared = [said("system", "S"), said("user", "Q1"), said("assistant", "A"), said("user", "Q2")]
    row = {key: FLAT[key] for key in ("external_id", "model_a", "model_b")}
    row |= {"response_a": [*shared, said("assistant", "x")]}
    row |= {"response_b": [*shared, said("assistant", "y")]}

    assert landed(event, lines_of(row)) == {"r1": (shared, {"Ash": "x", "Birch": "y"})}


def test_developers_and_tools_have_their_turns(event: Event) -> None:
    prompt = [
        said("developer", "Be brief."),
        said("user", "Why?"),
        said("assistant", "I look it up."),
        said("tool", "42") | {"tool_call_id": "x"},
    ]

    assert landed(event, lines_of(record(prompt, "So.", "Thus.")))["r1"][0] == [
        said(turn["role"], turn["content"]) for turn in prompt
    ]


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        (record("Why?", [{"type": "image", "image": "x"}], "y"), "responses.Ash[0]", "only texts"),
        (record("Why?", [said("user", "No?")], "y"), "responses.Ash", "does not begin"),
        (
            record("Why?", [said("assistant", "x"), said("user", "y")], "z"),
            "responses.Ash",
            "not the model's",
        ),
        (record(["Q1", "Q2"], "x", "y"), "prompt[0]", "must be"),
        (
            FLAT
            | {"prompt": None}
            | {"response_a": [said("user", "Q"), said("assistant", "x")]}
            | {"response_b": [said("user", "P"), said("assistant", "y")]},
            "prompt",
            "no beginning in common",
        ),
    ],
)
def test_conversations_that_make_no_record_are_refused_in_words(
    event: Event, row: dict[str, Any], field: str, words: str
) -> None:
    errors = bring(event, lines_of(row)).errors

    assert any(error.field == field and words in error.message for error in errors), errors


# --- what else a row says ---------------------------------------------------------------------
def test_language_system_and_score_are_kept_as_metadata(event: Event) -> None:
    more = {"language": "de", "system": "Be kind.", "score": 0.5}

    landed(event, lines_of(FLAT | more))

    assert Record.objects.get().metadata == more
    landed(event, table([*PAIR, "Language"], ["r2", "p", "Ash", "x", "Birch", "y", "fr"]))
    assert Record.objects.get(external_id="r2").metadata == {"Language": "fr"}


def test_keys_that_mean_nothing_are_kept_as_metadata_and_told_once(event: Event) -> None:
    rows = [FLAT | {"external_id": f"r{n}", "shoe_size": n} for n in range(3)]

    report = bring(event, lines_of(*rows))

    assert report.landed
    assert [(w.line, w.field, w.count) for w in report.warnings] == [(1, "shoe_size", 1)]
    assert Record.objects.get(external_id="r2").metadata == {"shoe_size": 2}


def test_our_own_words_in_other_case_and_with_blanks(event: Event) -> None:
    header = ["External ID", " Prompt ", "Model A", "RESPONSE_A", "model-b", "Response B"]

    assert landed(event, table(header, list(FLAT.values()))) == SAID
    named = bring(event, table(header, ["r2", "", "Ash", "x", "Birch", "y"])).errors
    assert [error.field for error in named] == ["Prompt"]


@pytest.mark.parametrize(("ids", "kept"), [(["1.0", "2"], ["1", "2"]), (["1.0", "1.1"], None)])
def test_whole_numbers_with_a_point_are_whole_where_all_are(
    event: Event, ids: list[str], kept: list[str] | None
) -> None:
    rows = [[name, "Why?", "Ash", "So.", "Birch", "Thus."] for name in ids]

    assert sorted(landed(event, table(PAIR, *rows))) == (kept or ids)


def test_more_models_than_an_event_rates_is_said_once_with_what_to_do(event: Event) -> None:
    rows = [
        record("Why?", "a b", "c d") | {"external_id": f"r{n}", "responses": {f"m{n}": "x"}}
        for n in range(MAX_COMPETITORS + 5)
    ]

    (error,) = bring(event, lines_of(*rows)).errors

    assert error.count == 5
    assert "Is the right column mapped" in error.message


# --- JSON that is no list of rows ---------------------------------------------------------------
BY_COLUMN = {"prompt": {"0": "Why?", "1": "How?"}, "model_a": {"0": "Ash", "1": "Ash"}}
OTHER = {
    "columns by row number": (BY_COLUMN, "lists columns"),
    "columns as lists": (
        {"prompt": ["Why?"], "model_a": ["Ash"], "response_a": ["So."]},
        "lists columns",
    ),
    "rows by number": ({"0": FLAT, "1": FLAT}, "one JSON object"),
    "rows by name": ({"q1": FLAT, "q2": FLAT}, "one JSON object"),
    "rows under data": ({"data": [FLAT]}, "under “data”"),
    "split": ({"columns": ["prompt"], "index": [0], "data": [["Why?"]]}, "under “data”"),
    "table": ({"schema": {"fields": []}, "data": [FLAT]}, "under “data”"),
    "a server of data sets": ({"features": [], "rows": [{"row": FLAT}]}, "under “rows”"),
}


@pytest.mark.parametrize("name", OTHER)
def test_json_that_lists_columns_or_wraps_its_rows_is_refused_in_one_sentence(
    event: Event, name: str
) -> None:
    data, words = OTHER[name]

    (error,) = bring(event, lines_of(data)).errors

    assert words in error.message
    assert error.count == 1


def test_rows_of_an_array_in_one_line_keep_their_order(event: Event) -> None:
    rows = [FLAT | {"external_id": name, "prompt": f"{name}?"} for name in ("z", "m", "a", "10")]

    assert list(landed(event, json.dumps(rows).encode())) == ["z", "m", "a", "10"]


def test_what_a_row_has_instead_of_a_prompt_is_named(event: Event) -> None:
    row = {"question_id": "q1", "model_a": "Ash", "model_b": "Birch", "conversation_a": [{}]}

    (error,) = bring(event, lines_of(row)).errors

    assert error.field == "prompt"
    assert "question_id, conversation_a" in error.message

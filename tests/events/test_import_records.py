"""manage.py import_records, and `import_records` behind it, the page and the API."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from arena.errors import ConflictError
from arena.events.importing import (
    CompetitorRow,
    ImportBusyError,
    ImportReport,
    import_records,
    running,
)
from arena.events.importing.jobs import Hold
from arena.events.importing.reading.files import LIMIT
from arena.events.importing.writing import updating
from arena.events.models import (
    Category,
    Competitor,
    Control,
    Event,
    ImportJob,
    Matchup,
    MatchupResponse,
    Record,
    Response,
    StagedRecord,
)
from arena.events.records.controls import withdraw_key
from tests.factories import NOW, make_assignment, make_enrollment, make_event, make_judgment

pytestmark = pytest.mark.django_db


def record(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A record of two responses."""
    responses = {"Ash 1": f"Yes {number}.", "Birch 2": f"No {number}."}
    said = {"external_id": f"r{number}", "prompt": f"Is it {number}?", "responses": responses}
    return said | fields


def jsonl(*records: Any) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in records).encode()


# What is doubtful is accepted, but in tests of doubts.
TAKEN: dict[str, Any] = {"now": NOW, "rng": Random(1), "accepts_doubts": True}


def bring(event: Event, content: bytes | list[Any], **options: Any) -> ImportReport:
    """Import bytes, or records as JSONL."""
    if isinstance(content, list):
        content = jsonl(*content)
    return import_records(event, io.BytesIO(content), **(TAKEN | options))


def everything() -> dict[str, list[Any]]:
    """All rows that an import may touch."""
    models = (Competitor, Category, Record, Response, Matchup, MatchupResponse, Control)
    links = Record.categories.through
    return {
        model.__name__: list(model.objects.order_by("pk").values()) for model in (*models, links)
    }


@pytest.fixture
def event() -> Event:
    return make_event()


# --- it works ---------------------------------------------------------------------------------
def test_a_record_arrives_with_all_that_it_says(event: Event) -> None:
    conversation = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "And now?"},
    ]
    full = record(prompt=conversation, categories=["Small talk", "Chat"], metadata={"a": [1, None]})

    report = bring(event, [full])

    assert (report.created, report.landed, report.errors, report.warnings) == (1, True, [], [])
    stored = Record.objects.get(event=event)
    assert (stored.external_id, stored.prompt) == ("r1", conversation)
    assert (stored.metadata, stored.imported_at) == ({"a": [1, None]}, NOW)
    assert [category.slug for category in stored.categories.all()] == ["chat", "small-talk"]
    texts = stored.responses.order_by("pk").values_list("competitor__name", "text")
    assert list(texts) == [("Ash 1", "Yes 1."), ("Birch 2", "No 1.")]


def test_a_matchup_is_served_with_its_slots_in_canonical_order(event: Event) -> None:
    bring(event, [record()])

    matchup = Matchup.objects.serving().get(event=event)
    first, second = Response.objects.order_by("pk")
    assert matchup.key == f"{first.pk},{second.pk}"
    assert (matchup.role, matchup.open_slots) == (Matchup.Role.ORDINARY, event.overlap)
    assert 0 <= matchup.shuffle < 1
    places = matchup.places.values_list("position", "response")
    assert list(places) == [(0, first.pk), (1, second.pk)]


def test_style_is_counted(event: Event) -> None:
    text = "# Title\n\n- one **bold**\n- two\n\n```py\n# no header\n- no item\n```\nend"
    bring(event, [record(responses={"Ash": text, "Birch": ""})])

    counts = Response.objects.order_by("pk").values_list(
        "length", "headers", "bold", "lists", "code"
    )
    assert list(counts) == [(16, 1, 1, 2, 1), (0, 0, 0, 0, 0)]


CSV = (
    "external_id,prompt,categories,model_a,response_a,model_b,response_b,model_c,response_c,"
    "expected,reason,metadata.level\r\n"
    'r1,"What, ""this""?\nYes.",A; b ;a,Ash,1+1,Birch,,Cedar,"x\r\ny",,,hard\r\n'
    "c1,Two?,,,one,,two,,,b,Because.,\r\n"
)


def test_csv_says_the_same_as_json(event: Event) -> None:
    assert bring(event, CSV.encode()).created == 2

    stored = Record.objects.get(external_id="r1")
    assert stored.prompt == [{"role": "user", "content": 'What, "this"?\nYes.'}]
    assert stored.metadata == {"level": "hard"}
    assert sorted(stored.categories.values_list("name", flat=True)) == ["A", "b"]
    texts = dict(stored.responses.values_list("competitor__name", "text"))
    assert texts == {"Ash": "1+1", "Cedar": "x\r\ny"}
    control = Control.objects.get(matchup__record__external_id="c1")
    assert (control.key, control.reason) == ({"sign": -1}, "Because.")


@pytest.mark.parametrize(
    "content",
    [
        jsonl(record(1), record(2)),
        b"\xef\xbb\xbf" + jsonl(record(1), record(2)).replace(b"\n", b"\r\n\r\n"),
        jsonl(record(1), record(2)).rstrip(b"\n"),
        gzip.compress(jsonl(record(1), record(2))),
        json.dumps([record(1), record(2)]).encode(),
        b"\xef\xbb\xbf" + json.dumps([record(1), record(2)], indent=2).encode(),
        json.dumps({"records": [record(1), record(2)]}).encode(),
        json.dumps({"version": 1, "of": "us", "records": [record(1), record(2)]}).encode(),
        json.dumps(
            {"by": {"x": [1]}, "records": [record(1), record(2)], "n": [2]}, indent=1
        ).encode(),
        b"external_id,prompt,model_a,response_a,model_b,response_b\n"
        b"r1,Is it 1?,Ash 1,Yes 1.,Birch 2,No 1.\nr2,Is it 2?,Ash 1,Yes 2.,Birch 2,No 2.\n",
        b"external_id;prompt;model_a;response_a;model_b;response_b\n"
        b'r1;Is it 1?;Ash 1;"Yes 1.";Birch 2;No 1.\n\nr2;Is it 2?;Ash 1;Yes 2.;Birch 2;No 2.',
    ],
    ids=[
        "jsonl",
        "bom-crlf",
        "no-newline",
        "gzip",
        "json",
        "json-bom",
        "wrapped",
        "versioned",
        "indented",
        "csv",
        "excel",
    ],
)
def test_every_format_gives_the_same_records(event: Event, content: bytes) -> None:
    assert bring(event, content).created == 2

    again = bring(event, [record(1), record(2)])
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)


def test_a_large_json_array_is_read_in_pieces(event: Event) -> None:
    texts = {"Ash": 'brackets ]}[{ and \\" quotes\\\\' * 20_000, "Birch": "é" * 100_000}
    rows = [record(number, responses=texts) for number in range(3)]

    assert bring(event, json.dumps(rows).encode()).created == 3
    assert Response.objects.filter(text=texts["Ash"]).count() == 3


def test_columns_and_keys_are_mapped_or_left_out(event: Event) -> None:
    theirs = {"id": 7, "instruction": "Why?", "responses": {"Ash": "a", "Birch": "b"}, "note": "x"}
    mapping = {"id": "external_id", "instruction": "prompt", "note": ""}

    assert bring(event, [theirs], mapping=mapping).created == 1
    assert Record.objects.get().external_id == "7"


def test_without_an_identifier_a_corrected_text_is_still_an_update(event: Event) -> None:
    nameless = record()
    del nameless["external_id"]
    bring(event, [nameless])

    report = bring(event, [nameless | {"responses": {"Birch 2": "Corrected.", "Ash 1": "Yes 1."}}])

    assert (report.created, report.updated) == (0, 1)
    assert Response.objects.get(competitor__name="Birch 2").text == "Corrected."


def test_competitors_bring_what_is_known_of_them(event: Event) -> None:
    Competitor.objects.create(event=event, name="Ash 1", organization="Old", licence="MIT")
    known = [CompetitorRow("Ash 1", organization="Grove"), CompetitorRow("Birch 2", version="2")]

    bring(event, [record()], competitors=known)

    ash, birch = Competitor.objects.filter(event=event).order_by("name")
    assert (ash.organization, ash.licence, birch.version) == ("Grove", "MIT", "2")


def test_a_competitor_that_joins_after_the_first_judgment_is_provisional(event: Event) -> None:
    bring(event, [record()])
    make_judgment(make_enrollment(event))

    bring(event, [record(2, responses={"Ash 1": "a", "Cedar": "b"})])

    late = dict(Competitor.objects.values_list("name", "joined_late"))
    assert late == {"Ash 1": False, "Birch 2": False, "Cedar": True}


def test_categories_that_differ_in_sign_stay_apart(event: Event) -> None:
    bring(event, [record(1, categories=["C", "C++", "c"]), record(2, categories="???")])

    slugs = dict(Category.objects.values_list("name", "slug"))
    assert slugs == {"C": "c", "C++": "c-2", "???": "category"}


# --- matchups ---------------------------------------------------------------------------------
def test_all_pairs_are_made_where_no_number_is_set(event: Event) -> None:
    bring(event, [record(responses=dict.fromkeys("ABCDE", "x"))])

    assert Matchup.objects.count() == 10


def test_a_sample_of_pairs_is_connected_and_balanced() -> None:
    event = make_event(matchups_per_record=6)
    bring(event, [record(n, responses={f"M{i}": "x" for i in range(5)}) for n in range(20)])

    assert Matchup.objects.count() == 120
    uses = [0] * 5
    for stored in Record.objects.all():
        responses = list(stored.responses.order_by("pk").values_list("pk", flat=True))
        reached = {responses[0]}
        keys = stored.matchups.values_list("key", flat=True)
        pairs = [set(map(int, key.split(","))) for key in keys]
        for _ in responses:
            for pair in pairs:
                reached |= pair if pair & reached else set()
        assert reached == set(responses)
        for pair in pairs:
            for pk in pair:
                uses[responses.index(pk)] += 1
    assert max(uses) - min(uses) <= 4  # of 48 each


def test_a_new_response_meets_the_others(event: Event) -> None:
    bring(event, [record()])
    before = Matchup.objects.get()

    report = bring(event, [record(responses={"Cedar": "Maybe."})])

    assert report.updated == 1
    assert Matchup.objects.count() == 3
    assert Matchup.objects.serving().filter(pk=before.pk).exists()
    cedar = Response.objects.get(competitor__name="Cedar")
    assert cedar.matchups.count() == 2


def test_a_new_response_of_a_sampled_record_gets_one_matchup() -> None:
    event = make_event(matchups_per_record=1)
    bring(event, [record(responses=dict.fromkeys("ABCD", "x"))])

    bring(event, [record(responses={"E": "new"})])

    assert Matchup.objects.count() == 2
    assert Response.objects.get(competitor__name="E").matchups.count() == 1


# --- controls ---------------------------------------------------------------------------------
def control(expected: str, **fields: Any) -> dict[str, Any]:
    key = {"expected": expected, "reason": "So it is."}
    return record(responses=[{"text": "first"}, {"text": "second"}], control=key) | fields


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
    withdraw_key(Control.objects.get(), "It was wrong.", NOW)
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


# --- again ------------------------------------------------------------------------------------
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


# --- wrong lines ------------------------------------------------------------------------------
def broken(**fields: Any) -> bytes:
    """A right line and then one with these fields."""
    return jsonl(record(1), record(2, **fields))


def without(key: str) -> bytes:
    wrong = record(2)
    del wrong[key]
    return jsonl(record(1), wrong)


HEADER = b"external_id,prompt,model_a,response_a,model_b,response_b\n"
LINE = b"r1,p,Ash,x,Birch,y\n"
LATIN = jsonl(record()) + b'{"prompt": "caf\xe9", "responses": {"A": "x"}}\n'
DEEP = json.loads("[" * 50 + "]" * 50)
WRONG: dict[str, tuple[bytes, int, str, str]] = {
    # encoding
    "latin-1": (LATIN, 2, "prompt", "0xE9"),
    "latin-1 in csv": (HEADER + LINE + b"r2,caf\xe9,A,x,B,y\n", 3, "prompt", "not UTF-8"),
    "utf-16 without mark": (jsonl(record()).decode().encode("utf-16-le"), 1, "", "UTF-16"),
    "nul escaped": (broken(prompt="a\x00b"), 2, "prompt", "NUL byte (character 2)"),
    "nul raw": (jsonl(record()) + b'{"prompt": "a\x00"}\n', 2, "", "NUL"),
    "nul in csv": (HEADER + b"r1,a\x00b,A,x,B,y\n", 2, "prompt", "NUL"),
    "surrogate": (broken(responses={"A": "\ud800", "B": "x"}), 2, "responses.A", "U+D800"),
    "surrogate in metadata": (broken(metadata={"k": ["\udfff"]}), 2, "metadata.k[0]", "U+DFFF"),
    "damaged gzip": (gzip.compress(jsonl(record()) * 500)[:-40], 1, "", "gzip"),
    # structure
    "no json": (jsonl(record()) + b"{nonsense\n", 2, "", "not JSON"),
    "no object": (jsonl(record(), ["a"]), 2, "", "object"),
    "nan": (jsonl(record()) + b'{"prompt": NaN}\n', 2, "", "NaN"),
    "infinity": (jsonl(record()) + b'{"prompt": -Infinity}\n', 2, "", "Infinity"),
    "overflow": (jsonl(record()) + b'{"metadata": {"x": 1e999}}\n', 2, "", "too large"),
    "key twice": (jsonl(record()) + b'{"prompt": "a", "prompt": "b"}\n', 2, "", "twice"),
    "deep json": (jsonl(record()) + b"[" * 100_000 + b"\n", 2, "", "nested"),
    "deep metadata": (
        broken(metadata={"k": DEEP}),
        2,
        "metadata",
        "levels",
    ),
    "long line": (
        jsonl(record()) + b'{"prompt": "' + b"x" * LIMIT * 5 + b'"}\n' + jsonl(record(2)),
        2,
        "",
        "2 MB",
    ),
    "long element": (b'[\n{"prompt": "' + b"x" * LIMIT * 2 + b'"}]', 2, "[0]", "2 MB"),
    "endless element": (b'[\n{"prompt": "' + b"x\n" * LIMIT, 2, "", "middle"),
    "object over lines": (json.dumps(record(), indent=1).encode(), 1, "", "one JSON object"),
    "two lists of records": (b'{"records": [],\n"records": []}', 2, "", "two lists"),
    "array cut off": (b'[\n{"prompt": "x"', 2, "", "middle"),
    "array with comma": (b"[" + jsonl(record()).strip() + b",\n]", 2, "", "comma"),
    "more after array": (b"[]\n1", 2, "", "more after"),
    "other object": (b'{"records": 1}', 1, "", "Expected '['"),
    "element of array": (json.dumps([record(), 5]).encode(), 1, "[1]", "object"),
    "field in array": (
        json.dumps([record(), record(prompt=1)]).encode(),
        1,
        "[1].prompt",
        "text",
    ),
    "empty": (b"", 1, "", "no records"),
    "blank": (b"\n \n", 1, "", "no records"),
    "empty array": (b"[]", 1, "", "no records"),
    "header only": (HEADER, 1, "", "no records"),
    # CSV
    "open quotation": (HEADER + LINE + b'r2,"p,A,x,B,y\nr3,p,A,x,B,y\n', 3, "", "never closed"),
    "endless quotation": (HEADER + LINE + b'r2,"' + b"x,y\n" * LIMIT, 3, "", "never closed"),
    "quotation left open": (
        HEADER + LINE + b'r2,"' + b"x,y\n" * LIMIT + b'r3,"p",A,x,B,y"\n',
        3,
        "",
        f"to line {LIMIT + 3}; is a quotation mark left open",
    ),
    "long header": (HEADER.strip() + b"x" * LIMIT + b"\n" + LINE, 1, "", "2 MB"),
    "text after quotation": (HEADER + b'r1,"p"q,A,x,B,y\n' + LINE, 2, "", "closing quotation"),
    "too many cells": (HEADER + b"r1,p,A,x,B,y,z\n", 2, "", "7 cells"),
    "line after text of lines": (
        HEADER + b'r1,"a\nb\nc",A,x,B,y\nr2,p,A\n',
        5,
        "response_a",
        "between 1",
    ),
    "unknown column": (b"promt,response_a\nx,y\n", 1, "promt", "did you mean prompt?"),
    "missing column": (b"external_id,prompt\nr1,x\n", 1, "response_a", "missing"),
    "column twice": (b"prompt,response_a,prompt\nx,y,z\n", 1, "prompt (2)", "called prompt"),
    "old mac": (HEADER.strip() + b"\rr1,p,A,x,B,y\r", 1, "", "CR alone"),
    # the columns of CSV
    "response without model": (HEADER + b"r1,p,A,x,,y\n", 2, "model_b", "missing"),
    "model of b too long": (HEADER + b"r1,p,,," + b"B" * 121 + b",y\n", 2, "model_b", "120"),
    "model twice in csv": (HEADER + b"r1,p,A,x,A,y\n", 2, "model_b", "two responses of A"),
    "no responses in csv": (HEADER + b"r1,p,,,,\n", 2, "response_a", "between 1 and"),
    "expected in csv": (
        b"prompt,response_a,response_b,expected\np,x,y,z\n",
        2,
        "expected",
        "a, b, tie",
    ),
    "category too long in csv": (
        b"prompt,response_a,categories\np,x,a;" + b"b" * 81 + b"\n",
        2,
        "categories",
        "80",
    ),
    "turn in csv": (
        b"prompt,model_a,response_a\n" + b'"[{""role"": ""bot"", ""content"": ""x""}]",A,x\n',
        2,
        "prompt",
        "one of",
    ),
    # fields
    "no prompt": (without("prompt"), 2, "prompt", "missing"),
    "no responses": (without("responses"), 2, "responses", "missing"),
    "unknown key": (broken(respones={}), 2, "respones", "did you mean responses?"),
    "blank prompt": (broken(prompt="  "), 2, "prompt", "empty"),
    "prompt a number": (broken(prompt=5), 2, "prompt", "a number"),
    "no turns": (broken(prompt=[]), 2, "prompt", "between 1 and"),
    "turn a string": (broken(prompt=["Hi"]), 2, "prompt[0]", "role"),
    "role": (broken(prompt=[{"role": "bot", "content": "x"}]), 2, "prompt[0].role", "one of"),
    "turn without content": (broken(prompt=[{"role": "user"}]), 2, "prompt[0].content", "null"),
    "last turn": (
        broken(prompt=[{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]),
        2,
        "prompt[1].role",
        "last turn",
    ),
    "no response": (broken(responses={}), 2, "responses", "between 1 and"),
    "responses a string": (broken(responses="x"), 2, "responses", "text"),
    "text a list": (broken(responses={"A": ["x"]}), 2, "responses.A", "a list"),
    "response without text": (
        broken(responses=[{}]),
        2,
        "responses[0].text",
        "missing",
    ),
    "model twice": (
        broken(responses=[{"model": "A", "text": "x"}, {"model": " A ", "text": "y"}]),
        2,
        "responses[1].model",
        "two responses of A",
    ),
    "model empty": (broken(responses={"": "x", "B": "y"}), 2, "responses", "empty"),
    "model invisible": (broken(responses={"A\u200b": "x"}), 2, "responses", "invisible"),
    "model too long": (broken(responses={"A" * 121: "x"}), 2, "responses", "120"),
    "no model": (
        broken(responses=[{"text": "x"}, {"text": "y"}]),
        2,
        "responses[0].model",
        "only a control",
    ),
    "identifier a list": (broken(external_id=["x"]), 2, "external_id", "a list"),
    "identifier true": (broken(external_id=True), 2, "external_id", "true or false"),
    "categories a number": (broken(categories=3), 2, "categories", "a number"),
    "category a number": (broken(categories=["x", 3]), 2, "categories[1]", "a number"),
    "metadata a list": (broken(metadata=[1]), 2, "metadata", "a list"),
    "duplicate": (jsonl(record(1), record(2), record(1)), 3, "external_id", "line 1"),
    "duplicate with spaces": (
        jsonl(record(1), record(2, external_id=" r1 ")),
        2,
        "external_id",
        "same as",
    ),
    "duplicate without id": (without("external_id") * 2, 4, "external_id", "is missing, and"),
    "control of three": (
        broken(responses={"A": "x", "B": "y", "C": "z"}, control={"expected": "a"}),
        2,
        "responses",
        "two responses, not 3",
    ),
    "expected": (broken(control={"expected": "c"}), 2, "control.expected", "a, b, tie or Ash 1"),
    "expected missing": (broken(control={"reason": "x"}), 2, "control.expected", "null"),
    "expected ambiguous": (
        broken(responses={"b": "x", "a": "y"}, control={"expected": "a"}),
        2,
        "control.expected",
        "ambiguous",
    ),
    "control a string": (broken(control="a"), 2, "control", "text"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_line_is_named_and_nothing_is_left(event: Event, case: str) -> None:
    content, line, field, words = WRONG[case]
    bring(event, [record(100, categories=["x"]), control("a", external_id="c100")])
    before = everything()

    report = bring(event, content)

    assert not report.landed
    assert (report.created, report.updated) == (0, 0)
    found = [(error.line, error.field) for error in report.errors]
    assert (line, field) in [(at, name if field != "metadata" else name[:8]) for at, name in found]
    assert any(words in error.message for error in report.errors), report.errors
    assert everything() == before
    assert ImportJob.objects.first().state == ImportJob.State.REFUSED


def test_the_other_lines_are_imported_where_the_caller_says_so(event: Event) -> None:
    content = (
        jsonl(record(1), record(2, prompt=""), record(3), record(3)) + b"{no\n" + jsonl(record(4))
    )

    report = bring(event, content, on_error="skip")

    assert (report.created, report.skipped, report.error_total) == (3, 3, 3)
    assert [error.line for error in report.errors] == [2, 4, 5]
    assert set(Record.objects.values_list("external_id", flat=True)) == {"r1", "r3", "r4"}
    assert Competitor.objects.count() == 2


LONG = "x" * (2 * LIMIT)
LAST = LINE.replace(b"r1", b"r3")


@pytest.mark.parametrize(
    "content",
    [
        jsonl(record(1), record(2, prompt=LONG), record(3)),
        json.dumps([record(1), record(2, prompt=LONG), record(3)]).encode(),
        json.dumps([record(1), [LONG, '\\"' * LIMIT], record(3)], indent=1).encode(),
        json.dumps([record(1), 10**4000, record(3)])
        .encode()
        .replace(b"0" * 4000, b"0" * LIMIT * 2),
        HEADER + LINE + f"r2,{LONG},A,x,B,y\n".encode() + LAST,
        HEADER
        + LINE
        + b'r2,"'
        + b'a ""b""\n' * LIMIT
        + b'",A,x,B,y\n'
        + LINE.replace(b"r1", b"r3"),
    ],
    ids=["jsonl", "json", "json of others", "json number", "csv", "csv of lines"],
)
def test_a_row_too_long_is_left_out_where_the_caller_says_so(event: Event, content: bytes) -> None:
    report = bring(event, content, on_error="skip")

    assert (report.created, report.skipped, report.error_total) == (2, 1, 1)
    assert "2 MB" in report.errors[0].message
    assert set(Record.objects.values_list("external_id", flat=True)) == {"r1", "r3"}


def test_a_file_that_cannot_be_read_to_its_end_is_refused_whatever_the_caller_says(
    event: Event,
) -> None:
    report = bring(event, HEADER + LINE + b'r2,"p,A,x,B,y\n', on_error="skip")

    assert not report.landed
    assert not Record.objects.exists()


def test_errors_are_named_by_the_files_own_columns(event: Event) -> None:
    content = (
        b"id,question,first,answer 1,second,answer 2,right\n"
        b"1,,Ash,I am Ash 7B.,,x,\n2,Why?,Ash 7B,I am Ash 7B.,Birch,x,\n1,x,A,x,B,y,c\n"
    )
    mapping = {
        "id": "external_id", "question": "prompt", "first": "model_a", "answer 1": "response_a",
        "second": "model_b", "answer 2": "response_b", "right": "expected",
    }  # fmt: skip

    report = bring(event, content, mapping=mapping)

    found = [(error.line, error.field) for error in report.errors]
    assert found == [(2, "question"), (2, "second"), (4, "right")]
    assert [(warning.line, warning.field) for warning in report.warnings] == [(3, "answer 1")]


def test_frozen_texts_are_named_by_their_columns(event: Event) -> None:
    bring(event, HEADER + LINE)
    make_assignment(make_enrollment(event))

    report = bring(event, HEADER + b"r1,other,Birch,new,Ash,x\n")

    assert [error.field for error in report.errors] == ["prompt", "response_a"]


def test_a_repeated_key_is_told_from_a_missing_one(event: Event) -> None:
    mapping = {"id": "external_id"}
    rows = [record(1) | {"id": "r1"}, record(2) | {"id": 1}, record(2) | {"id": "1"}]
    nameless = [record(3), record(3)]
    for row in [*rows, *nameless]:
        del row["external_id"]

    report = bring(event, [*rows, *nameless], mapping=mapping)

    same, missing = report.errors
    assert (same.line, same.field, same.message) == (3, "id", "is the same as in line 2")
    assert (missing.line, missing.message[:10]) == (5, "is missing")


def test_texts_and_names_that_begin_with_a_sign_are_stored_to_the_letter(event: Event) -> None:
    cells = ["=1+1", "=HYPERLINK(1)", "@cf/meta/llama", "-2+3+cmd|' /C calc'!D2", "-b", "+ item"]
    content = HEADER + (",".join(cells) + "\n").encode()

    assert bring(event, content).created == 1

    stored = Record.objects.get()
    assert (stored.external_id, stored.prompt[0]["content"]) == tuple(cells[:2])
    texts = stored.responses.order_by("pk").values_list("competitor__name", "text")
    assert [*texts] == [tuple(cells[2:4]), tuple(cells[4:])]


def test_csv_holds_conversations_and_several_categories(event: Event) -> None:
    header = b"external_id,prompt,categories,model_a,response_a,model_b,response_b\n"
    turns = (
        b'"[{""role"": ""system"", ""content"": ""Be brief.""},'
        b' {""role"": ""user"", ""content"": ""Hi""}]"'
    )
    lines = [
        b"r1," + turns + b',"[""Coding"", ""Arts, crafts""]",A,x,B,y',
        b'r2,"[1, 2] sorted?",Coding;Math,A,x,B,y',
        b"r3,\"[{'role': 'user', 'content': 'hi'}]\",\"Coding, Math\",A,x,B,y",
        b'r4,Once?,"Coding, Math",A,x,B,y',
    ]

    report = bring(event, header + b"\n".join(lines))

    first, second, third, _fourth = Record.objects.order_by("external_id")
    assert [turn["role"] for turn in first.prompt] == ["system", "user"]
    assert second.prompt[0]["content"] == "[1, 2] sorted?"
    names = [sorted(r.categories.values_list("name", flat=True)) for r in (first, second, third)]
    assert names == [["Arts, crafts", "Coding"], ["Coding", "Math"], ["Coding, Math"]]
    doubts = [(warning.line, warning.field) for warning in report.warnings]
    assert doubts == [(4, "prompt"), (4, "categories")]


def test_one_fault_is_told_once_with_its_count_and_first_lines(event: Event) -> None:
    rows = [record(n, prompt="", responses=1, metadata=[n]) for n in range(3_000)]

    report = bring(event, rows)

    assert report.error_total == 9_000
    assert [(error.field, error.count, error.where) for error in report.errors] == [
        (field, 3_000, "1, 2, 3, 4, 5 …") for field in ("responses", "prompt", "metadata")
    ]


def test_the_first_hundred_faults_are_kept_and_all_are_counted(event: Event) -> None:
    names = [first + second for first in "abcdefghijklm" for second in "abcdefghijkl"]

    report = bring(event, [record(n, responses={name: 5}) for n, name in enumerate(names)])

    assert [error.line for error in report.errors] == list(range(1, 101))
    assert report.error_total == len(names)


def test_controls_need_a_question_they_answer(event: Event) -> None:
    event.questions.filter(kind="preference").delete()

    report = bring(event, [control("a")])

    assert [error.field for error in report.errors] == ["control"]


def test_without_a_preference_a_records_responses_are_shown_together(event: Event) -> None:
    event.questions.filter(kind="preference").delete()

    bring(event, [record(1, responses=dict.fromkeys("ABC", "x")), record(2, responses={"A": "y"})])

    assert sorted(m.places.count() for m in Matchup.objects.all()) == [1, 3]
    report = bring(event, [record(3, responses={f"M{n}": "x" for n in range(10)})])
    assert [error.field for error in report.errors] == ["responses"]


def test_a_control_keeps_its_two_responses(event: Event) -> None:
    bring(event, [control("a"), record(5, control={"expected": "a"}), record(6)])

    report = bring(
        event,
        [
            record(5, responses={"Cedar": "x"}),
            record(6, responses={"Cedar": "x", "Ash 1": "Yes 6."}, control={"expected": "a"}),
        ],
    )

    assert [(e.line, e.field) for e in report.errors] == [(1, "responses"), (2, "control")]


def test_a_column_mapped_to_the_model_by_mistake_is_noticed(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.events.importing.reading.names.MOST_COMPETITORS", 5)
    report = bring(event, [record(n, responses={f"M{n}": "x"}) for n in range(7)])

    assert (report.error_total, report.errors[0].line) == (2, 6)


# --- leaks ------------------------------------------------------------------------------------
def test_a_response_that_names_its_model_is_a_warning(event: Event) -> None:
    rows = [record(1, responses={"GPT 4": "I am gpt-4.", "Claude v2": "Claude Monet painted."})]

    report = bring(event, [record(0), *rows], competitors=[CompetitorRow("Ash 1", "Grove")])

    assert report.landed
    assert [(w.line, w.field) for w in report.warnings] == [
        (2, "responses.GPT 4"),
        (2, "responses.Claude v2"),
    ]
    assert "I am gpt" in report.warnings[0].message


def test_a_record_of_one_response_is_a_warning(event: Event) -> None:
    one = record(2, responses={"Ash 1": "Yes."})

    report = bring(event, [record(1), one])

    assert report.landed
    assert [(w.line, w.field) for w in report.warnings] == [(2, "responses")]
    assert "only one" in report.warnings[0].message
    assert bring(event, [record(2, responses={"Birch 2": "No."})]).warnings == []
    lines = b"r3,p,Ash,x,,\nr4,p,Ash,x,Birch,y\n"
    assert [w.field for w in bring(event, HEADER + lines).warnings] == ["response_b"]


def test_without_a_preference_one_response_is_enough(event: Event) -> None:
    event.questions.filter(kind="preference").delete()

    assert bring(event, [record(responses={"Ash 1": "Yes."})]).warnings == []


# --- crashes and others -----------------------------------------------------------------------
@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run an import that dies as if by SIGKILL: nobody lets go, and its heartbeat grows old."""

    def run(event: Event, rows: list[Any], where: str, batch: int) -> None:
        original = getattr(running, where)
        calls = iter(range(1, 100))

        def dies(*args: Any) -> None:
            if next(calls) == batch:
                raise KeyboardInterrupt
            original(*args)

        with monkeypatch.context() as patch:
            patch.setattr(running, where, dies)
            patch.setattr(running, "ROWS_A_BATCH", 10)
            patch.setattr(Hold, "let_go", lambda *args: None)
            with pytest.raises(KeyboardInterrupt):
                bring(event, rows)
        old = timezone.now() - 2 * ImportJob.STALE_AFTER
        ImportJob.objects.under_way().update(heartbeat_at=old)

    return run


def test_a_killed_import_is_seen_by_nobody_and_cleaned_up_by_the_next(
    event: Event, killed: Callable[..., None]
) -> None:
    bring(event, [record(100)])
    before = everything()
    rows = [
        record(n, responses={"Ash 1": "a", f"New {n % 3}": "b"}, categories=["y"]) for n in range(6)
    ]
    killed(event, rows, "create_batch", 3)

    assert Record.objects.filter(imported_at=None).exists()
    assert Matchup.objects.serving().count() == 1
    assert bring(event, [record(100, prompt="")]).error_total == 1
    assert everything() == before
    assert list(ImportJob.objects.values_list("state", flat=True)) == ["refused", "failed", "done"]
    assert bring(event, rows).created == 6


def test_an_import_killed_while_it_applied_changes_is_finished_by_the_next(
    event: Event, killed: Callable[..., None]
) -> None:
    bring(event, [record(1)])
    killed(event, [record(1, prompt="Other?"), record(2)], "apply_staged", 1)
    assert Record.objects.filter(imported_at__isnull=False).count() == 2

    assert bring(event, [record(3)]).created == 1

    assert Record.objects.get(external_id="r1").prompt[0]["content"] == "Other?"
    assert not StagedRecord.objects.exists()
    assert not ImportJob.objects.under_way().exists()


def test_an_import_that_fails_is_let_go_of_at_once(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(running, "create_batch", fails)
        with pytest.raises(OSError, match="disk full"):
            bring(event, [record(1)])

    assert ImportJob.objects.get().state == ImportJob.State.FAILED
    assert bring(event, [record(1)]).created == 1
    assert Competitor.objects.count() == 2


def test_one_import_at_a_time(event: Event) -> None:
    running_job = ImportJob.objects.create(
        event=event, created_at=NOW, state=ImportJob.State.WRITING, heartbeat_at=timezone.now()
    )

    with pytest.raises(ImportBusyError):
        bring(event, [record()])

    assert list(ImportJob.objects.all()) == [running_job]
    assert bring(make_event(), [record()]).created == 1


def test_a_process_that_was_taken_for_dead_stops_at_its_next_batch(event: Event) -> None:
    def taken_over(state: str, done: int, total: int | None) -> None:
        if state == "writing":
            ImportJob.objects.filter(event=event).update(attempt=9)

    rows = [record(n, responses={f"M{i}": "x" for i in range(60)}) for n in range(4)]
    with pytest.raises(ConflictError, match="taken over"):
        bring(event, rows, progress=taken_over)

    assert not Matchup.objects.serving().exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_visible_before_the_last_batch_is_in(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    visible = []

    def look(state: str, done: int, total: int | None) -> None:
        assert not connection.in_atomic_block or state != "checking"
        visible.append((state, Matchup.objects.serving().count(), Record.objects.count()))

    monkeypatch.setattr(running, "ROWS_A_BATCH", 14)
    bring(event, [record(n) for n in range(10)], progress=look)

    assert {seen for state, seen, _ in visible if state == "writing"} == {0}
    assert len({there for _, _, there in visible}) > 3
    assert Matchup.objects.serving().count() == 10


def test_progress_is_told_in_bytes_and_then_in_rows(event: Event, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(jsonl(*(record(n) for n in range(3))))
    told = []

    import_records(event, path, now=NOW, rng=Random(1), progress=lambda *args: told.append(args))

    size = path.stat().st_size
    assert ("checking", size, size) in told
    assert ("writing", 3, 3) in told


# --- the command ------------------------------------------------------------------------------
def test_the_command_imports_a_file(event: Event, tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    path.write_bytes(HEADER.replace(b"prompt", b"instruction") + LINE)
    extras = tmp_path / "models.csv"
    extras.write_text("name,organization\nAsh,Grove\n", encoding="utf-8")
    out = io.StringIO()

    call_command(
        "import_records", event.slug, str(path), "--map", "instruction=prompt",
        "--competitors", str(extras), stdout=out,
    )  # fmt: skip

    assert "Imported: 1 created." in out.getvalue()
    assert Competitor.objects.get(name="Ash").organization == "Grove"
    job = ImportJob.objects.get()
    assert (job.state, job.file_name) == (ImportJob.State.DONE, "records.csv")
    assert job.report["created"] == 1


def test_the_command_shows_errors_by_line_and_fails(event: Event, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(broken(prompt=""))
    out = io.StringIO()

    with pytest.raises(CommandError, match="as it was"):
        call_command("import_records", event.slug, str(path), stdout=out)

    assert "must not be empty" in out.getvalue()
    assert not Record.objects.exists()


def test_unknown_columns_of_a_list_of_competitors_are_named_and_ignored(
    event: Event, tmp_path: Path
) -> None:
    path, extras = tmp_path / "records.jsonl", tmp_path / "models.csv"
    path.write_bytes(jsonl(record()))
    extras.write_text(
        "Name,organisation,context window,verson\nAsh 1,Grove,8k,2\n", encoding="utf-8"
    )
    out = io.StringIO()

    call_command("import_records", event.slug, str(path), "--competitors", str(extras), stdout=out)

    assert Competitor.objects.get(name="Ash 1").organization == "Grove"
    assert "context window" in out.getvalue()
    assert "did you mean version?" in out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("nowhere", "x.jsonl"), "no event"), (("{slug}", "/does/not/exist"), "Cannot read")],
)
def test_the_command_says_what_is_missing(
    event: Event, arguments: tuple[str, str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("import_records", *(word.format(slug=event.slug) for word in arguments))

    assert not ImportJob.objects.under_way().exists()

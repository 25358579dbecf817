"""Lines of a file of records that are wrong: each is named, and nothing is left."""

import gzip
import json

import pytest

from arena.events.importing.reading.files import MAX_ROW_BYTES
from arena.events.models import (
    Competitor,
    Event,
    ImportJob,
    Record,
)
from tests.events.record_files import (
    HEADER,
    LINE,
    bring,
    broken,
    control,
    everything,
    jsonl,
    record,
)
from tests.factories import make_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return make_event()


def without(key: str) -> bytes:
    wrong = record(2)
    del wrong[key]
    return jsonl(record(1), wrong)


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
        jsonl(record()) + b'{"prompt": "' + b"x" * MAX_ROW_BYTES * 5 + b'"}\n' + jsonl(record(2)),
        2,
        "",
        "2 MB",
    ),
    "long element": (b'[\n{"prompt": "' + b"x" * MAX_ROW_BYTES * 2 + b'"}]', 2, "[0]", "2 MB"),
    "endless element": (b'[\n{"prompt": "' + b"x\n" * MAX_ROW_BYTES, 2, "", "middle"),
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
    "endless quotation": (
        HEADER + LINE + b'r2,"' + b"x,y\n" * MAX_ROW_BYTES,
        3,
        "",
        "never closed",
    ),
    "quotation left open": (
        HEADER + LINE + b'r2,"' + b"x,y\n" * MAX_ROW_BYTES + b'r3,"p",A,x,B,y"\n',
        3,
        "",
        f"to line {MAX_ROW_BYTES + 3}; is a quotation mark left open",
    ),
    "long header": (HEADER.strip() + b"x" * MAX_ROW_BYTES + b"\n" + LINE, 1, "", "2 MB"),
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
    "control of one": (
        broken(responses={"A": "x"}, control={"expected": "a"}),
        2,
        "responses",
        "two responses or more, not 1",
    ),
    "control of one in csv": (
        b"external_id,prompt,response_a,response_b,expected\nr1,p,x,,a\n",
        2,
        "response_b",
        "two responses or more, not 1",
    ),
    "expected is the third": (
        broken(responses={"A": "x", "B": "y", "C": "z"}, control={"expected": "C"}),
        2,
        "control.expected",
        "must be a, b, tie or A or B",
    ),
    "control in two rows of csv": (
        b"external_id,prompt,response_a,response_b,expected\nr1,p,x,y,a\nr1,p,x,z,a\n",
        3,
        "external_id",
        "one row has all of a control",
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


LONG = "x" * (2 * MAX_ROW_BYTES)
LAST = LINE.replace(b"r1", b"r3")


@pytest.mark.parametrize(
    "content",
    [
        jsonl(record(1), record(2, prompt=LONG), record(3)),
        json.dumps([record(1), record(2, prompt=LONG), record(3)]).encode(),
        json.dumps([record(1), [LONG, '\\"' * MAX_ROW_BYTES], record(3)], indent=1).encode(),
        json.dumps([record(1), 10**4000, record(3)])
        .encode()
        .replace(b"0" * 4000, b"0" * MAX_ROW_BYTES * 2),
        HEADER + LINE + f"r2,{LONG},A,x,B,y\n".encode() + LAST,
        HEADER
        + LINE
        + b'r2,"'
        + b'a ""b""\n' * MAX_ROW_BYTES
        + b'",A,x,B,y\n'
        + LINE.replace(b"r1", b"r3"),
    ],
    ids=["jsonl", "json", "json of others", "json number", "csv", "csv of lines"],
)
@pytest.mark.any_database
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

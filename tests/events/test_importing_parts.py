"""The parts of importing that need no database: reading, parsing, pairing, style, leaks."""

import gzip
import io
import json
import time
from collections.abc import Callable
from datetime import UTC
from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.events.importing.checking.checks import InvalidRowError, Problem, explain_unknown
from arena.events.importing.checking.leaks import find_leak
from arena.events.importing.preview import guess_mapping
from arena.events.importing.reading.files import FORMATS, Row, guess_format, open_source, read_rows
from arena.events.importing.reading.flat_rows import build_record
from arena.events.importing.reading.records import RecordRow, parse_record
from arena.events.importing.report import (
    ImportReport,
    LineError,
    UnreadableFileError,
    make_printable,
)
from arena.events.importing.writing.pairing import PairChooser
from arena.events.importing.writing.temporary import split_by_cost
from arena.events.models import count_style
from arena.judging.importing.options import VoteOptions
from arena.judging.importing.reading.vote_lines import VoteRules, parse_vote
from tests.factories import NOW

# A text that says something: a blank cell of CSV is no response.
PLAIN = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30
).filter(str.strip)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def rows_of(content: bytes, format: str) -> list[Row | LineError]:
    with open_source(io.BytesIO(content)) as source:
        return list(read_rows(source.stream, format))


# --- reading: whatever comes, an answer -------------------------------------------------------
@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.binary(max_size=200), st.sampled_from(FORMATS))
def test_any_bytes_are_rows_errors_or_unreadable(content: bytes, format: str) -> None:
    try:
        rows = rows_of(content, format)
    except UnreadableFileError as error:
        rows = [error.error]
    assert all(isinstance(row, Row) or row.message for row in rows)
    assert guess_format("", content) in FORMATS


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 10_000), max_size=6), st.binary(max_size=6), st.data())
def test_a_damaged_file_is_rows_errors_or_unreadable(
    places: list[int], noise: bytes, data: st.DataObject
) -> None:
    format = data.draw(st.sampled_from(FORMATS))
    whole = {
        "jsonl": b'{"prompt": "a", "responses": {"A": "x\\n\\"y\\""}}\n' * 3,
        "json": b'{"records": [{"prompt": "a", "responses": {"A": "x"}}, {"prompt": "b"}]}',
        "csv": b'prompt,model_a,response_a\n"a ""b""\nc",A,"x,y"\nd,B,z\n',
    }[format]
    content = bytearray(whole)
    for place in places:
        at = place % len(content)
        content[at : at + 1] = noise
    try:
        rows = rows_of(bytes(content), format)
    except UnreadableFileError:
        return
    for row in rows:
        if isinstance(row, Row):
            data = build_record(row.data) if format == "csv" else row.data
            assert problems_of(parse_record, data) is not None


def problems_of(parse: Callable[..., object], *arguments: Any) -> list[Problem]:
    """What a parser refuses; it raises nothing else, and never without a reason."""
    try:
        parse(*arguments)
    except InvalidRowError as error:
        return error.problems
    return []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.dictionaries(
        st.sampled_from(
            ["external_id", "prompt", "responses", "categories", "metadata", "control", "x"]
        ),
        JSON,
    )
)
def test_any_object_is_a_record_or_a_list_of_problems(data: dict[str, Any]) -> None:
    try:
        row = parse_record(data)
    except InvalidRowError as error:
        for problem in error.problems:
            make_printable(LineError(1, problem.field, problem.message)).message.encode()
    else:
        assert RecordRow.from_json(json.loads(json.dumps(row.as_json()))) == row


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.dictionaries(
        st.sampled_from(
            ["worker", "record", "model_a", "model_b", "winner", "outcome", "left", "timestamp"]
        ),
        JSON | st.sampled_from(["a", "b", "tie", "both_bad", 1, -1, "1700000000"]),
    )
)
def test_any_object_is_a_vote_or_a_list_of_problems(data: dict[str, Any]) -> None:
    options = VoteOptions(ends=(2, -2))
    rules = VoteRules(5, both_bad=True, takes_comments=True, zone=UTC, now=NOW, options=options)
    if not problems_of(parse_vote, data, rules):
        assert -2 <= parse_vote(data, rules).outcome <= 2


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(PLAIN, PLAIN, PLAIN), min_size=1, max_size=5))
def test_what_is_written_is_read_in_every_format(texts: list[tuple[str, str, str]]) -> None:
    objects = [
        {"prompt": prompt, "responses": {"A": first, "B": second}}
        for prompt, first, second in texts
    ]
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects).encode()
    quoted = "prompt,model_a,response_a,model_b,response_b\n" + "".join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in (p, "A", a, "B", b)) + "\n"
        for p, a, b in texts
    )
    for content, format in (
        (lines, "jsonl"),
        (gzip.compress(lines), "jsonl"),
        (json.dumps(objects, indent=1).encode(), "json"),
        (json.dumps({"records": objects}, ensure_ascii=False).encode(), "json"),
        (quoted.encode(), "csv"),
    ):
        read = []
        for row in rows_of(content, format):
            assert isinstance(row, Row), row
            data = build_record(row.data) if format == "csv" else row.data
            listed = data["responses"]
            said = listed.values() if isinstance(listed, dict) else [r["text"] for r in listed]
            read.append((data["prompt"], *said))
        assert read == texts


def test_lines_are_numbered_as_an_editor_does() -> None:
    content = b'prompt,response_a\n"a\nb",x\n\nc,y\nd,z,1\n'
    found = [(type(row).__name__, row.line) for row in rows_of(content, "csv")]

    assert found == [("Row", 2), ("Row", 5), ("LineError", 6)]


@pytest.mark.parametrize(
    ("name", "head", "format"),
    [
        ("x.csv", b"a,b", "csv"),
        ("x.TSV", b"a\tb", "csv"),
        ("x.jsonl", b'{"a": 1}', "jsonl"),
        ("x.json", b' [{"a": 1}]', "json"),
        ("x.json", b'{"records": []}', "json"),
        ("x.json", b'{"version": 1, "records": [{"prompt": "', "json"),
        ("x.json", b'{\n "prompt": 1,', "json"),
        ("x.json", b'{"prompt": "x", "responses": {', "jsonl"),
        ("x.json", b'\xef\xbb\xbf{"prompt": 1}\n{', "jsonl"),
        ("x.csv", b'{"prompt": 1}', "jsonl"),
        ("x.csv.gz", b"a,b", "csv"),
        ("", b"prompt,x", "csv"),
    ],
)
def test_formats_are_recognised(name: str, head: bytes, format: str) -> None:
    assert guess_format(name, head) == format


def test_suggestions_name_what_was_meant() -> None:
    assert explain_unknown("Promt", ["prompt", "responses"]) == "is unknown; did you mean prompt?"
    assert explain_unknown("zzz", ["prompt"]) == "is unknown"


def test_mappings_are_guessed_from_what_others_call_things() -> None:
    columns = ["idx", "instruction", "output_1", "output_2", "prompt_length"]
    assert guess_mapping(columns, is_csv=True) == {
        "idx": "external_id",
        "instruction": "prompt",
        "output_1": "response_a",
        "output_2": "response_b",
        "prompt_length": "metadata.prompt_length",
    }
    assert guess_mapping(["prompt", "question", "notes"], is_csv=False) == {
        "prompt": "prompt",
        "question": "metadata.question",
        "notes": "metadata.notes",
    }


def test_a_report_survives_being_stored() -> None:
    report = ImportReport(created=3)
    report.refuse(LineError(2, "prompt\x00", "bad \ud800 text"))
    report.warn(LineError(4, "responses.A", "leak"))

    assert ImportReport.from_json(json.loads(json.dumps(report.as_json()))) == report
    assert report.errors[0].message == "bad \N{REPLACEMENT CHARACTER} text"


def test_batches_are_bounded_by_cost() -> None:
    assert list(split_by_cost([3, 3, 3, 9, 1], lambda value: value / 6)) == [[3, 3], [3, 9], [1]]
    assert list(split_by_cost([], lambda value: 1)) == []


# --- pairing ----------------------------------------------------------------------------------
def components(pairs: list[tuple[int, int]], nodes: int) -> int:
    """Slow and obvious: merge sets until nothing changes."""
    groups = [{node} for node in range(nodes)]
    for first, second in pairs:
        joined = [group for group in groups if group & {first, second}]
        groups = [group for group in groups if not group & {first, second}]
        groups.append(set().union(*joined))
    return len(groups)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(2, 9), st.integers(1, 40), st.integers(0, 10**6))
def test_samples_are_connected_distinct_and_of_the_size_wanted(
    responses: int, wanted: int, seed: int
) -> None:
    pairing = PairChooser(wanted, Random(seed))
    every = list(combinations(range(responses), 2))

    chosen = pairing.choose(range(100, 100 + responses))

    assert len(chosen) == len(set(chosen)) == min(wanted, len(every))
    assert set(chosen) <= set(every)
    expected = max(1, responses - wanted)
    assert components(chosen, responses) == expected


def test_pairs_of_many_records_connect_the_event_before_they_repeat() -> None:
    pairing = PairChooser(1, Random(5))
    met = [pairing.choose(range(20))[0] for _ in range(19)]

    assert components(met, 20) == 1


def test_pairs_already_there_are_counted_and_not_chosen_again() -> None:
    pairing = PairChooser(3, Random(1), met=[(7, 8)] * 5)

    chosen = pairing.choose([7, 8, 9], there=[(0, 1)], fresh=[2])

    assert chosen == [(0, 2), (1, 2)]


def test_competitors_stay_in_balance() -> None:
    pairing = PairChooser(4, Random(3))
    uses = [0] * 8
    for _ in range(100):
        owners = Random(_).sample(range(8), 5)
        for first, second in pairing.choose(owners):
            uses[owners[first]] += 1
            uses[owners[second]] += 1

    assert max(uses) - min(uses) <= 12  # of 100 each


# --- style ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", (0, 0, 0, 0, 0)),
        ("one two\n three", (3, 0, 0, 0, 0)),
        ("# a\n## b\n####### no\n#no\ntext # no", (10, 2, 0, 0, 0)),
        ("**a** and __b__ but snake__case__name and ** none", (8, 0, 2, 0, 0)),
        ("- a\n* b\n+ c\n1. d\n2) e\n  - f\n-no\n1.no\n---\n", (15, 0, 0, 6, 0)),
        ("```\n# no\n- no\n**no**\n```\n# yes\n~~~\nx\n~~~", (12, 1, 0, 0, 2)),
        ("```py\nnever closed\n- no", (5, 0, 0, 0, 1)),
    ],
)
def test_style_counts_what_markdown_shows(text: str, counts: tuple[int, ...]) -> None:
    assert tuple(count_style(text).values()) == counts


HARD = ("\n", " ", "**", "__", "```\n", "#", "- ", "1", "**a", "\t-", "~~~\n- ", "as a model ")


@pytest.mark.parametrize("piece", HARD)
def test_no_text_takes_long_to_count(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    started = time.process_time()
    count_style(text)
    find_leak(text, "Claude v2", "Anthropic")

    assert time.process_time() - started < 1


# --- leaks ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "model", "organization", "found"),
    [
        ("I am Claude, made by Anthropic.", "Claude v2", "", "I am Claude"),
        ("As gpt-4, I cannot", "GPT 4", "", "As gpt"),
        ("GPT4 says hello", "gpt-4-0613", "", ""),
        ("I use OpenAI's servers", "GPT 3.5 Turbo", "", "OpenAI"),
        ("I was trained by Meta.", "LLaMA-2-Chat (7B)", "", "trained by Meta"),
        (
            "As a large language model trained by Acme Labs, I",
            "X1",
            "",
            "As a large language model",
        ),
        ("I was created by OpenAI.", "o1-preview", "", "OpenAI"),
        ("ChatGPT here, hello", "gpt-4", "", "ChatGPT"),
        ("At Alibaba Cloud I learned", "DeepSeek-R1-Distill-Qwen-7B", "", "Alibaba Cloud"),
        ("Ask Meta AI", "meta-llama/Llama-3", "", "Meta AI"),
        ("A model of DeepMind", "gemma-2-9b", "", "DeepMind"),
        ("Written by the Grove team", "Ash", "Grove", "Grove"),
        ("VICUNA is my name", "Vicuna v1.5 (13B)", "", "VICUNA"),
        # not leaks
        ("Google it, or ask ChatGPT", "gemini-pro", "", ""),
        ("The bard sang, said OpenAI", "Ash", "", ""),
        ("The meta description of a page", "LLaMA-2-Chat (7B)", "", ""),
        ("Let us chat about the base model", "LLaMA-2-Chat (7B)", "Meta", ""),
        ("I am a student from Paris", "A", "", ""),
        ("claudette sang", "Claude v2", "", ""),
        ("I am an artist trained by monks", "GPT 4", "", ""),
        ("Another model, Claude, is good", "GPT 4", "", ""),
        ("Any text", "???", "", ""),
    ],
)
def test_names_in_texts(text: str, model: str, organization: str, found: str) -> None:
    leak = find_leak(text, model, organization)

    assert leak.startswith(found) if found else leak == ""


def test_a_word_of_the_organizations_name_is_no_leak_in_lower_case() -> None:
    assert find_leak("I will be twenty minutes late.", "Corncrake", "Late Meadow Computing") == ""
    assert find_leak("I come from Late Meadow.", "Corncrake", "Late Meadow Computing") == "Late"
    assert find_leak("as late meadow computing says", "Corncrake", "Late Meadow Computing")

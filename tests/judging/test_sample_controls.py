"""The sample's controls beside its records: nothing but the key tells them apart."""

import json
from collections import Counter
from collections.abc import Iterable
from statistics import mean, quantiles
from typing import Any

from arena.judging.demo.sample_event import SAMPLE_FOLDER

Row = dict[str, Any]


def read_rows(name: str) -> list[Row]:
    lines = (SAMPLE_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


RECORDS, CONTROLS = read_rows("records.jsonl"), read_rows("controls.jsonl")
KEYED = [row for row in CONTROLS if row["control"]["expected"] != "tie"]
TIES = [row for row in CONTROLS if row["control"]["expected"] == "tie"]


def texts_of(row: Row) -> list[str]:
    responses = row["responses"]
    if isinstance(responses, dict):
        return list(responses.values())
    return [response["text"] for response in responses]


def lengths(rows: Iterable[Row]) -> list[int]:
    return [len(text) for row in rows for text in texts_of(row)]


def repeated_texts(rows: Iterable[Row]) -> list[str]:
    counts = Counter(text for row in rows for text in texts_of(row))
    return [text for text, times in counts.items() if times > 1]


def split_keyed_pair(row: Row) -> tuple[str, str]:
    """The right and the wrong response of a control."""
    first, second = texts_of(row)[:2]
    return (first, second) if row["control"]["expected"] == "a" else (second, first)


def share_with(mark: str, rows: list[Row]) -> float:
    texts = [text for row in rows for text in texts_of(row)]
    return mean(mark in text for text in texts)


def test_every_control_has_as_many_responses_as_a_record() -> None:
    assert {len(texts_of(row)) for row in RECORDS} == {4}
    assert {len(texts_of(row)) for row in CONTROLS} == {4}
    assert all(text.strip() for row in CONTROLS for text in texts_of(row))


def test_only_the_pair_of_a_tie_repeats_a_text() -> None:
    assert repeated_texts([*RECORDS, *CONTROLS]) == [texts_of(row)[0] for row in TIES]
    assert all(texts_of(row)[0] == texts_of(row)[1] for row in TIES)
    assert all(row["control"]["reason"] for row in CONTROLS)
    assert 0 < len(TIES) <= len(CONTROLS) / 10


def test_records_and_controls_have_the_same_fields_and_no_common_id() -> None:
    assert {frozenset(row) | {"control"} for row in RECORDS} == {frozenset(r) for r in CONTROLS}
    assert {tuple(row["metadata"]) for row in [*RECORDS, *CONTROLS]} == {("topic", "turns")}
    ids = [row["external_id"] for row in [*RECORDS, *CONTROLS]]
    assert len(set(ids)) == len(ids)


def test_categories_and_turns_are_spread_alike() -> None:
    spreads = []
    for rows in (RECORDS, CONTROLS):
        spread = Counter(category for row in rows for category in row["categories"])
        spread["several"] = sum(len(row["categories"]) > 1 for row in rows)
        spread["two turns"] = sum(row["metadata"]["turns"] == 2 for row in rows)
        spreads.append({name: count / len(rows) for name, count in spread.items()})
    assert spreads[0].keys() == spreads[1].keys()
    assert all(abs(spreads[0][name] - spreads[1][name]) < 0.05 for name in spreads[0])


def test_lengths_and_form_are_spread_alike() -> None:
    records, controls = lengths(RECORDS), lengths(CONTROLS)
    assert abs(mean(controls) / mean(records) - 1) < 0.1
    for ours, theirs in zip(quantiles(controls, n=4), quantiles(records, n=4), strict=True):
        assert abs(ours / theirs - 1) < 0.2
    for mark in ("```", "\n## ", "\n- ", "|---", "**", "$", "> ", "!"):
        assert abs(share_with(mark, CONTROLS) - share_with(mark, RECORDS)) < 0.1, mark


def test_neither_place_nor_length_nor_form_tells_the_key() -> None:
    assert 0.4 <= mean(row["control"]["expected"] == "a" for row in KEYED) <= 0.6
    pairs = [split_keyed_pair(row) for row in KEYED]
    assert 0.4 <= mean(len(right) > len(wrong) for right, wrong in pairs) <= 0.6
    for mark in ("```", "\n## ", "\n- ", "|---", "**", "$", "!"):
        lead = sum((mark in right) - (mark in wrong) for right, wrong in pairs)
        assert abs(lead) <= len(pairs) / 8, mark

"""Flat rows as records, and which columns they may have: lines of CSV, JSON objects alike.

A response stands in `model_a` and `response_a` (to z), in `model` and `response` where every row
is one response, or in a column of its model's own, `responses.MODEL`.

A header is checked in arena/events/importing/checking/csv_header.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from arena.events.importing.checking.checks import Checker, fold_column, normalize_name
from arena.events.importing.reading.conversations import is_messages, is_parts, pair_turns
from arena.events.importing.reading.foreign_columns import (
    resolve_alias,
)
from arena.events.importing.reading.formats.json_files import DECODER
from arena.events.importing.reading.records import EMPTY_RESPONSE, RECORD_KEYS

RECORD_COLUMNS = ("external_id", "prompt", "categories", "expected", "reason")
RESPONSE_COLUMN = re.compile(r"(model|response)_([a-z])")
MODEL_COLUMN = re.compile(r"responses\.(.+)")
METADATA_COLUMN = re.compile(r"metadata\.(.+)")
SINGLE_COLUMNS = ("model", "response")
RESPONSE_FIELD = re.compile(r"responses\[(\d+)\](?:\.(model|text))?.*")


@dataclass(frozen=True, slots=True)
class ResponseCells:
    """A response of a flat row: whose it is and what it says, and the columns of both."""

    model: Any
    text: Any
    model_column: str
    text_column: str


def is_response_column(column: str) -> bool:
    """Whether a column holds responses or says whose they are."""
    return bool(
        column in SINGLE_COLUMNS
        or RESPONSE_COLUMN.fullmatch(column)
        or MODEL_COLUMN.fullmatch(column)
    )


def is_column(column: str) -> bool:
    """Whether a column of CSV means something."""
    is_plain = column in RECORD_COLUMNS or is_response_column(column)
    return bool(is_plain or METADATA_COLUMN.fullmatch(column))


def is_flat_key(key: str) -> bool:
    """Whether a key of a flat JSON object means something; unlike CSV, it may hold objects."""
    return is_column(key) or key in ("metadata", "control")


def is_record_key(key: str) -> bool:
    """Whether a key of a record object means something."""
    return key in RECORD_KEYS or bool(METADATA_COLUMN.fullmatch(key))


def is_known_name(name: str) -> bool:
    """Whether a name means something anywhere."""
    return is_flat_key(name) or is_record_key(name)


@lru_cache(maxsize=4096)
def canonical_name(column: str) -> str:
    """A column by its meaning: case, blanks and hyphens make no difference to our own names."""
    if is_known_name(column):
        return column
    name = fold_column(column)
    return name if is_known_name(name) else column


def is_flat(data: Mapping[str, Any]) -> bool:
    """Whether a JSON object has the columns of a flat row, and not the keys of a record."""
    return "responses" not in data and any(map(is_response_column, data))


@lru_cache(maxsize=4096)
def is_column_name(cell: str) -> bool:
    """Whether a cell is what we or others call a column."""
    return is_known_name(canonical_name(cell)) or bool(resolve_alias(cell))


# --- values -----------------------------------------------------------------------------------
def find_response_cells(row: Mapping[str, Any]) -> list[ResponseCells]:
    """Every response that a row has a place for and says something of, in order."""
    letters = sorted({m[2] for column in row if (m := RESPONSE_COLUMN.fullmatch(column))})
    pairs = [(f"model_{letter}", f"response_{letter}") for letter in letters]
    if any(column in row for column in SINGLE_COLUMNS):
        pairs.append(SINGLE_COLUMNS)
    slots = [ResponseCells(row.get(model), row.get(text), model, text) for model, text in pairs]
    slots += [
        ResponseCells(match[1], value, column, column)
        for column, value in row.items()
        if (match := MODEL_COLUMN.fullmatch(column))
    ]
    return [slot for slot in slots if not (is_blank(slot.model) and is_blank(slot.text))]


def find_given_responses(row: Mapping[str, Any]) -> list[ResponseCells]:
    """The responses that the row has: an empty cell is none."""
    return [slot for slot in find_response_cells(row) if not is_blank(slot.text)]


def is_blank(value: object) -> bool:
    """Whether a cell says nothing."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def build_record(cells: Mapping[str, Any], check: Checker | None = None) -> dict[str, Any]:
    """The JSON object that a flat row stands for; an empty cell says nothing."""
    check = check or Checker()
    slots = find_given_responses(cells)
    for slot in find_response_cells(cells):
        if is_blank(slot.text):
            check.doubt("empty_response", slot.text_column, EMPTY_RESPONSE)
    prompt, texts = decode_conversations(cells.get("prompt"), [slot.text for slot in slots])
    record: dict[str, Any] = {"prompt": prompt}
    if cells.get("external_id") not in (None, ""):
        record["external_id"] = cells["external_id"]
    if cells.get("categories") is not None:
        record["categories"] = split_categories(cells["categories"], check)
    metadata = {
        match[1]: value
        for name, value in cells.items()
        if value not in (None, "") and (match := METADATA_COLUMN.fullmatch(name))
    }
    given = cells.get("metadata")
    if metadata or given not in (None, ""):
        record["metadata"] = {**given, **metadata} if isinstance(given, dict) else metadata or given
    if cells.get("expected") or cells.get("reason"):
        record["control"] = {"expected": cells.get("expected", ""), "reason": cells.get("reason")}
    elif cells.get("control"):
        record["control"] = cells["control"]
    record["responses"] = [
        {"model": None if is_blank(slot.model) else slot.model, "text": text}
        for slot, text in zip(slots, texts, strict=True)
    ]
    return record


def decode_conversations(prompt: Any, texts: list[Any]) -> tuple[Any, list[Any]]:
    """Cells that hold conversations as JSON, as what they hold; all others as they are."""
    read_prompt, read_texts = decode_list(prompt), [decode_list(text) for text in texts]
    paired, conversations = pair_turns(read_prompt, read_texts)
    if paired is None and prompt is not None:
        return None, conversations
    prompt = read_prompt if is_messages(read_prompt) or is_parts(read_prompt) else prompt
    if prompt == "" and read_texts and all(map(is_messages, read_texts)):
        prompt = None
    return prompt, [
        read if is_messages(read) or is_parts(read) else text
        for read, text in zip(read_texts, texts, strict=True)
    ]


def decode_list(value: Any) -> Any:
    """The list that a cell holds as JSON; any other value as it is."""
    listed = parse_json_list(value) if isinstance(value, str) else None
    return value if listed is None else listed


def split_categories(cell: Any, check: Checker | None = None) -> Any:
    """Categories as a JSON list, or separated by semicolons."""
    if not isinstance(cell, str):
        return cell
    listed = parse_json_list(cell)
    if listed is not None:
        return listed
    names = [name for part in cell.split(";") if (name := part.strip())]
    for name in names if check else ():
        if re.search("[,|]", name):
            message = f"only ; separates categories, so “{name}” is one"
            check.doubt("categories", "categories", message)  # type: ignore[union-attr]
    return names


def parse_json_list(cell: str) -> list[Any] | None:
    """The list that a cell holds as JSON; None where it is any other text."""
    if not cell.lstrip().startswith("["):
        return None
    try:
        value = DECODER.decode(cell.strip())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


# --- the way back, for errors -----------------------------------------------------------------
def column_of_field(field: str, cells: Mapping[str, Any]) -> str:
    """The column, by its meaning, that a record's field came from."""
    if field == "responses":  # their number
        return find_missing_response_column(cells)
    if RESPONSE_FIELD.fullmatch(field) or field.startswith("responses."):
        return column_of_response(field, cells)
    if field in cells:
        return field
    if field.startswith("control"):
        return field.partition(".")[2] or "expected"
    return field if field.startswith("metadata.") else field.partition("[")[0]


def find_missing_response_column(cells: Mapping[str, Any]) -> str:
    """The first column of responses that says nothing, else the last."""
    columns = [
        column
        for column in cells
        if column == "response" or column.startswith(("response_", "responses."))
    ]
    there = {slot.text_column for slot in find_given_responses(cells)}
    missing = (column for column in sorted(columns) if column not in there)
    return next(missing, columns[-1] if columns else "response_a")


def column_of_response(field: str, cells: Mapping[str, Any]) -> str:
    """The column of a response, or of its model; the field itself where the response came with
    another row of the record."""
    slots = find_given_responses(cells)
    if place := RESPONSE_FIELD.fullmatch(field):
        if int(place[1]) >= len(slots):
            return field
        slot = slots[int(place[1])]
        return slot.model_column if place[2] == "model" else slot.text_column
    if field in cells:
        return field
    model = field.removeprefix("responses.")
    return next(
        (s.text_column for s in slots if normalize_name(str(s.model or "")) == model), field
    )

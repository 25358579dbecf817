"""JSON Lines and JSON arrays to rows; refused where a value would be lost silently."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from arena.events.importing.reading.formats.json_elements import iterate_elements
from arena.events.importing.reading.formats.json_layouts import refuse_other_layouts
from arena.events.importing.reading.rows import MAX_COLUMNS, MAX_ROW_BYTES, ROW_TOO_LONG, Row
from arena.events.importing.report import LineError


def read_jsonl(stream: BinaryIO) -> Iterator[Row | LineError]:
    """One JSON object a line; empty lines are passed over."""
    number, is_first = 0, True
    while line := stream.readline(MAX_ROW_BYTES + 1):
        number += 1
        if len(line) > MAX_ROW_BYTES and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_ROW_BYTES)
            yield LineError(number, "", f"The line {ROW_TOO_LONG}.")
        elif not line.isspace():
            row = parse_json_row(number, line)
            if is_first and isinstance(row, Row):
                refuse_other_layouts(number, row.data)
            is_first = False
            yield row


def read_json(stream: BinaryIO) -> Iterator[Row | LineError]:
    """The objects of a JSON array, or of `{"records": [...]}`."""
    for index, (line, element) in enumerate(iterate_elements(stream, MAX_ROW_BYTES)):
        if element is None:
            yield LineError(line, f"[{index}]", ROW_TOO_LONG)
        else:
            yield parse_json_row(line, element, f"[{index}]")


def parse_json_row(line: int, raw: bytes, place: str = "") -> Row | LineError:
    """Parse one object; `place` says which of an array it is.

    Bytes that are not UTF-8 become lone surrogates, which the check of the field finds: so the
    error names the field.
    """
    try:
        data = DECODER.decode(raw.decode(errors="surrogateescape").strip())
    except json.JSONDecodeError as error:
        if b"\x00" in raw:
            return LineError(line, place, f"holds a NUL byte (byte {raw.index(0) + 1})")
        return LineError(line, place, f"is not JSON: {error.msg}, column {error.colno}")
    except RecursionError:
        return LineError(line, place, "is nested too deeply")
    except ValueError as error:
        return LineError(line, place, f"is not acceptable JSON: {error}")
    if isinstance(data, dict) and len(data) <= MAX_COLUMNS:
        return Row(line, data, f"{place}." if place else "")
    too_many = f"has more than {MAX_COLUMNS:,} keys"
    return LineError(
        line, place, too_many if isinstance(data, dict) else "must be a JSON object: {…}"
    )


def refuse_constant(name: str) -> float:
    """NaN and Infinity are not JSON, and no database stores them."""
    raise ValueError(f"{name} is not a number that JSON knows")


def parse_finite_float(digits: str) -> float:
    """A float, but for those that overflow."""
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{digits} is too large a number")
    return number


def refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, refusing a key that is there twice: one of the two would be lost silently."""
    data = dict(pairs)
    if len(data) < len(pairs):
        twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise ValueError(f"the key {twice[:100]!r} appears twice")
    return data


DECODER = json.JSONDecoder(
    parse_constant=refuse_constant,
    parse_float=parse_finite_float,
    object_pairs_hook=refuse_repeated_keys,
)

"""JSON that lists columns instead of rows, or keeps its rows inside one object.

Programs write so when nobody tells them otherwise; each is told in one sentence what to do.
"""

from collections.abc import Mapping
from typing import Any

from arena.events.importing.reading.formats.json_elements import ONE_OBJECT_MESSAGE
from arena.events.importing.report import UnreadableFileError

BY_COLUMN_MESSAGE = (
    "The file lists columns, not rows. Write one object a record; with pandas, "
    'to_json("records.jsonl", orient="records", lines=True).'
)
# Under which others keep their rows.
ROW_KEYS = ("data", "rows", "items", "examples", "instances", "results", "samples")


def refuse_other_layouts(line: int, data: Mapping[str, Any]) -> None:
    """Raise `UnreadableFileError` where the first object of a file is no row."""
    if is_by_column(data):
        raise UnreadableFileError(line, BY_COLUMN_MESSAGE)
    if is_table(data):
        raise UnreadableFileError(line, ONE_OBJECT_MESSAGE)
    if key := find_row_key(data):
        message = f"The rows stand under “{key}”. Write a list, [{{…}}, {{…}}], or one row a line."
        raise UnreadableFileError(line, message)


def is_table(data: Mapping[str, Any]) -> bool:
    """Whether every value is an object, all with the same keys: rows by identifier."""
    values = list(data.values())
    if len(values) < 2 or not all(isinstance(value, dict) and value for value in values):
        return False
    return all(value.keys() == values[0].keys() for value in values)


def is_by_column(data: Mapping[str, Any]) -> bool:
    """Whether every value holds one column: an object by row number, or a list as long as all."""
    values = list(data.values())
    if is_table(data) and all(key.isdigit() for key in values[0]):
        return True
    if len(values) < 3 or not all(isinstance(value, list) and value for value in values):
        return False
    is_even = all(len(value) == len(values[0]) for value in values)
    return is_even and all(isinstance(item, str) for item in data.get("prompt", [None]))


def find_row_key(data: Mapping[str, Any]) -> str:
    """The key under which an object keeps a list of rows; empty where it is a row itself."""
    others = [value for key, value in data.items() if key not in ROW_KEYS]
    if any(isinstance(value, str) for value in others):
        return ""
    lists = [key for key in ROW_KEYS if isinstance(data.get(key), list)]
    rows = data[lists[0]] if len(lists) == 1 else []
    is_rows = bool(rows) and all(isinstance(row, dict | list) for row in rows)
    return lists[0] if is_rows else ""

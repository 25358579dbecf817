"""The organizer's list of what a file's values mean, as options or as a file of pairs."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from arena.errors import ArenaError
from arena.judging.importing.reading.preferences import (
    explain_not_offered,
    normalize_value,
    parse_word,
)


def read_value_answers(said: Iterable[str]) -> dict[str, str]:
    """Read `["left better=a", "values.csv"]` as one mapping. Raises `ArenaError` and `OSError`."""
    values: dict[str, str] = {}
    for one in said:
        if "=" not in one or Path(one).is_file():
            values |= read_answers_file(Path(one))
        else:
            value, _, answer = one.rpartition("=")
            values[value] = answer
    return normalize_answers(values)


def read_answers_file(path: Path) -> dict[str, str]:
    """Read a JSON object, or a CSV file with two columns: value and answer."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if text.lstrip().startswith("{"):
            return {str(value): str(answer) for value, answer in json.loads(text).items()}
        rows = [row for row in csv.reader(text.splitlines()) if row]
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        message = f"{path} is neither a JSON object nor CSV in UTF-8: {error}"
        raise ArenaError(message, "bad_values") from error
    if wrong := next((row for row in rows if len(row) != 2), None):
        message = f"{path} has a line of {len(wrong)} columns; a value and its answer are two."
        raise ArenaError(message, "bad_values")
    return dict(rows[1:] if rows and rows[0][0].casefold() == "value" else rows)


def normalize_answers(values: Mapping[str, str]) -> dict[str, str]:
    """Normalize the values for comparison. Raises `ArenaError` for an unknown answer."""
    known = {}
    for value, answer in values.items():
        if answer.strip() and parse_word(answer, 7) is None:
            message = f"“{answer}” is no answer: say a, b, tie, both_bad, or a2 and b3 for degrees."
            raise ArenaError(message, "bad_values")
        known[normalize_value(value)] = answer.strip()
    return known


def check_value_answers(values: Mapping[str, str], scale: int, *, both_bad: bool) -> None:
    """Raises `ArenaError` if an event with this scale does not offer one of the answers."""
    for answer in filter(None, values.values()):
        preference = parse_word(answer, scale)
        problem = (
            explain_not_offered(preference, scale, both_bad=both_bad)
            if preference
            else "is no answer here"
        )
        if problem:
            raise ArenaError(f"“{answer}”: {problem}.", "bad_values")

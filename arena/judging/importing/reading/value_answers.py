"""What the values of a file mean, as an organizer says it: pairs, or a file of pairs."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from arena.errors import ArenaError
from arena.judging.importing.reading.preferences import key_of, misfit, verdict_of_word


def read_values(said: Iterable[str]) -> dict[str, str]:
    """`["left better=a", "values.csv"]` as one mapping. Raises `ArenaError` and `OSError`."""
    values: dict[str, str] = {}
    for one in said:
        if "=" not in one or Path(one).is_file():
            values |= values_of_file(Path(one))
        else:
            value, _, answer = one.rpartition("=")
            values[value] = answer
    return normalised(values)


def values_of_file(path: Path) -> dict[str, str]:
    """A JSON object, or a CSV file of two columns: the value and the answer."""
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


def normalised(values: Mapping[str, str]) -> dict[str, str]:
    """Values as they are compared. Raises `ArenaError` where an answer is none."""
    known = {}
    for value, answer in values.items():
        if answer.strip() and verdict_of_word(answer, 7) is None:
            message = f"“{answer}” is no answer: say a, b, tie, both_bad, or a2 and b3 for degrees."
            raise ArenaError(message, "bad_values")
        known[key_of(value)] = answer.strip()
    return known


def check_answers(values: Mapping[str, str], scale: int, *, both_bad: bool) -> None:
    """Raises `ArenaError` where an event of this scale takes no such answer."""
    for answer in filter(None, values.values()):
        verdict = verdict_of_word(answer, scale)
        problem = misfit(verdict, scale, both_bad=both_bad) if verdict else "is no answer here"
        if problem:
            raise ArenaError(f"“{answer}”: {problem}.", "bad_values")

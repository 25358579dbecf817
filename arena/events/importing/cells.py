"""Lines of CSV as records: what a column means, and the column that a field came from."""

import re
from collections.abc import Iterable, Mapping
from string import ascii_lowercase
from typing import Any

from arena.events.importing.checks import Checker, Problem, tidy, unknown
from arena.events.importing.reading import DECODER

COLUMNS = ("external_id", "prompt", "categories", "expected", "reason")
RESPONSE_COLUMN = re.compile(r"(model|response)_([a-z])")
METADATA_COLUMN = re.compile(r"metadata\.(.+)")
# The columns that people and joins go by.
NAMES = frozenset({"external_id", "categories", *(f"model_{letter}" for letter in ascii_lowercase)})
RESPONSE_FIELD = re.compile(r"responses\[(\d+)\]\.(model|text)")


def check_columns(columns: Iterable[str]) -> None:
    """Refuse columns that mean nothing, once for the whole file. Raises `InvalidRow`."""
    check = Checker()
    columns = list(columns)
    known = [*COLUMNS, "model_a", "response_a", "model_b", "response_b", "model_c", "response_c"]
    for column in columns:
        is_known = column in COLUMNS or RESPONSE_COLUMN.fullmatch(column)
        if not is_known and not METADATA_COLUMN.fullmatch(column):
            check.refuse(column, unknown(column, known))
    for column in ("prompt", "response_a"):
        if column not in columns:
            check.refuse(column, "this column is missing")
    check.finish()


def record_of_cells(cells: Mapping[str, str]) -> dict[str, Any]:
    """The JSON object that a line of CSV stands for; an empty cell says nothing."""
    record: dict[str, Any] = {"prompt": prompt_of_cell(cells.get("prompt", ""))}
    if cells.get("external_id"):
        record["external_id"] = cells["external_id"]
    if "categories" in cells:
        record["categories"] = categories_of_cell(cells["categories"])
    metadata = {
        match[1]: value
        for name, value in cells.items()
        if value and (match := METADATA_COLUMN.fullmatch(name))
    }
    if metadata:
        record["metadata"] = metadata
    if cells.get("expected") or cells.get("reason"):
        record["control"] = {"expected": cells.get("expected", ""), "reason": cells.get("reason")}
    record["responses"] = [
        {"model": cells.get(f"model_{letter}") or None, "text": cells.get(f"response_{letter}", "")}
        for letter in letters_of(cells)
    ]
    return record


def letters_of(cells: Mapping[str, str]) -> list[str]:
    """The letters of the responses given; a named model's empty cell is an empty text."""
    letters = {
        m[2] for name, cell in cells.items() if cell and (m := RESPONSE_COLUMN.fullmatch(name))
    }
    return sorted(letters)


def prompt_of_cell(cell: str) -> Any:
    """A conversation where the cell holds one as JSON, a list of turns; else the text itself."""
    turns = json_list(cell)
    is_conversation = turns and all(isinstance(turn, dict) and "role" in turn for turn in turns)
    return turns if is_conversation else cell


def categories_of_cell(cell: str) -> list[Any]:
    """Categories as a JSON list, or separated by semicolons."""
    listed = json_list(cell)
    if listed is not None:
        return listed
    return [name for part in cell.split(";") if (name := part.strip())]


def json_list(cell: str) -> list[Any] | None:
    """The list that a cell holds as JSON; None where it is any other text."""
    if not cell.lstrip().startswith("["):
        return None
    try:
        value = DECODER.decode(cell.strip())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def doubts_of_cells(cells: Mapping[str, str]) -> list[Problem]:
    """What can be taken as it stands, and was probably meant otherwise."""
    doubts = []
    prompt, categories = cells.get("prompt", ""), cells.get("categories", "")
    if re.match(r"\s*\[\s*\{\s*['\"]role", prompt) and prompt_of_cell(prompt) is prompt:
        doubts.append(Problem("prompt", "looks like a conversation, but is not JSON; kept as text"))
    for name in categories_of_cell(categories) if json_list(categories) is None else ():
        if re.search("[,|]", name):
            message = f"only ; separates categories, so “{name}” is one"
            doubts.append(Problem("categories", message))
    return doubts


def meaning_of(field: str, cells: Mapping[str, str]) -> str:
    """The column, by its meaning, that a record's field came from."""
    letters = letters_of(cells)
    if response := RESPONSE_FIELD.fullmatch(field):
        word = "model" if response[2] == "model" else "response"
        return f"{word}_{letters[int(response[1])]}"
    if field == "responses":  # their number: the first one that is missing, else the last
        columns = sorted(name for name in cells if name.startswith("response_"))
        missing = (name for name in columns if name[-1] not in letters)
        return next(missing, columns[-1] if columns else "response_a")
    if field.startswith("responses."):
        model = field.removeprefix("responses.")
        named = (letter for letter in letters if tidy(cells.get(f"model_{letter}", "")) == model)
        return f"response_{next(named, letters[0])}"
    if field.startswith("control"):
        return field.partition(".")[2] or "expected"
    return field if field.startswith("metadata.") else field.partition("[")[0]

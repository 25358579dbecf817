"""One parser of a record, for files, the upload page and the API alike.

`parse_record` takes a JSON object; `cells` turns a line of CSV into one. Nothing here knows an
event: what a record may change is checked where it is compared with what is there.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from arena.events.importing.checking.checks import Checker, json_type
from arena.events.importing.reading.conversations import (
    extract_answer,
    find_shared_prompt,
    is_messages,
    is_parts,
    pair_turns,
    parse_content,
    parse_turns,
)

RECORD_KEYS = ("external_id", "prompt", "responses", "categories", "metadata", "control")
KEYED_RESPONSES = 2
"""A control's key is about the first two responses listed; further ones make companion pairs."""
MAX_EXTERNAL_ID, MAX_MODEL_NAME, MAX_CATEGORY_NAME = 200, 120, 80  # longest, in characters
MAX_RESPONSES, MAX_RECORD_CATEGORIES = 1_000, 20
SEPARATED_LIST = re.compile(r"\S\s*[;|]\s*\S|\w,\s*\w")
EMPTY_RESPONSE = "is empty, so that this model has no response here"


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """One response as a file gives it; no model: written for a control's record."""

    model: str | None
    text: str


@dataclass(frozen=True, slots=True)
class ControlRow:
    """The known answer about the first two responses listed: the index of the right one, or None
    for a tie."""

    expected: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record as a file gives it. None: the file says nothing about it, so it stays as it is."""

    external_id: str
    prompt: list[dict[str, str]]
    responses: tuple[ResponseRow, ...]
    categories: tuple[str, ...] | None = None
    metadata: dict[str, Any] | None = None
    control: ControlRow | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is kept until it is written (`dataclasses.asdict` takes ten times as long)."""
        control = self.control
        return {
            "external_id": self.external_id,
            "prompt": self.prompt,
            "responses": [[response.model, response.text] for response in self.responses],
            "categories": self.categories,
            "metadata": self.metadata,
            "control": [control.expected, control.reason] if control else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `checked_to_json`."""
        return cls(
            external_id=data["external_id"],
            prompt=data["prompt"],
            responses=tuple(ResponseRow(*response) for response in data["responses"]),
            categories=None if data["categories"] is None else tuple(data["categories"]),
            metadata=data["metadata"],
            control=ControlRow(*data["control"]) if data["control"] else None,
        )


@dataclass(frozen=True, slots=True)
class ListedResponse:
    """A response as it stands in the file, and where."""

    model: str | None
    value: Any
    field: str
    # Whether it stands under its model's name, and not in a list.
    is_keyed: bool = False


def parse_record(data: Mapping[str, Any]) -> RecordRow:
    """Check a record's every field. Raises `InvalidRowError` naming all that are wrong."""
    check = Checker()
    check.check_keys(data, RECORD_KEYS)
    record = parse_fields(data, check)
    check.raise_problems()
    return record


def parse_fields(
    data: Mapping[str, Any], check: Checker, *, allows_nobody: bool = False
) -> RecordRow:
    """A record of the fields that are known; doubts stay with the checker. Raises `InvalidRowError`
    where so much is missing that nothing else can be said.

    allows_nobody: responses need no model where there is no control either.
    """
    check_required(data, check)
    listed = parse_responses(data["responses"], check)
    prompt, responses = parse_texts(data.get("prompt"), listed, check)
    categories = parse_categories(data.get("categories"), check)
    metadata = data.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        check.refuse("metadata", f"must be an object, not {json_type(metadata)}")
    check.check_json(metadata, "metadata")
    control = parse_control(data.get("control"), responses, check)
    if control is None and not allows_nobody:
        check_models(listed, check)
    external_id = parse_external_id(data.get("external_id"), check)
    check.raise_problems()
    if not external_id:
        external_id = derive_id(prompt, responses, is_control=control is not None)
    return RecordRow(external_id, prompt, responses, categories, metadata, control)


def check_required(data: Mapping[str, Any], check: Checker) -> None:
    """Refuse a row without a prompt or responses, in one sentence. Raises `InvalidRowError`."""
    responses = data.get("responses")
    found = describe_other_keys(data, check)
    if data.get("prompt") is None and not any(map(is_messages, list_response_values(responses))):
        check.problems.clear()
        message = "is missing"
        if responses is None:
            message += ", and so are the responses with the names of their models"
        check.refuse("prompt", f"{message}{found}")
        check.raise_problems()
    if responses is None:
        check.refuse("responses", "is missing")
        check.raise_problems()


def describe_other_keys(data: Mapping[str, Any], check: Checker) -> str:
    """What a row says beside a record's own keys, for whoever looks for a missing one."""
    metadata = data.get("metadata")
    names = [*data, *(problem.field for problem in check.problems)]
    names += metadata if isinstance(metadata, dict) else ()
    found = ", ".join(str(name) for name in dict.fromkeys(names) if name not in RECORD_KEYS)
    return f"; found are {found}" if found else ""


def list_response_values(responses: object) -> list[Any]:
    """What stands where the texts of responses should be."""
    if isinstance(responses, dict):
        return list(responses.values())
    items = responses if isinstance(responses, list) else []
    return [item.get("text") for item in items if isinstance(item, dict)]


def check_models(listed: Sequence[ListedResponse], check: Checker) -> None:
    """Every response but a control's says whose it is."""
    nameless = [one for one in listed if one.model is None]
    if len(nameless) == len(listed) > 1:
        message = "is missing, as are all names of models; only a control's responses may have none"
        check.refuse(f"{listed[0].field}.model", message)
        return
    for one in nameless:
        message = "is missing; only a control's responses may have no model"
        check.refuse(f"{one.field}.model", message)


def parse_external_id(value: object, check: Checker) -> str:
    """The organizer's identifier, empty where there is none; a whole number will do."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None or value == "":
        return ""
    return check.check_name(value, "external_id", MAX_EXTERNAL_ID)


def derive_id(
    prompt: list[dict[str, str]], responses: Iterable[ResponseRow], *, is_control: bool
) -> str:
    """An identifier from what makes the record this one: its prompt and whose responses it has.

    The texts stay outside, so that a corrected response is an update; but for the two that a
    control's key is about, which often have nothing else to tell them apart.
    """
    told_by = list(responses)[:KEYED_RESPONSES] if is_control else responses
    whose = sorted([r.model or "", r.text if is_control else ""] for r in told_by)
    canonical = json.dumps([prompt, whose, is_control], sort_keys=True)
    return f"auto-{hashlib.sha256(canonical.encode()).hexdigest()[:24]}"


def parse_texts(
    prompt: Any, listed: Sequence[ListedResponse], check: Checker
) -> tuple[list[dict[str, str]], tuple[ResponseRow, ...]]:
    """The prompt as turns, and the responses as texts.

    Where no prompt is given, it is what the responses' conversations have in common.
    """
    prompt, values = pair_turns(prompt, [one.value for one in listed])
    conversations = [
        parse_turns(value, one.field, check, is_answer=True) if is_messages(value) else None
        for one, value in zip(listed, values, strict=True)
    ]
    if prompt is not None:
        turns = parse_prompt(prompt, check)
    elif any(one is None for one in conversations):
        check.refuse("prompt", "is missing")
        turns = []
    else:
        turns = find_shared_prompt([one for one in conversations if one])
        if not turns and not check.problems:
            check.refuse("prompt", "is missing, and the conversations have no beginning in common")
    responses = []
    for one, value, said in zip(listed, values, conversations, strict=True):
        place = one.field if said is not None or one.is_keyed else f"{one.field}.text"
        if said is not None:
            text = "" if check.problems else extract_answer(said, turns, place, check)
        elif is_parts(value):
            text = parse_content(value, place, check)
        else:
            text = check.check_text(value, place)
        responses.append(ResponseRow(one.model, text))
    return turns, tuple(responses)


def parse_prompt(value: object, check: Checker) -> list[dict[str, str]]:
    """A prompt as turns; a string is one turn of the user's."""
    if isinstance(value, str) or is_parts(value):
        text = parse_content(value, "prompt", check)
        if not text.strip() and not check.has_problem("prompt"):
            check.refuse("prompt", "must not be empty")
        return [{"role": "user", "content": text}]
    if not isinstance(value, list):
        check.refuse("prompt", f"must be text or a list of turns, not {json_type(value)}")
        return []
    turns = parse_turns(value, "prompt", check)
    if turns and turns[-1]["role"] in ("system", "developer", "assistant"):
        check.refuse(f"prompt[{len(turns) - 1}].role", "the last turn must be the user's")
    return turns


def parse_responses(value: object, check: Checker) -> list[ListedResponse]:
    """Responses as `{model: text}` or as a list of `{"model", "text"}`, in the order listed;
    a null is no response."""
    if isinstance(value, dict):
        listed = [
            ListedResponse(
                check.check_name(model, "responses", MAX_MODEL_NAME),
                text,
                f"responses.{model}",
                True,
            )
            for model, text in value.items()
        ]
    elif isinstance(value, list):
        listed = [
            parse_response(item, f"responses[{index}]", check) for index, item in enumerate(value)
        ]
    else:
        check.refuse("responses", f"must be an object or a list, not {json_type(value)}")
        return []
    for one in listed:
        if one.value is None:
            check.doubt("empty_response", one.field, EMPTY_RESPONSE)
    listed = [one for one in listed if one.value is not None]
    if not 1 <= len(listed) <= MAX_RESPONSES:
        check.refuse("responses", f"must hold between 1 and {MAX_RESPONSES} responses")
    models: set[str] = set()
    for one in listed:
        if one.model and one.model in models:
            field = "responses" if isinstance(value, dict) else f"{one.field}.model"
            check.refuse(field, f"there are two responses of {one.model}")
        models.add(one.model or "")
    return listed


def parse_response(item: object, field: str, check: Checker) -> ListedResponse:
    """One response of a list."""
    if not isinstance(item, dict):
        check.refuse(field, f'must be {{"model", "text"}}, not {json_type(item)}')
        return ListedResponse(None, "", field)
    model = item.get("model")
    if "text" not in item:
        found = ", ".join(str(key) for key in item if key != "model")
        found = f'; it must be called "text"; found are {found}' if found else ""
        check.refuse(f"{field}.text", f"is missing{found}")
    else:
        check.check_keys(item, ("model", "text"), f"{field}.")
    return ListedResponse(
        None if model is None else check.check_name(model, f"{field}.model", MAX_MODEL_NAME),
        item.get("text", ""),
        field,
    )


def parse_categories(value: object, check: Checker) -> tuple[str, ...] | None:
    """Categories as a list or one string; the same one twice is once."""
    if value is None:
        return None
    if isinstance(value, str):
        if SEPARATED_LIST.search(value):
            message = f"“{value}” is taken as one category; write a list of several"
            check.doubt("categories", "categories", message)
        value = [value]
    if not isinstance(value, list):
        check.refuse("categories", f"must be a list of text, not {json_type(value)}")
        return None
    if len(value) > MAX_RECORD_CATEGORIES:
        check.refuse("categories", f"must hold at most {MAX_RECORD_CATEGORIES} categories")
        return None
    names: dict[str, str] = {}
    for index, item in enumerate(value):
        name = check.check_name(item, f"categories[{index}]", MAX_CATEGORY_NAME)
        names.setdefault(name.casefold(), name)
    return tuple(names.values())


def parse_control(
    value: object, responses: tuple[ResponseRow, ...], check: Checker
) -> ControlRow | None:
    """The known answer: a or b for the first or second response listed, tie, or the name of the
    model of one of these two."""
    if value is None:
        return None
    if not isinstance(value, dict):
        check.refuse("control", f'must be {{"expected", "reason"}}, not {json_type(value)}')
        return None
    check.check_keys(value, ("expected", "reason"), "control.")
    if len(responses) < KEYED_RESPONSES:
        check.refuse("responses", f"a control has two responses or more, not {len(responses)}")
    reason = value.get("reason")
    reason = "" if reason is None else check.check_text(reason, "control.reason")
    expected = check.check_text(value.get("expected"), "control.expected").strip()
    return ControlRow(parse_expected(expected, responses[:KEYED_RESPONSES], check), reason)


def parse_expected(expected: str, responses: tuple[ResponseRow, ...], check: Checker) -> int | None:
    """The index of that of two responses which is right; None for a tie, and where it was
    refused."""
    letters: dict[str, int | None] = {"a": 0, "b": 1, "tie": None}
    models = {response.model: index for index, response in enumerate(responses) if response.model}
    if expected in letters and models.get(expected, letters[expected]) != letters[expected]:
        check.refuse("control.expected", f"{expected} is also the other model's name: ambiguous")
    if expected in letters:
        return letters[expected]
    if expected not in models and not check.has_problem("control.expected"):
        names = "".join(f" or {model}" for model in models)
        check.refuse("control.expected", f"must be a, b, tie{names}")
    return models.get(expected)

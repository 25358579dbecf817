"""One parser of a record, for files, the upload page and the API alike.

`parse_record` takes a JSON object; `cells` turns a line of CSV into one. Nothing here knows an
event: what a record may change is checked where it is compared with what is there.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from arena.events.importing.checks import Checker, kind_of

KEYS = ("external_id", "prompt", "responses", "categories", "metadata", "control")
ROLES = ("system", "user", "assistant")
EXTERNAL_ID, MODEL, CATEGORY = 200, 120, 80  # longest, in characters
MOST_RESPONSES, MOST_TURNS, MOST_CATEGORIES = 1_000, 200, 20


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """One response as a file gives it; no model: written for a control."""

    model: str | None
    text: str


@dataclass(frozen=True, slots=True)
class ControlRow:
    """The known answer: the index of the right response as listed, or None for a tie."""

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
        """The inverse of `as_json`."""
        return cls(
            external_id=data["external_id"],
            prompt=data["prompt"],
            responses=tuple(ResponseRow(*response) for response in data["responses"]),
            categories=None if data["categories"] is None else tuple(data["categories"]),
            metadata=data["metadata"],
            control=ControlRow(*data["control"]) if data["control"] else None,
        )


def parse_record(data: Mapping[str, Any]) -> RecordRow:
    """Check a record's every field. Raises `InvalidRow` naming all that are wrong."""
    check = Checker()
    check.keys(data, KEYS)
    for key in ("prompt", "responses"):
        if data.get(key) is None:
            check.refuse(key, "is missing")
    check.finish()
    prompt = prompt_of(data["prompt"], check)
    responses = responses_of(data["responses"], check)
    categories = categories_of(data.get("categories"), check)
    metadata = data.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        check.refuse("metadata", f"must be an object, not {kind_of(metadata)}")
    check.tree(metadata, "metadata")
    control = control_of(data.get("control"), responses, check)
    if control is None:
        for index, response in enumerate(responses):
            if response.model is None:
                message = "is missing; only a control's responses may have no model"
                check.refuse(f"responses[{index}].model", message)
    external_id = external_id_of(data.get("external_id"), check)
    check.finish()
    if not external_id:
        external_id = derived_id(prompt, responses, is_control=control is not None)
    return RecordRow(external_id, prompt, responses, categories, metadata, control)


def external_id_of(value: object, check: Checker) -> str:
    """The organizer's identifier, empty where there is none; a whole number will do."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None or value == "":
        return ""
    return check.name(value, "external_id", EXTERNAL_ID)


def derived_id(
    prompt: list[dict[str, str]], responses: Iterable[ResponseRow], *, is_control: bool
) -> str:
    """An identifier from what makes the record this one: its prompt and whose responses it has.

    The texts stay outside, so that a corrected response is an update; but for controls, which
    often have nothing else to tell them apart.
    """
    whose = sorted([r.model or "", r.text if is_control else ""] for r in responses)
    canonical = json.dumps([prompt, whose, is_control], sort_keys=True)
    return f"auto-{hashlib.sha256(canonical.encode()).hexdigest()[:24]}"


def prompt_of(value: object, check: Checker) -> list[dict[str, str]]:
    """A prompt as turns; a string is one turn of the user's."""
    if isinstance(value, str):
        text = check.text(value, "prompt")
        if not text.strip() and not check.has("prompt"):
            check.refuse("prompt", "must not be empty")
        return [{"role": "user", "content": text}]
    if not isinstance(value, list):
        check.refuse("prompt", f"must be text or a list of turns, not {kind_of(value)}")
        return []
    if not 1 <= len(value) <= MOST_TURNS:
        check.refuse("prompt", f"must have between 1 and {MOST_TURNS} turns")
        return []
    turns = [turn_of(turn, f"prompt[{index}]", check) for index, turn in enumerate(value)]
    if turns[-1]["role"] in ("system", "assistant"):
        check.refuse(f"prompt[{len(turns) - 1}].role", "the last turn must be the user's")
    return turns


def turn_of(turn: object, field: str, check: Checker) -> dict[str, str]:
    """One turn of a conversation."""
    if not isinstance(turn, dict):
        check.refuse(field, f'must be {{"role", "content"}}, not {kind_of(turn)}')
        return {"role": "", "content": ""}
    check.keys(turn, ("role", "content"), f"{field}.")
    role = turn.get("role")
    if role not in ROLES:
        check.refuse(f"{field}.role", "must be one of system, user, assistant")
    content = check.text(turn.get("content"), f"{field}.content")
    if not content.strip() and not check.has(f"{field}.content"):
        check.refuse(f"{field}.content", "must not be empty")
    return {"role": str(role), "content": content}


def responses_of(value: object, check: Checker) -> tuple[ResponseRow, ...]:
    """Responses as `{model: text}` or as a list of `{"model", "text"}`, in the order listed."""
    if isinstance(value, dict):
        listed = [
            ResponseRow(
                check.name(model, "responses", MODEL), check.text(text, f"responses.{model}")
            )
            for model, text in value.items()
        ]
    elif isinstance(value, list):
        listed = [
            response_of(item, f"responses[{index}]", check) for index, item in enumerate(value)
        ]
    else:
        check.refuse("responses", f"must be an object or a list, not {kind_of(value)}")
        return ()
    if not 1 <= len(listed) <= MOST_RESPONSES:
        check.refuse("responses", f"must hold between 1 and {MOST_RESPONSES} responses")
    models: set[str] = set()
    for index, response in enumerate(listed):
        if response.model and response.model in models:
            field = "responses" if isinstance(value, dict) else f"responses[{index}].model"
            check.refuse(field, f"there are two responses of {response.model}")
        models.add(response.model or "")
    return tuple(listed)


def response_of(item: object, field: str, check: Checker) -> ResponseRow:
    """One response of a list."""
    if not isinstance(item, dict):
        check.refuse(field, f'must be {{"model", "text"}}, not {kind_of(item)}')
        return ResponseRow(None, "")
    check.keys(item, ("model", "text"), f"{field}.")
    if "text" not in item:
        check.refuse(f"{field}.text", "is missing")
    model = item.get("model")
    return ResponseRow(
        None if model is None else check.name(model, f"{field}.model", MODEL),
        check.text(item.get("text", ""), f"{field}.text"),
    )


def categories_of(value: object, check: Checker) -> tuple[str, ...] | None:
    """Categories as a list or one string; the same one twice is once."""
    if value is None:
        return None
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        check.refuse("categories", f"must be a list of text, not {kind_of(value)}")
        return None
    if len(value) > MOST_CATEGORIES:
        check.refuse("categories", f"must hold at most {MOST_CATEGORIES} categories")
        return None
    names: dict[str, str] = {}
    for index, item in enumerate(value):
        name = check.name(item, f"categories[{index}]", CATEGORY)
        names.setdefault(name.casefold(), name)
    return tuple(names.values())


def control_of(
    value: object, responses: tuple[ResponseRow, ...], check: Checker
) -> ControlRow | None:
    """The known answer: a or b for the first or second response listed, tie, or a model's name."""
    if value is None:
        return None
    if not isinstance(value, dict):
        check.refuse("control", f'must be {{"expected", "reason"}}, not {kind_of(value)}')
        return None
    check.keys(value, ("expected", "reason"), "control.")
    if len(responses) != 2:
        check.refuse("responses", f"a control has two responses, not {len(responses)}")
    reason = value.get("reason")
    reason = "" if reason is None else check.text(reason, "control.reason")
    expected = check.text(value.get("expected"), "control.expected").strip()
    return ControlRow(expected_of(expected, responses, check), reason)


def expected_of(expected: str, responses: tuple[ResponseRow, ...], check: Checker) -> int | None:
    """The index of the response that is right; None for a tie, and where it was refused."""
    letters: dict[str, int | None] = {"a": 0, "b": 1, "tie": None}
    models = {response.model: index for index, response in enumerate(responses) if response.model}
    if expected in letters and models.get(expected, letters[expected]) != letters[expected]:
        check.refuse("control.expected", f"{expected} is also the other model's name: ambiguous")
    if expected in letters:
        return letters[expected]
    if expected not in models and not check.has("control.expected"):
        names = "".join(f" or {model}" for model in models)
        check.refuse("control.expected", f"must be a, b, tie{names}")
    return models.get(expected)

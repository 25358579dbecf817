"""Conversations as files give them: lists of messages, content in parts, lists of turns.

A prompt is stored as messages, a response as one text. A response of several turns is written
out as one: the person's next messages stand between the answers.
"""

from collections.abc import Sequence
from typing import Any

from arena.events.importing.checking.checks import Checker, json_type

ROLES = ("system", "developer", "user", "assistant", "tool")
MAX_TURNS = 200
# What a message may say beside its role and content; nothing of it is shown.
HIDDEN_KEYS = frozenset({"name", "tool_call_id", "id"})
TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
TURN_SEPARATOR = "\n\n---\n\n"
Message = dict[str, str]


def is_messages(value: object) -> bool:
    """Whether this is a list of messages, or one."""
    if isinstance(value, dict):
        return "role" in value
    return isinstance(value, list) and bool(value) and all(is_message(item) for item in value)


def is_message(value: object) -> bool:
    """Whether this is one message."""
    return isinstance(value, dict) and "role" in value


def is_parts(value: object) -> bool:
    """Whether this is content in parts, `[{"type": "text", "text": …}]`."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and "type" in item and "role" not in item for item in value)
    )


def is_turns(value: object) -> bool:
    """Whether this is a list of texts, one a turn; null where nothing was answered."""
    return (
        isinstance(value, list)
        and bool(value)
        and isinstance(value[0], str)
        and all(item is None or isinstance(item, str) for item in value)
    )


def pair_turns(prompt: object, answers: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Where the prompt is a list of a person's turns and every response one of as many answers:
    no prompt, and each response as the messages of its conversation. Else both as they are."""
    given = [answer for answer in answers if answer not in (None, "")]
    if not is_turns(prompt) or not given:
        return prompt, list(answers)
    assert isinstance(prompt, list)
    if not all(is_turns(answer) and len(answer) == len(prompt) for answer in given):
        return prompt, list(answers)
    return None, [
        answer if answer in (None, "") else build_conversation(prompt, answer) for answer in answers
    ]


def build_conversation(
    asked: Sequence[str | None], answered: Sequence[str | None]
) -> list[Message]:
    """Questions and answers as alternating messages of user and assistant."""
    turns = []
    for question, answer in zip(asked, answered, strict=True):
        turns.append({"role": "user", "content": question or ""})
        turns.append({"role": "assistant", "content": answer or ""})
    return turns


def parse_turns(
    value: Any, field: str, check: Checker, *, is_answer: bool = False
) -> list[Message]:
    """Check every message of a conversation."""
    messages = [value] if isinstance(value, dict) else value
    if not 1 <= len(messages) <= MAX_TURNS:
        check.refuse(field, f"must have between 1 and {MAX_TURNS} turns")
        return []
    return [
        parse_turn(turn, f"{field}[{index}]", check, is_answer=is_answer)
        for index, turn in enumerate(messages)
    ]


def parse_turn(turn: object, field: str, check: Checker, *, is_answer: bool = False) -> Message:
    """One message of a conversation; an answer may be empty."""
    if not isinstance(turn, dict):
        check.refuse(field, f'must be {{"role", "content"}}, not {json_type(turn)}')
        return {"role": "", "content": ""}
    said = {key: value for key, value in turn.items() if value not in (None, "", [], {})}
    check.check_keys(
        {key: said[key] for key in said if key not in HIDDEN_KEYS}, ("role", "content"), f"{field}."
    )
    role = turn.get("role")
    if role not in ROLES:
        check.refuse(f"{field}.role", f"must be one of {', '.join(ROLES)}")
    content = parse_content(turn.get("content"), f"{field}.content", check)
    is_answered = is_answer and role == "assistant"
    if not content.strip() and not is_answered and not check.has_problem(f"{field}.content"):
        check.refuse(f"{field}.content", "must not be empty")
    return {"role": str(role), "content": content}


def parse_content(value: object, field: str, check: Checker) -> str:
    """A message's text; of content in parts the texts, and nothing but texts."""
    if not is_parts(value):
        return check.check_text(value, field)
    assert isinstance(value, list)
    texts = []
    for index, part in enumerate(value):
        if part["type"] in TEXT_PARTS:
            texts.append(check.check_text(part.get("text"), f"{field}[{index}].text"))
        else:
            message = f"is of type {str(part['type'])[:40]}; only texts can be shown"
            check.refuse(f"{field}[{index}]", message)
    return "\n\n".join(texts)


def find_shared_prompt(conversations: Sequence[list[Message]]) -> list[Message]:
    """The messages with which all of these conversations begin, to the last one that wants an
    answer; empty where they share none."""
    shared: list[Message] = []
    for turns in zip(*conversations, strict=False):
        if any(turn != turns[0] for turn in turns):
            break
        shared.append(turns[0])
    shortest = min(map(len, conversations), default=0)
    shared = shared[: shortest - 1] if shortest else []
    while shared and shared[-1]["role"] not in ("user", "tool"):
        shared.pop()
    return shared


def extract_answer(
    turns: Sequence[Message], prompt: Sequence[Message], field: str, check: Checker
) -> str:
    """The text of a response given as messages, which may begin with the prompt's."""
    rest = list(turns)
    if rest[: len(prompt)] == list(prompt):
        rest = rest[len(prompt) :]
    if not rest or rest[0]["role"] != "assistant":
        check.refuse(field, "is a conversation that does not begin as the prompt does")
        return ""
    if rest[-1]["role"] != "assistant":
        check.refuse(field, "is a conversation whose last message is not the model's")
        return ""
    if len(rest) > 1 and not all(turn["content"].strip() for turn in rest):
        message = "has an empty answer in one of its turns; people will see a gap there"
        check.doubt("blank_response", field, message)
    parts = [
        turn["content"]
        if turn["role"] == "assistant"
        else f"*{turn['role'].capitalize()}:*\n\n{turn['content']}"
        for turn in rest
    ]
    return TURN_SEPARATOR.join(parts)

"""Free text: a comment, a reason."""

import unicodedata
from collections.abc import Sequence

from arena.questions.base import (
    Choice,
    InvalidAnswer,
    Settings,
    Value,
)

MAX_LENGTH = 2000


class Text:
    """Free text of at most `settings["max_length"]` characters. Value: `{"text": str}`."""

    name = "text"

    def choices(self, settings: Settings) -> list[Choice]:
        return []

    def check_answer(self, settings: Settings, raw: str, order: Sequence[int]) -> Value | None:
        text = unicodedata.normalize("NFC", raw.replace("\r\n", "\n")).strip()
        if "\x00" in text:
            raise InvalidAnswer("The text holds a character that cannot be stored (NUL).")
        longest = settings.get("max_length", MAX_LENGTH)
        if len(text) > longest:
            raise InvalidAnswer(f"Keep it under {longest:,} characters (it has {len(text):,}).")
        return {"text": text} if text else None

    def shown(self, value: Value, order: Sequence[int]) -> str:
        return str(value["text"])

    def check_key(self, raw: object) -> Value:
        raise InvalidAnswer("a text has no expected answer")

    def credit(self, value: Value, key: Value) -> float | None:
        return None

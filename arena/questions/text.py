"""Free text: a comment, a reason."""

import unicodedata
from collections.abc import Sequence

from arena.questions.base import (
    InvalidAnswerError,
    ScaleOption,
    Settings,
    Value,
)

MAX_TEXT_LENGTH = 2000


class TextKind:
    """Free text of at most `settings["max_length"]` characters. Value: `{"text": str}`."""

    name = "text"

    def choices(self, settings: Settings) -> list[ScaleOption]:
        return []

    def check_answer(self, settings: Settings, raw: str, order: Sequence[int]) -> Value | None:
        text = unicodedata.normalize("NFC", raw.replace("\r\n", "\n")).strip()
        if "\x00" in text:
            raise InvalidAnswerError("The text holds a character that cannot be stored (NUL).")
        longest = settings.get("max_length", MAX_TEXT_LENGTH)
        if len(text) > longest:
            raise InvalidAnswerError(
                f"Keep it under {longest:,} characters (it has {len(text):,})."
            )
        return {"text": text} if text else None

    def to_form_value(self, value: Value, order: Sequence[int]) -> str:
        return str(value["text"])

    def check_key(self, raw: object) -> Value:
        raise InvalidAnswerError("a text has no expected answer")

    def credit(self, value: Value, key: Value) -> float | None:
        return None

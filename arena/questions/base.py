"""The interface of every kind of question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Settings = Mapping[str, Any]
Value = dict[str, Any]


class InvalidAnswerError(ValueError):
    """The answer is not valid; the message is for the contributor."""


@dataclass(frozen=True)
class ScaleOption:
    """One segment of a scale as it is shown: posted value, label, short label and key."""

    value: str
    label: str
    short: str
    key: str


class Kind(Protocol):
    """A kind of question. An answer's value is JSON in canonical order, never by side."""

    @property
    def name(self) -> str:
        """The word stored in the database."""

    def check_answer(self, settings: Settings, raw: str, order: Sequence[int]) -> Value | None:
        """Turn what was posted into a value; None is "nothing answered".

        `order` holds the canonical positions (0-based) of the responses as they stood on the
        screen from left to right. Raises `InvalidAnswerError`.
        """

    def to_form_value(self, value: Value, order: Sequence[int]) -> str:
        """The inverse of `check_answer`: what to preselect on a screen with this order."""

    def choices(self, settings: Settings) -> list[ScaleOption]:
        """The segments to show from left to right; empty for kinds without any."""

    def check_key(self, raw: object) -> Value:
        """Turn an imported expected answer into a control's key. Raises `InvalidAnswerError`."""

    def credit(self, value: Value, key: Value) -> float | None:
        """Agreement with a control's key in [0, 1]; None where the kind cannot be scored."""

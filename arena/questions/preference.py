"""Which of two responses is better, and by how much."""

from collections.abc import Sequence
from typing import Any

from arena.questions.base import (
    InvalidAnswerError,
    ScaleOption,
    Settings,
    Value,
)

BOTH_BAD = "both_bad"

# Points of the scale, as outcomes for the left response, from left to right.
SCALES: dict[int, tuple[int, ...]] = {
    2: (1, -1),
    3: (1, 0, -1),
    5: (2, 1, 0, -1, -2),
    7: (3, 2, 1, 0, -1, -2, -3),
}
DEGREES: dict[int, dict[int, str]] = {
    2: {1: "better"},
    3: {1: "better"},
    5: {1: "better", 2: "much better"},
    7: {1: "slightly better", 2: "better", 3: "much better"},
}
# Credit of a tie where one side is right: not wrong, and not what a careful reader answers.
TIE_CREDIT = 0.25


def format_outcome(outcome: int) -> str:
    """The form value of an outcome for the left response: a2, a1, tie, b1, b2."""
    return "tie" if outcome == 0 else f"{'a' if outcome > 0 else 'b'}{abs(outcome)}"


class PreferenceKind:
    """A preference between two responses, graded on a scale of 2, 3, 5 or 7 points.

    Value: `{"outcome": -3..3, "both_bad": bool, "first_on_left": bool | None}`; a positive
    outcome says that the first response in canonical order is better. "Both are bad" is a tie
    that says so. Key: `{"sign": 1 | 0 | -1}`, positive where the first response is right.
    """

    name = "preference"

    def choices(self, settings: Settings) -> list[ScaleOption]:
        degrees = DEGREES[settings["scale"]]
        choices = []
        for key, outcome in enumerate(SCALES[settings["scale"]], start=1):
            if outcome == 0:
                label = short = "Tie"
            else:
                side, degree = "A" if outcome > 0 else "B", degrees[abs(outcome)]
                label, short = f"{side} is {degree}", f"{side} {degree}"
            choices.append(ScaleOption(format_outcome(outcome), label, short, str(key)))
        return choices

    def check_answer(self, settings: Settings, raw: str, order: Sequence[int]) -> Value | None:
        if not raw:
            return None
        first_on_left = order[0] < order[1]
        if raw == BOTH_BAD and settings.get("both_bad"):
            return {"outcome": 0, "both_bad": True, "first_on_left": first_on_left}
        points = {format_outcome(outcome): outcome for outcome in SCALES[settings["scale"]]}
        if raw not in points:
            raise InvalidAnswerError("Choose one of the answers on the scale.")
        outcome = points[raw] if first_on_left else -points[raw]
        return {"outcome": outcome, "both_bad": False, "first_on_left": first_on_left}

    def to_form_value(self, value: Value, order: Sequence[int]) -> str:
        if value["both_bad"]:
            return BOTH_BAD
        return format_outcome(value["outcome"] if order[0] < order[1] else -value["outcome"])

    def check_key(self, raw: object) -> Value:
        signs: dict[Any, int] = {"a": 1, "tie": 0, "b": -1}
        if not isinstance(raw, str) or raw not in signs:
            raise InvalidAnswerError("expected is one of a, b, tie")
        return {"sign": signs[raw]}

    def credit(self, value: Value, key: Value) -> float | None:
        sign = (value["outcome"] > 0) - (value["outcome"] < 0)
        if sign == key["sign"]:
            return 1.0
        return TIE_CREDIT if sign == 0 else 0.0

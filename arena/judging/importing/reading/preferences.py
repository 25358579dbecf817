"""Parsing a preference between two models: words, grades in words, and numbers on a scale.

Words are compared without case, blanks and punctuation: "Model A", "model_a" and "MODEL-A" are
equal. An unknown word is refused, never guessed.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from arena.judging.importing.options import ScaleEnds
from arena.questions.preference import DEGREES, SCALES

SIDE_NOUNS = (
    "",
    "model",
    "response",
    "answer",
    "output",
    "completion",
    "assistant",
    "system",
    "option",
)
WIN_WORDS = ("", "wins", "won", "win", "isbetter", "better")
TIE_WORDS = {
    *("tie", "tied", "ties", "draw", "drawn", "equal", "equallygood", "same", "thesame", "even"),
    *("nopreference", "bothgood", "botharegood", "bothequallygood", "tiebothgood", "goodtie"),
    *("nodifference", "aboutthesame"),
}
BOTH_BAD_WORDS = {
    *("bothbad", "botharebad", "tiebothbad", "bothbadtie", "tiebad", "badtie"),
    *("bothequallybad", "bothpoor", "bothwrong", "botharewrong", "botharepoor", "neitherisgood"),
}
UNKNOWN_SIDE_WORDS = {"", "unknown", "notknown", "na", "none", "null"}
ANSWER_PATTERN = re.compile(r"([ab])([1-3])")
# Answers of judging machines: "A>>B", "[[B>A]]", "A=B".
ARROW_PATTERN = re.compile(r"\[*\s*([ab])\s*(>{1,3}|<{1,3}|=|~=?|≈)\s*([ab])\s*\]*", re.IGNORECASE)
DOUBLE_BRACKET_PATTERN = re.compile(r"\[\[\s*(\w)\s*\]\]")


@dataclass(frozen=True, slots=True)
class VotePreference:
    """A preference between two models; a positive outcome prefers the first.

    by_side: first and second are not model A and model B but the left and the right one.
    """

    outcome: int
    both_bad: bool = False
    by_side: bool = False


TIE, BOTH_ARE_BAD = VotePreference(0), VotePreference(0, both_bad=True)


def normalize_word(text: str) -> str:
    """Lower-case letters and digits only."""
    return "".join(char for char in text.casefold() if char.isalnum())


def build_word_table() -> dict[str, VotePreference]:
    """Every word for a side, a tie, or both bad, with the preference it means."""
    known = {}
    for outcome, names in ((1, ("a", "1", "one", "first")), (-1, ("b", "2", "two", "second"))):
        for name in names:
            for who in SIDE_NOUNS:
                for wins in WIN_WORDS:
                    known[f"{who}{name}{wins}"] = VotePreference(outcome)
                    known[f"{name}{who}{wins}"] = VotePreference(outcome)
    for outcome, name in ((1, "left"), (-1, "right")):
        for who in SIDE_NOUNS:
            for wins in WIN_WORDS:
                known[f"{who}{name}{wins}"] = VotePreference(outcome, by_side=True)
                known[f"{name}{who}{wins}"] = VotePreference(outcome, by_side=True)
    return known | dict.fromkeys(TIE_WORDS, TIE) | dict.fromkeys(BOTH_BAD_WORDS, BOTH_ARE_BAD)


WORD_TABLE = build_word_table()
SIDE_SIGNS = {"a": 1, "b": -1}


@lru_cache(maxsize=4096)
def parse_word(text: str, scale: int) -> VotePreference | None:
    """The preference a word means on the event's scale; None if the word is unknown."""
    if match := ARROW_PATTERN.fullmatch(text.strip()):
        return parse_arrow(*match.groups())
    if match := DOUBLE_BRACKET_PATTERN.fullmatch(text.strip()):
        return TIE if match[1].casefold() == "c" else WORD_TABLE.get(match[1].casefold())
    word = normalize_word(text)
    if match := ANSWER_PATTERN.fullmatch(word):
        return VotePreference(SIDE_SIGNS[match[1]] * int(match[2]))
    return build_grade_table(scale).get(word) or WORD_TABLE.get(word)


def parse_arrow(one: str, arrow: str, other: str) -> VotePreference | None:
    """Parse arrows: "A>>B" prefers A by two degrees, "A=B" is a tie."""
    if one.casefold() == other.casefold():
        return None
    sign = {">": 1, "<": -1}.get(arrow[0], 0) * SIDE_SIGNS[one.casefold()]
    return VotePreference(sign * len(arrow)) if sign else TIE


@lru_cache(maxsize=8)
def build_grade_table(scale: int) -> Mapping[str, VotePreference]:
    """The labels of this scale's buttons, such as "A is much better", with their preferences."""
    known = {}
    for degree, words in DEGREES[scale].items():
        for name, (outcome, by_side) in {
            "a": (1, False), "b": (-1, False), "left": (1, True), "right": (-1, True),
        }.items():  # fmt: skip
            for who in SIDE_NOUNS:
                for said in (
                    f"{who} {name} is {words}",
                    f"{who} {name} {words}",
                    f"{words} {who} {name}",
                ):
                    known[normalize_word(said)] = VotePreference(outcome * degree, by_side=by_side)
    return known


def match_model_name(text: str, model_a: str, model_b: str) -> VotePreference | None:
    """The preference for the model with this name; None if it names neither."""
    names = {model_a: VotePreference(1), model_b: VotePreference(-1)}
    if text.strip() in names:
        return names[text.strip()]
    word = normalize_word(text)
    found = [
        preference for name, preference in names.items() if word and normalize_word(name) == word
    ]
    return found[0] if len(found) == 1 else None


def explain_not_offered(preference: VotePreference, scale: int, *, both_bad: bool) -> str:
    """Why the event's scale does not offer this preference; empty if it does."""
    if preference.both_bad:
        return "" if both_bad else "this event does not offer “both are bad”"
    if preference.outcome in SCALES[scale]:
        return ""
    if preference.outcome == 0:
        return "this event's scale has no tie"
    return f"this event's scale has {max(SCALES[scale])} degrees, not {abs(preference.outcome)}"


def convert_grade(number: float, ends: ScaleEnds, scale: int) -> int:
    """Convert a number on the file's scale to an outcome on the event's scale.

    An event with one degree keeps the side only. Raises `ValueError` for a number that is not on
    the file's scale, or if the two scales have different numbers of degrees.
    """
    end_a, end_b = ends
    low, high = min(ends), max(ends)
    middle = (low + high) / 2
    if not low <= number <= high or ((number - low) % 1 and number != middle):
        raise ValueError(f"must be one of {', '.join(list_scale_points(ends))}")
    # On a scale without a midpoint, the two values next to the middle are the first degree.
    degree = math.ceil(abs(number - middle))
    sign = (number > middle) - (number < middle)
    sign = sign if end_a > end_b else -sign
    degrees, known = math.ceil((high - low) / 2), max(SCALES[scale])
    if known == 1:
        degree = min(degree, 1)
    elif degree and degrees not in (1, known):
        raise ValueError(
            f"this file has {degrees} degrees and the event's scale {known}; say what each of "
            "its numbers means (--values)"
        )
    return sign * degree


def list_scale_points(ends: ScaleEnds) -> list[str]:
    """The numbers of a scale, in ascending order."""
    low, high = min(ends), max(ends)
    return [format_number(low + step) for step in range(int(high - low) + 1)]


def parse_number(value: object) -> float | None:
    """Parse a cell as a number, including "−3" and "3,0"; None if it is not one."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    text = str(value).strip().replace("\N{MINUS SIGN}", "-").replace(",", ".")
    return float(text) if re.fullmatch(r"[+-]?\d{1,6}(\.\d*)?", text) else None


def format_number(number: float) -> str:
    """Format a number without a trailing “.0”."""
    return f"{number:g}"


def normalize_value(value: object) -> str:
    """The key of a value in `VoteOptions.values`.

    Text without case and outer blanks, a whole number without a decimal point.
    """
    number = parse_number(value)
    if number is not None:
        return format_number(number)
    return " ".join(str(value).split()).casefold()

"""What a cell says of two models: words, grades in words, and numbers between two ends.

A word is read without regard to case, blanks and punctuation: "Model A", "model_a" and "MODEL-A"
are one. What is not known is refused, never guessed.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from arena.judging.importing.options import Ends
from arena.questions.preference import DEGREES, SCALES

WHO = ("", "model", "response", "answer", "output", "completion", "assistant", "system", "option")
WINS = ("", "wins", "won", "win", "isbetter", "better")
TIES = {
    *("tie", "tied", "ties", "draw", "drawn", "equal", "equallygood", "same", "thesame", "even"),
    *("nopreference", "bothgood", "botharegood", "bothequallygood", "tiebothgood", "goodtie"),
    *("nodifference", "aboutthesame"),
}
BOTH_BAD = {
    *("bothbad", "botharebad", "tiebothbad", "bothbadtie", "tiebad", "badtie"),
    *("bothequallybad", "bothpoor", "bothwrong", "botharewrong", "botharepoor", "neitherisgood"),
}
UNKNOWN_SIDE = {"", "unknown", "notknown", "na", "none", "null"}
ANSWER = re.compile(r"([ab])([1-3])")
# Verdicts of judging machines: "A>>B", "[[B>A]]", "A=B".
ARROWS = re.compile(r"\[*\s*([ab])\s*(>{1,3}|<{1,3}|=|~=?|≈)\s*([ab])\s*\]*", re.IGNORECASE)
DOUBLE_BRACKETS = re.compile(r"\[\[\s*(\w)\s*\]\]")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a vote says of two models; a positive outcome prefers the first of them.

    by_side: the two are not model A and model B, but what stood left and right.
    """

    outcome: int
    both_bad: bool = False
    by_side: bool = False


TIE, BOTH_ARE_BAD = Verdict(0), Verdict(0, both_bad=True)


def squeezed(text: str) -> str:
    """Letters and digits alone, in lower case."""
    return "".join(char for char in text.casefold() if char.isalnum())


def words() -> dict[str, Verdict]:
    """Every word that names a side."""
    known = {}
    for outcome, names in ((1, ("a", "1", "one", "first")), (-1, ("b", "2", "two", "second"))):
        for name in names:
            for who in WHO:
                for wins in WINS:
                    known[f"{who}{name}{wins}"] = Verdict(outcome)
                    known[f"{name}{who}{wins}"] = Verdict(outcome)
    for outcome, name in ((1, "left"), (-1, "right")):
        for who in WHO:
            for wins in WINS:
                known[f"{who}{name}{wins}"] = Verdict(outcome, by_side=True)
                known[f"{name}{who}{wins}"] = Verdict(outcome, by_side=True)
    return known | dict.fromkeys(TIES, TIE) | dict.fromkeys(BOTH_BAD, BOTH_ARE_BAD)


WORDS = words()
SIGNS = {"a": 1, "b": -1}


@lru_cache(maxsize=4096)
def verdict_of_word(text: str, scale: int) -> Verdict | None:
    """What a word says; None where it says nothing known. Grades are those of the event's scale."""
    if match := ARROWS.fullmatch(text.strip()):
        return verdict_of_arrows(*match.groups())
    if match := DOUBLE_BRACKETS.fullmatch(text.strip()):
        return TIE if match[1].casefold() == "c" else WORDS.get(match[1].casefold())
    word = squeezed(text)
    if match := ANSWER.fullmatch(word):
        return Verdict(SIGNS[match[1]] * int(match[2]))
    return graded_words(scale).get(word) or WORDS.get(word)


def verdict_of_arrows(one: str, arrow: str, other: str) -> Verdict | None:
    """ "A>>B" is A by two degrees; "A=B" a tie."""
    if one.casefold() == other.casefold():
        return None
    sign = {">": 1, "<": -1}.get(arrow[0], 0) * SIGNS[one.casefold()]
    return Verdict(sign * len(arrow)) if sign else TIE


@lru_cache(maxsize=8)
def graded_words(scale: int) -> Mapping[str, Verdict]:
    """The answers of this scale as its buttons have them: "A is much better"."""
    known = {}
    for degree, words in DEGREES[scale].items():
        for name, (outcome, by_side) in {
            "a": (1, False), "b": (-1, False), "left": (1, True), "right": (-1, True),
        }.items():  # fmt: skip
            for who in WHO:
                for said in (
                    f"{who} {name} is {words}",
                    f"{who} {name} {words}",
                    f"{words} {who} {name}",
                ):
                    known[squeezed(said)] = Verdict(outcome * degree, by_side=by_side)
    return known


def verdict_of_name(text: str, model_a: str, model_b: str) -> Verdict | None:
    """What a model's own name says; None where it is neither's."""
    names = {model_a: Verdict(1), model_b: Verdict(-1)}
    if text.strip() in names:
        return names[text.strip()]
    word = squeezed(text)
    found = [verdict for name, verdict in names.items() if word and squeezed(name) == word]
    return found[0] if len(found) == 1 else None


def misfit(verdict: Verdict, scale: int, *, both_bad: bool) -> str:
    """Why nobody can answer so in an event of this scale; empty where it is one of its answers."""
    if verdict.both_bad:
        return "" if both_bad else "this event does not offer “both are bad”"
    if verdict.outcome in SCALES[scale]:
        return ""
    if verdict.outcome == 0:
        return "this event's scale has no tie"
    return f"this event's scale has {max(SCALES[scale])} degrees, not {abs(verdict.outcome)}"


def outcome_of_number(number: float, ends: Ends, scale: int) -> int:
    """The outcome of a number on a scale from end to end, as a grade of the event's.

    An event with one degree takes the side alone. Raises `ValueError` where the number is none of
    the scale's, or where its degrees are not the event's.
    """
    end_a, end_b = ends
    low, high = min(ends), max(ends)
    middle = (low + high) / 2
    if not low <= number <= high or ((number - low) % 1 and number != middle):
        raise ValueError(f"must be one of {', '.join(points_of(ends))}")
    # On a scale without a middle the two next to it are the first degree.
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


def points_of(ends: Ends) -> list[str]:
    """The numbers of a scale, from the lower end to the upper one."""
    low, high = min(ends), max(ends)
    return [plain(low + step) for step in range(int(high - low) + 1)]


def number_of(value: object) -> float | None:
    """A cell as a number; None where it is none. ("−3" and "3,0" are numbers, too.)"""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    text = str(value).strip().replace("\N{MINUS SIGN}", "-").replace(",", ".")
    return float(text) if re.fullmatch(r"[+-]?\d{1,6}(\.\d*)?", text) else None


def plain(number: float) -> str:
    """3.0 as 3."""
    return f"{number:g}"


def key_of(value: object) -> str:
    """A value as the organizer's mapping knows it: its text without case and outer blanks, a whole
    number without a point."""
    number = number_of(value)
    if number is not None:
        return plain(number)
    return " ".join(str(value).split()).casefold()

"""Covariates of a response's style, measured once when the text is imported."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from .errors import RatingError
from .votes import Floats

Measure = Callable[[str], float]

_FENCE = re.compile(r"^ {0,3}(```+|~~~+).*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"\w+")
_HEADER = re.compile(r"^ {0,3}#{1,6}[ \t]+\S", re.MULTILINE)
_BOLD = re.compile(r"(\*\*|__)(?=\S)(?:(?!\1).)+?(?<=\S)\1", re.DOTALL)
_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S", re.MULTILINE)


def _prose(text: str) -> str:
    return _FENCE.sub("\n", text)


_MEASURES: dict[str, Measure] = {
    "length": lambda text: float(len(_WORD.findall(text))),
    "headers": lambda text: float(len(_HEADER.findall(_prose(text)))),
    "bold": lambda text: float(len(_BOLD.findall(_prose(text)))),
    "lists": lambda text: float(len(_ITEM.findall(_prose(text)))),
    "code": lambda text: float(len(_FENCE.findall(text))),
}


def names() -> tuple[str, ...]:
    """Names of the covariates: words, headers, bold spans, list items, code blocks, and further."""
    return tuple(_MEASURES)


def register(name: str, measure: Measure) -> None:
    """Add a covariate: a function from Markdown text to a number that is not negative."""
    if name in _MEASURES:
        raise RatingError(f"covariate {name} exists")
    _MEASURES[name] = measure


def measure(text: str, chosen: Sequence[str] | None = None) -> tuple[float, ...]:
    """The covariates of one Markdown response, in the order of `chosen` or of `names()`.

    Formatting inside fenced code does not count as formatting (as in the Chatbot Arena's style
    control, lmsys.org/blog/2024-08-28-style-control).
    """
    return tuple(_MEASURES[name](text) for name in (names() if chosen is None else chosen))


def differences(first: Floats, second: Floats) -> Floats:
    """Normalised differences of (n, d) covariates: (f - s) / (f + s) in -1 … 1, 0 where both are 0.

    As the Chatbot Arena's style control divides them: twice the words count the same at any length.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise RatingError("covariates must be finite")
    if first.min(initial=0.0) < 0.0 or second.min(initial=0.0) < 0.0:
        raise RatingError("covariates must not be negative")
    total = first + second
    scaled: Floats = np.divide(first - second, total, out=np.zeros_like(total), where=total > 0.0)
    return scaled

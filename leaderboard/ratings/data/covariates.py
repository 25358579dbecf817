"""How the style of two responses is compared.

The counts themselves (words, headers, bold spans, list items, code blocks of a response) are made
once, when its text is imported; here two responses' counts become one difference for `style.fit`.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ..compute.arrays import Floats
from ..compute.errors import RatingError

Difference = Callable[[Floats, Floats], Floats]


def relative(first: Floats, second: Floats) -> Floats:
    """(f - s) / (f + s) of counts that are not negative: -1 … 1, and 0 where both are 0.

    As in the Chatbot Arena's style control (lmsys.org/blog/2024-08-28-style-control): twice the
    words are the same difference at any length.
    """
    if first.min(initial=0.0) < 0.0 or second.min(initial=0.0) < 0.0:
        raise RatingError("counts of style must not be negative")
    total = first + second
    share: Floats = np.divide(first - second, total, out=np.zeros_like(total), where=total > 0.0)
    return share


def plain(first: Floats, second: Floats) -> Floats:
    """f - s, for a covariate that is no count, such as a sentiment."""
    return first - second


_DIFFERENCES: dict[str, Difference] = dict.fromkeys(
    ("length", "headers", "bold", "lists", "code"), relative
)


def names() -> tuple[str, ...]:
    """Names of the covariates, those registered last at the end."""
    return tuple(_DIFFERENCES)


def register(name: str, difference: Difference = relative) -> None:
    """Add a covariate, with the way its two values become a difference."""
    if name in _DIFFERENCES:
        raise RatingError(f"covariate {name} exists")
    _DIFFERENCES[name] = difference


def differences(first: Floats, second: Floats, chosen: Sequence[str]) -> Floats:
    """x for `style.fit`: float64 (n, d), the differences of the responses' covariates.

    first, second: (n, d), one column per name in `chosen`, one row per vote.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.shape != second.shape or first.shape[1:] != (len(chosen),):
        raise RatingError(f"covariates must have {len(chosen)} columns for each response")
    if unknown := set(chosen) - set(_DIFFERENCES):
        raise RatingError(f"no such covariates: {', '.join(sorted(unknown))}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise RatingError("covariates must be finite")
    x = np.empty(first.shape, order="F")  # each covariate in one piece, as `style` reads them
    for a, name in enumerate(chosen):
        x[:, a] = _DIFFERENCES[name](first[:, a], second[:, a])
    return x

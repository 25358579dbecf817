"""How the style of two responses is compared: two values of a covariate become one difference.

The values themselves (words, headers, list items … of a response) come from outside.
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


# Library API of the engine: the site does not use it.
def plain(first: Floats, second: Floats) -> Floats:
    """f - s, for a covariate that is no count, such as a sentiment."""
    return first - second


def differences(
    first: Floats, second: Floats, compare: Difference | Sequence[Difference] = relative
) -> Floats:
    """x for `style.fit`: float64 (n, d), the differences of the responses' covariates.

    first, second: (n, d), one column per covariate, one row per vote; compare: how two values
    become a difference, one way for all covariates or one for each.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 2:
        raise RatingError("the two responses must have the same covariates, one row per vote")
    ways = [compare] * first.shape[1] if callable(compare) else list(compare)
    if len(ways) != first.shape[1]:
        raise RatingError(f"covariates must have {len(ways)} columns for each response")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise RatingError("covariates must be finite")
    x = np.empty(first.shape, order="F")  # each covariate in one piece, as `style` reads them
    for a, way in enumerate(ways):
        x[:, a] = way(first[:, a], second[:, a])
    return x

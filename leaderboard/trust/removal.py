"""Whom an event may exclude before a person looks: plain clickers, and few of them."""

from dataclasses import dataclass

import numpy as np

from leaderboard.ratings import Floats
from leaderboard.trust.gaps import Integers
from leaderboard.trust.reliability import LIMIT

MIN_CONTROLS, MAX_OVERALL, MAX_ON_CONTROLS = 8, 0.30, 0.80
"""Nobody below so many controls; and the upper 95% limits of R and of R on controls lie below."""
MAX_SHARE = 0.05
"""Of those who have judged, so many are excluded without a person at most."""


@dataclass(frozen=True)
class Removal:
    """Indices of people. removed: whom the rule excludes, in this order; asked: whom it would, but
    that it has excluded as many as it may."""

    removed: list[int]
    asked: list[int]


def find_removable(
    overall: tuple[Floats, Floats], on_controls: tuple[Floats, Floats], controls: Integers
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Bool (U,): R + 1.645 SE < .30 and R_c + 1.645 SE_c < .80, with eight controls.

    Somebody whose taste is not the crowd's disagrees with it and passes the controls: the second
    condition keeps them.
    """
    upper, upper_on_controls = (value + LIMIT * error for value, error in (overall, on_controls))
    mask = (upper < MAX_OVERALL) & (upper_on_controls < MAX_ON_CONTROLS)
    return mask & (controls >= MIN_CONTROLS)


def choose_removals(
    overall: tuple[Floats, Floats],
    on_controls: tuple[Floats, Floats],
    controls: Integers,
    judgments: Integers,
    *,
    people: int,
    before: int,
) -> Removal:
    """Whom the rule excludes: those with most judgments first, until it has excluded 5% of all.

    overall, on_controls: R and its standard error, float64 (U,) each; controls, judgments: int
    (U,); people: how many have judged; before: how many the rule has excluded so far.
    """
    found = np.flatnonzero(find_removable(overall, on_controls, controls))
    ordered = found[np.argsort(-judgments[found], kind="stable")].tolist()
    most = max(int(MAX_SHARE * people) - before, 0)
    return Removal(ordered[:most], ordered[most:])

"""Whom a person is asked about because they seem not to read; nothing is decided by it."""

import numpy as np
import numpy.typing as npt

from leaderboard.ratings import Floats
from leaderboard.trust.gaps import Integers
from leaderboard.trust.reliability import LIMIT

MIN_JUDGMENTS, MAX_OVERALL, MAX_ON_CONTROLS = 30, 0.50, 0.80
"""Nobody below so many judgments; the upper 95% limit of R lies below the second, and R on
controls below the third. Of honest people with so many judgments it names .3% at most, and
of those who click at random about seven in ten, five where there are no controls or many have a
taste of their own (`python -m bench.review`)."""


def find_not_reading(
    overall: tuple[Floats, Floats], on_controls: Floats, controls: Integers, judgments: Integers
) -> npt.NDArray[np.bool_]:
    """Bool (U,): R + 1.645 SE < .50 and R_c < .80, with thirty judgments; without any controls,
    the former alone.

    overall: R and its standard error, float64 (U,) each; on_controls: R_c, float64 (U,); controls,
    judgments: int (U,). Somebody whose taste is not the crowd's passes the controls: the second
    condition keeps them.
    """
    value, error = overall
    fails = (on_controls < MAX_ON_CONTROLS) | (controls == 0)
    mask: npt.NDArray[np.bool_] = (value + LIMIT * error < MAX_OVERALL) & fails
    return mask & (judgments >= MIN_JUDGMENTS)

"""From reliability to a competition's quality and eligibility."""

import numpy as np
import numpy.typing as npt

from leaderboard.ratings import Floats
from leaderboard.trust.quality import MIN_CONTROLS_FOR_QUALITY
from leaderboard.trust.reliability import Parts, Reliability
from leaderboard.trust.rigging import Rigging, find_gaps
from leaderboard.trust.twins import Twins


def limit_quality(found: Parts) -> Floats:
    """Each contributor's quality, max(0, min(L_c, L_o)): float64 (U,), NaN below ten controls.

    L_c and L_o are the lower 5% limits of R on controls and on all else: whoever answers only one
    of the two with care has no quality, and volume alone raises neither.
    """
    both = np.minimum(found.on_controls.lower, found.on_others.lower)
    return np.where(found.controls >= MIN_CONTROLS_FOR_QUALITY, np.maximum(both, 0.0), np.nan)


def find_open_questions(
    found: Reliability, rigging: Rigging, twins: Twins | None = None
) -> npt.NDArray[np.bool_]:
    """Whom a person has to look at before they may win: bool (U,). A screen that has not run is no
    question about anybody."""
    mask: npt.NDArray[np.bool_] = rigging.flagged | find_gaps(found)
    if twins is not None:
        mask = mask | twins.who(len(mask))
    return mask

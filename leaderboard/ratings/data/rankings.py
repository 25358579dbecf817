"""Rankings of several responses, expanded into the pairs they imply."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..compute.arrays import Ids, Ints
from ..compute.errors import RatingError


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs implied by rankings, all of a ranking next to each other.

    first, second: int32 (p,), competitors; outcome: int8 (p,), 1 where first is placed better, 0
    where both are placed equal, -1 where second is; row: int64 (p,), a row of the ranking in the
    input, to look up its judgment, contributor, matchup or weight.
    """

    first: Ids
    second: Ids
    outcome: npt.NDArray[np.int8]
    row: Ints


# Library API of the engine: the site does not use it.
def expand(judgment: Ids, competitor: Ids, place: Ints) -> Pairs:
    """Every pair of a ranking as one vote; k places give k·(k-1)/2 pairs.

    judgment, competitor: int32 (r,), place: int (r,), one row per placed response, the rows of a
    judgment next to each other, place 1 being best and equal places tied. Full breaking into pairs
    is consistent for Plackett-Luce rankings (Azari Soufiani, Chen, Parkes & Xia 2013, NIPS 26). Its
    pairs depend on each other: give the votes `judgment` ids, so that variances cluster by it.
    """
    if not len(judgment) == len(competitor) == len(place):
        raise RatingError("judgment, competitor and place differ in length")
    if not np.isfinite(place).all():
        raise RatingError("places must be finite")
    n = len(judgment)
    opens = np.ones(n, dtype=bool)
    opens[1:] = judgment[1:] != judgment[:-1]
    starts = np.flatnonzero(opens)
    if len(np.unique(judgment[starts])) != len(starts):
        raise RatingError("the rows of a judgment must be next to each other")
    size = np.diff(np.append(starts, n))
    after = np.repeat(starts + size, size) - np.arange(n) - 1  # rows of the same ranking below
    upper = np.repeat(np.arange(n), after)
    lower = upper + 1 + np.arange(len(upper)) - np.repeat(np.cumsum(after) - after, after)
    if (competitor[upper] == competitor[lower]).any():
        raise RatingError("a ranking places a competitor twice")
    # Compared, not subtracted: places may be unsigned.
    outcome = (place[lower] > place[upper]).astype(np.int8) - (place[lower] < place[upper])
    return Pairs(
        competitor[upper].astype(np.int32), competitor[lower].astype(np.int32), outcome, upper
    )

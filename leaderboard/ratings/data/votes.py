"""Votes as columns: what every algorithm of this package reads."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ..compute.arrays import Floats, Ids, Ints, Mask
from ..compute.errors import RatingError

MAX_OUTCOME = 3
"""Outcomes run from -3 (second much better) through 0 (tie) to 3 (first much better)."""

WEIGHT_UNIT = 4096
"""Weights are whole multiples of 2**-12, so that their sums are exact in any order."""

DTYPES = {"outcome": np.int8, "weight": np.int64}
"""Types of the columns of votes; the others are int32."""
WEIGHT_LIMIT = 2.0**63 / WEIGHT_UNIT
"""A weight this large, in units, is no int64 any more."""
MAX_COMPETITORS = 10_000
"""More competitors than this do not fit into dense tables."""


def quantise(weight: Floats) -> Ints:
    """Weights in units of 2**-12: int64 (n,), nearest unit, ties to even.

    Negative, infinite and NaN weights are refused, and those that fit into no int64.
    """
    weight = np.asarray(weight, dtype=np.float64)
    if not ((weight >= 0) & (weight < WEIGHT_LIMIT)).all():
        raise RatingError(f"weights must be finite, not negative and below {WEIGHT_LIMIT:g}")
    return np.rint(weight * WEIGHT_UNIT).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """n pairwise votes on competitors 0 … competitors-1, one row each, in ledger order.

    first, second: int32 (n,), the two competitors in canonical order (not screen sides);
    outcome: int8 (n,), -3 … 3, positive where first is better, 0 for a tie;
    weight: int64 (n,) in units of 2**-12 (see `quantise`), or None where every vote weighs 1;
    contributor, matchup, prompt, judgment: int32 (n,), ids that say which votes belong together,
    or None where unknown. judgment is needed only where one judgment gave several rows (rankings).
    """

    competitors: int
    first: Ids
    second: Ids
    outcome: npt.NDArray[np.int8]
    weight: Ints | None = None
    contributor: Ids | None = None
    matchup: Ids | None = None
    prompt: Ids | None = None
    judgment: Ids | None = None

    def __post_init__(self) -> None:
        _require_columns(self)
        if not 0 <= self.competitors <= MAX_COMPETITORS:
            raise RatingError(f"{self.competitors} competitors, not 0 … {MAX_COMPETITORS}")
        if len(self.first) == 0:
            return
        for side in (self.first, self.second):
            if side.view(np.uint32).max() >= self.competitors:  # unsigned, so negatives are large
                raise RatingError(f"competitor index outside 0 … {self.competitors - 1}")
        if self.outcome.min() < -MAX_OUTCOME or self.outcome.max() > MAX_OUTCOME:
            raise RatingError(f"outcome outside -{MAX_OUTCOME} … {MAX_OUTCOME}")
        if self.weight is not None and self.weight.min() < 0:
            raise RatingError("weights must not be negative")

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows: Mask | Ints) -> "Votes":
        """The rows chosen by a mask or by indices, in that order."""
        columns: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)[1:]}
        chosen: dict[str, Any] = {k: None if c is None else c[rows] for k, c in columns.items()}
        return Votes(self.competitors, **chosen)


def _require_columns(votes: Votes) -> None:
    n = len(votes.first)
    for field in fields(votes)[1:]:
        column, dtype = getattr(votes, field.name), DTYPES.get(field.name, np.int32)
        if column is None and field.default is None:
            continue
        if not isinstance(column, np.ndarray) or column.dtype != dtype:
            raise RatingError(f"{field.name} must be an array of {np.dtype(dtype)}")
        if column.shape != (n,):
            raise RatingError(f"{field.name} has shape {column.shape}, not ({n},)")

"""Splitting many rows into chunks whose temporary arrays fit into the processor's cache."""

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

CHUNK_ROWS = 1 << 15
"""Rows per chunk."""
ScalarType = TypeVar("ScalarType", bound=np.generic)


def chunks(stop: int, start: int = 0) -> Iterator[slice]:
    """Consecutive slices that cover the rows from `start` up to, not including, `stop`."""
    return (slice(begin, min(begin + CHUNK_ROWS, stop)) for begin in range(start, stop, CHUNK_ROWS))


def take(
    values: npt.NDArray[ScalarType],
    index: npt.NDArray[np.signedinteger[Any]],
    out: npt.NDArray[ScalarType] | None = None,
) -> npt.NDArray[ScalarType]:
    """values[index], (n,), without converting a copy of the index; `out` may be `index`.

    Raises IndexError where an index is out of range.
    """
    found = np.empty(len(index), dtype=values.dtype) if out is None else out
    for part in chunks(len(index)):
        found[part] = values[index[part]]
    return found

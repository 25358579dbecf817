"""Which competitors share a scale: connected components and strongly connected cores.

Ford (1957, Amer. Math. Monthly 64(8), 28-33): Bradley-Terry strengths have a finite, unique
maximum-likelihood value if and only if, however the competitors are split in two groups, somebody
of each group has beaten somebody of the other; that is, if the directed graph with an arc i → j
wherever wins[i, j] > 0 is strongly connected. A tie is an arc both ways.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import connected_components

from ..compute.arrays import Floats, Ids, Ints, Mask

STRENGTH_TOLERANCE = 1e-9
"""Strengths closer than this are equal: their difference is rounding."""


class Status(IntEnum):
    """Whether a competitor can be rated, or why not."""

    RATED = 0
    """It belongs to the core of its component and has a finite strength."""
    UNDEFEATED = 1
    """It has never lost or tied: no finite strength fits."""
    WINLESS = 2
    """It has never won or tied: no finite strength fits."""
    SEPARATED = 3
    """It has won and lost, but no chain of wins leads both to the core and back."""
    NO_VOTES = 4
    """It has no vote of positive weight."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """Connected components of a set of comparisons, and the status of each competitor.

    component: int32 (M,), connected components numbered from 0 by size (ties: lowest index first),
    -1 without votes; strengths of different components are not comparable.
    status: int8 (M,), see `Status`.
    """

    component: Ids
    status: npt.NDArray[np.int8]

    @property
    def rated(self) -> Mask:
        """Competitors with a finite maximum-likelihood strength."""
        return np.equal(self.status, Status.RATED)

    @property
    def components(self) -> int:
        """Number of scales."""
        return int(self.component.max(initial=-1)) + 1

    @property
    def is_single_scale(self) -> bool:
        """Whether all competitors are rated, on one scale."""
        return self.components == 1 and bool(self.rated.all())

    def groups(self, chosen: Mask) -> list[Ints]:
        """Indices of the chosen competitors, one array per component that has any."""
        groups = [np.flatnonzero(chosen & (self.component == c)) for c in range(self.components)]
        return [group for group in groups if len(group)]


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """Strengths on one or more scales.

    strength: float64 (M,), natural-log strength, mean 0 over those rated in each component; NaN
    where the votes allow no finite value, and `field.status` says why.
    """

    strength: Floats
    field: Field

    @property
    def same_scale(self) -> Mask:
        """Pairs whose strengths can be compared: bool (M, M)."""
        rated = np.isfinite(self.strength)
        component = self.field.component
        return rated[:, None] & rated & np.equal.outer(component, component)

    def groups(self) -> list[Ints]:
        """Indices of the competitors with a strength, one array per scale."""
        return self.field.groups(np.isfinite(self.strength))

    def leader(self) -> int:
        """The strongest of the first scale (of equals the first); -1 where nobody is rated."""
        groups = self.groups()
        if not groups:
            return -1
        strength = self.strength[groups[0]]
        return int(groups[0][np.argmax(strength >= strength.max() - STRENGTH_TOLERANCE)])


def find_components(wins: Floats) -> Field:
    """Components and statuses from a (M, M) matrix of wins."""
    m = len(wins)
    arc = wins > 0
    if m >= 2 and _reaches_all(arc) and _reaches_all(arc.T):
        return Field(np.zeros(m, dtype=np.int32), np.zeros(m, dtype=np.int8))
    graph = arc.astype(np.int8)
    component = _by_size(connected_components(graph, directed=True, connection="weak")[1])
    strong = connected_components(graph, directed=True, connection="strong")[1]
    won, lost = arc.any(1), arc.any(0)
    status = np.full(m, Status.SEPARATED, dtype=np.int8)
    status[_in_core(wins, component, strong)] = Status.RATED
    status[won & ~lost] = Status.UNDEFEATED
    status[lost & ~won] = Status.WINLESS
    status[~won & ~lost] = Status.NO_VOTES
    component[~won & ~lost] = -1
    return Field(_by_size(component), status)


def _reaches_all(arc: Mask) -> bool:
    reached = arc[0].copy()
    size = 0
    while size < (size := int(reached.sum())) < len(arc):
        reached |= arc[reached].any(0)
    return size == len(arc)


def _by_size(label: npt.NDArray[np.int32]) -> Ids:
    """The same partition, largest group first, equal ones by lowest index; -1 stays."""
    seen, position, size = np.unique(label[label >= 0], return_index=True, return_counts=True)
    new = np.full(label.max(initial=-1) + 2, -1, dtype=np.int32)  # new[-1] is -1
    new[seen[np.lexsort((position, -size))]] = np.arange(len(seen))
    return new[label]


def _in_core(wins: Floats, component: Ids, strong: npt.NDArray[np.int32]) -> Mask:
    """Members of the core: of each component the largest strongly connected part of two or more.

    Of equally large parts the one with more votes among its members, then the lowest index.
    """
    core = np.zeros(len(wins), dtype=bool)
    for c in range(component.max(initial=-1) + 1):
        parts = [np.flatnonzero(strong == part) for part in np.unique(strong[component == c])]
        best = max(parts, key=lambda part: (len(part), wins[np.ix_(part, part)].sum(), -part[0]))
        core[best] = len(best) > 1
    return core

"""Which pairs of a record's responses become matchups.

All of them, or a random sample: first a spanning tree, so that everything in it can be compared,
then the pairs whose competitors have met least. Where the sample is too small for a tree, pairs
that connect competitors across records come first, so that the event as a whole is connected.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import combinations
from random import Random

Pair = tuple[int, int]
NOBODY = -1
"""The owner of a response that has no competitor."""


class UnionFind:
    """Which nodes are connected (union by path halving)."""

    def __init__(self) -> None:
        self.parents: dict[int, int] = {}

    def root(self, node: int) -> int:
        """The node that stands for this one's component."""
        parents = self.parents
        parents.setdefault(node, node)
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    def connect(self, pair: Pair) -> bool:
        """Connect two nodes; False where they were connected already."""
        first, second = self.root(pair[0]), self.root(pair[1])
        self.parents[second] = first
        return first != second


class PairChooser:
    """Chooses pairs for one record after another, keeping the event's competitors in balance."""

    def __init__(self, per_record: int, rng: Random, met: Iterable[Pair] = ()) -> None:
        """`per_record`: pairs wanted of each record, 0 for all; `met`: pairs of competitors that
        the event's matchups hold already."""
        self.per_record = per_record
        self.rng = rng
        self.pair_counts: Counter[Pair] = Counter()
        self.met_counts: Counter[int] = Counter()
        self.connected = UnionFind()
        for pair in met:
            self.note_pair(*pair)

    def choose(
        self, owners: Sequence[int], there: Collection[Pair] = (), fresh: Collection[int] = ()
    ) -> list[Pair]:
        """Pairs of indices into `owners` (competitors by response), beside those that are there.

        An owner is `NOBODY` where a response has no competitor. `fresh`: the responses that are
        new where others have been paired before; each of them gets into a pair, whatever the
        number wanted of a record.
        """
        every = [
            pair
            for pair in combinations(range(len(owners)), 2)
            if pair not in there and (not fresh or pair[0] in fresh or pair[1] in fresh)
        ]
        wanted = max(self.per_record - len(there), len(fresh)) if self.per_record else len(every)
        if len(every) <= wanted:
            chosen = every
        else:
            chosen = sorted(self.order_pairs(every, owners, there)[: max(wanted, 0)])
        if self.per_record:
            for first, second in chosen:
                self.note_pair(owners[first], owners[second])
        return chosen

    def order_pairs(
        self, every: list[Pair], owners: Sequence[int], there: Collection[Pair]
    ) -> list[Pair]:
        """The spanning tree first, then the rest, each by how rarely the two have met."""
        order = sorted(every, key=lambda pair: self.pair_rank(owners[pair[0]], owners[pair[1]]))
        record = UnionFind()
        for pair in there:
            record.connect(pair)
        tree = [pair for pair in order if record.connect(pair)]
        in_tree = set(tree)
        return [*tree, *(pair for pair in order if pair not in in_tree)]

    def pair_rank(self, first: int, second: int) -> tuple[bool, int, int, float]:
        """Sort key of a pair: unconnected and rarely paired competitors first, ties broken at
        random."""
        return (
            self.connected.root(first) == self.connected.root(second),
            self.pair_counts[min(first, second), max(first, second)],
            self.met_counts[first] + self.met_counts[second],
            self.rng.random(),
        )

    def note_pair(self, first: int, second: int) -> None:
        """Count a matchup of the two competitors; one with a response of nobody's rates nobody."""
        if NOBODY in (first, second):
            return
        self.pair_counts[min(first, second), max(first, second)] += 1
        self.met_counts.update((first, second))
        self.connected.connect((first, second))

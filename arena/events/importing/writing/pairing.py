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


class Forest:
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

    def join(self, pair: Pair) -> bool:
        """Connect two nodes; False where they were connected already."""
        first, second = self.root(pair[0]), self.root(pair[1])
        self.parents[second] = first
        return first != second


class Pairing:
    """Chooses pairs for one record after another, keeping the event's competitors in balance."""

    def __init__(self, per_record: int, rng: Random, met: Iterable[Pair] = ()) -> None:
        """`per_record`: pairs wanted of each record, 0 for all; `met`: pairs of competitors that
        the event's matchups hold already."""
        self.per_record = per_record
        self.rng = rng
        self.pairs: Counter[Pair] = Counter()
        self.competitors: Counter[int] = Counter()
        self.event = Forest()
        for pair in met:
            self.note(*pair)

    def choose(
        self, owners: Sequence[int], there: Collection[Pair] = (), fresh: Collection[int] = ()
    ) -> list[Pair]:
        """Pairs of indices into `owners` (competitors by response), beside those that are there.

        `fresh`: the responses that are new where others have been paired before; each of them
        gets into a pair, whatever the number wanted of a record.
        """
        every = [
            pair
            for pair in combinations(range(len(owners)), 2)
            if not fresh or pair[0] in fresh or pair[1] in fresh
        ]
        wanted = max(self.per_record - len(there), len(fresh)) if self.per_record else len(every)
        if len(every) <= wanted:
            chosen = every
        else:
            chosen = sorted(self.sample(every, owners, there)[: max(wanted, 0)])
        if self.per_record:
            for first, second in chosen:
                self.note(owners[first], owners[second])
        return chosen

    def sample(
        self, every: list[Pair], owners: Sequence[int], there: Collection[Pair]
    ) -> list[Pair]:
        """The spanning tree first, then the rest, each by how rarely the two have met."""
        order = sorted(every, key=lambda pair: self.urgency(owners[pair[0]], owners[pair[1]]))
        record = Forest()
        for pair in there:
            record.join(pair)
        tree = [pair for pair in order if record.join(pair)]
        in_tree = set(tree)
        return [*tree, *(pair for pair in order if pair not in in_tree)]

    def urgency(self, first: int, second: int) -> tuple[bool, int, int, float]:
        """Small for pairs that are missing most; chance decides among equals."""
        return (
            self.event.root(first) == self.event.root(second),
            self.pairs[min(first, second), max(first, second)],
            self.competitors[first] + self.competitors[second],
            self.rng.random(),
        )

    def note(self, first: int, second: int) -> None:
        """The two have met."""
        self.pairs[min(first, second), max(first, second)] += 1
        self.competitors.update((first, second))
        self.event.join((first, second))

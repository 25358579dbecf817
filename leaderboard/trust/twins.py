"""Twins: two accounts whose answers agree beyond what the gaps and either one's habits explain.

Wrong answers to the same controls and whole histories that run alike both show here: an agreement
counts for the more, the less others would have given that answer. It asks a person to look.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, triu

from leaderboard.ratings import Floats
from leaderboard.trust.gaps import Integers
from leaderboard.trust.reliability import Answers
from leaderboard.trust.rigging import tilt

MIN_SHARED = 8
"""Matchups that both have judged; with fewer a pair is not compared."""
ALPHA = 0.01
"""How likely it is at most that any two of all who answer for themselves are named."""
COPIED = (0.75, 0.9, 0.98)
"""Shares of answers that are copied, each as likely."""
IN_COMMON = (0.0, 0.25, 0.5)
"""Shares of answers on which two careful readers agree for reasons that no gap tells: two plainly
right responses are a tie to both. Between the best of 124 real workers it is up to .5 or .6."""
STRETCHES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.2, 3.0)
ATTENTIONS = (1.0, 0.9, 0.75, 0.5, 0.0)
"""Those who answer for themselves: how sharply they tell gaps apart, and how often they look."""
HABIT_ANSWERS = 5.0
"""Pseudo-answers of everybody's in a contributor's habit."""
ROWS_AT_ONCE = 500_000
MAX_COMPARISONS = 40_000_000
"""Where everybody has judged the same, there are more pairs than can be compared: then none is."""


@dataclass(frozen=True, eq=False)
class Twins:
    """The P pairs of contributors that were compared.

    one, other: int64 (P,), contributors, the lower number first; shared: int64 (P,), matchups that
    both judged; evidence: float64 (P,), natural logarithm of the e-value against either answering
    for themselves; needed: how much of it a pair needs to be named.
    """

    one: npt.NDArray[np.int64]
    other: npt.NDArray[np.int64]
    shared: npt.NDArray[np.int64]
    evidence: Floats
    needed: float

    @property
    def flagged(self) -> npt.NDArray[np.bool_]:
        """Pairs at which somebody should look."""
        mask: npt.NDArray[np.bool_] = self.evidence >= self.needed
        return mask

    def who(self, people: int) -> npt.NDArray[np.bool_]:
        """Whoever is in such a pair: bool (U,)."""
        mask = np.zeros(people, dtype=bool)
        mask[self.one[self.flagged]] = mask[self.other[self.flagged]] = True
        return mask


def screen_twins(answers: Answers, expected: Floats, alpha: float = ALPHA) -> Twins:
    """Evidence that one of two copies the other, for all pairs with eight matchups in common.

    For answers y of i and x of j to the shared matchups E_ij = mean_c Π (c·[y = x] + (1 - c)·p(y))
    / max_{r,t,g} Π (r·[y = x] + (1 - r)·p_{t,g}(y)). c are shares of copied answers. p is what a
    stranger who reads would answer in place of i (`Reliability.expected`, where x is known to the
    gap as everybody's answers are), tilted by how often i answers so strongly. Whoever answers for
    themselves is given the best of p_{t,g} = g·p^t + (1 - g)·h, p^t normalised and h i's habit as
    displayed: a keener or duller reader, a careless one, or one who looks at nothing; and of r, how
    much they may have in common with j besides. So E has a mean of at most 1 as long as one of
    these is how i answers, given x (universal inference: Wasserman, Ramdas & Balakrishnan 2020, eq.
    6), and so has (E_ij + E_ji)/2.

    A pair is named from P/α on, P being the number of pairs. By Markov's inequality, and summed
    over pairs, any that answer for themselves are then named with probability α at most. Of those
    who copy nine answers of ten three quarters are found with 80 to 120 in common, and all with
    more; of those who copy all of them three quarters with 40 to 60, and all from 80 on
    (`bench.trust`). Wrong answers to a few controls, with nothing else, are not enough.

    expected: float64 (n, K), for rows as in `answers`; nobody judges a matchup twice.
    """
    answers, rows = answers.in_order()
    one, other, shared = find_pairs(answers)
    evidence = np.zeros(len(one))
    if len(one):
        table = ProbabilityTable(answers, expected[rows])
        for part, mine, theirs in list_rows(answers, one, other, shared):
            first, second = table.weigh(part, mine, theirs), table.weigh(part, theirs, mine)
            evidence[part[0] : part[-1] + 1] = np.logaddexp(first, second) - np.log(2.0)
    return Twins(one, other, shared, evidence, float(np.log(max(len(one), 1) / alpha)))


def find_pairs(answers: Answers) -> tuple[Integers, Integers, Integers]:
    """Who shares enough matchups with whom, and how many: int64 (P,) each; nobody with anybody
    where there are too many to compare."""
    judged = np.bincount(answers.matchup).astype(np.float64)
    if (judged**2).sum() > MAX_COMPARISONS:
        none = np.empty(0, dtype=np.int64)
        return none, none, none
    who = index_answers(answers, np.ones(len(answers.contributor), dtype=np.int64))
    common = triu(who @ who.T, 1).tocoo()
    enough = common.data >= MIN_SHARED
    one, other = common.coords[0][enough], common.coords[1][enough]
    order = np.lexsort([other, one])
    return (
        one[order].astype(np.int64),
        other[order].astype(np.int64),
        common.data[enough][order].astype(np.int64),
    )


def index_answers(answers: Answers, values: Integers) -> "csr_array[np.int64]":
    """A value for each answer, by contributor (rows) and matchup: sparse (U, m). Contributors with
    too few answers to be in a pair have none."""
    counts = np.bincount(answers.contributor, minlength=answers.people)
    busy = np.flatnonzero(counts[answers.contributor] >= MIN_SHARED)
    place = (answers.contributor[busy], answers.matchup[busy])
    shape = (answers.people, len(answers.matchups.key))
    found = csr_array((values[busy], place), shape=shape)
    found.sort_indices()
    return found


def list_rows(
    answers: Answers, one: Integers, other: Integers, shared: Integers
) -> Iterator[tuple[Integers, Integers, Integers]]:
    """Bit by bit: the pair of each shared matchup, and the rows of its two answers."""
    ones = index_answers(answers, np.ones(len(answers.contributor), dtype=np.int64))
    numbers = index_answers(answers, np.arange(1, len(answers.contributor) + 1))
    bit = np.cumsum(shared) // ROWS_AT_ONCE
    for chosen in np.split(np.arange(len(one)), np.flatnonzero(np.diff(bit)) + 1):
        mine = numbers[one[chosen]].multiply(ones[other[chosen]]).tocsr()
        theirs = ones[one[chosen]].multiply(numbers[other[chosen]]).tocsr()
        mine.sort_indices()
        theirs.sort_indices()
        yield np.repeat(chosen, shared[chosen]), mine.data - 1, theirs.data - 1


class ProbabilityTable:
    """How likely each answer is if its contributor reads as strangers do (`usual`, float64 (n,))
    and by each way of answering for oneself (`alone`, float64 (35, n))."""

    def __init__(self, answers: Answers, expected: Floats) -> None:
        rows = np.arange(len(answers.outcome))
        self.said = np.clip(answers.outcome, -(answers.categories // 2), answers.categories // 2)
        displayed = answers.displayed()
        usual = tilt(answers, expected, rows)
        habit = find_habits(answers, displayed)
        self.usual: Floats = usual[rows, displayed]
        logs = np.log(usual)
        self.alone = np.empty((len(STRETCHES) * len(ATTENTIONS), len(rows)))
        by_stretch = []
        for stretch in STRETCHES:
            sharp = np.exp(stretch * (logs - logs.max(1, keepdims=True)))
            by_stretch.append(sharp[rows, displayed] / sharp.sum(1))
        for place, (sharp, attention) in enumerate(product(by_stretch, ATTENTIONS)):
            self.alone[place] = attention * sharp + (1.0 - attention) * habit

    def weigh(self, pair: Integers, mine: Integers, theirs: Integers) -> Floats:
        """log E of the first of each pair copying the second; `pair` of each row is in order."""
        starts = np.flatnonzero(np.diff(pair, prepend=-1))
        alike = self.said[mine] == self.said[theirs]

        def log_likelihood(share: float, else_by: Floats) -> Floats:
            return np.add.reduceat(np.log(share * alike + (1.0 - share) * else_by[mine]), starts)

        copying = [log_likelihood(share, self.usual) for share in COPIED]
        alone = np.full(len(starts), -np.inf)
        for share, line in product(IN_COMMON, self.alone):
            np.maximum(alone, log_likelihood(share, line), out=alone)
        result: Floats = np.logaddexp.reduce(copying) - np.log(len(COPIED)) - alone
        return result


def find_habits(answers: Answers, displayed: Integers) -> Floats:
    """How often the contributor of each answer gives that answer as displayed, with five
    pseudo-answers of everybody's: float64 (n,)."""
    size, who = answers.categories, answers.contributor
    index = who * np.int64(size) + displayed
    counts = np.bincount(index, minlength=answers.people * size).reshape(-1, size)
    share = (counts.sum(0) + 1.0) / (counts.sum() + size)
    habit = (counts + HABIT_ANSWERS * share) / (counts.sum(1, keepdims=True) + HABIT_ANSWERS)
    result: Floats = habit[who, displayed]
    return result

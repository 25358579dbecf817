"""What people's answers lean to besides the better response: a side, length, ties, and with what
pace; and how few people made most of them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import poisson

from leaderboard.ratings import Floats, Ints, Mask
from leaderboard.trust.gaps import Integers
from leaderboard.trust.shares import (
    CONFIDENCE,
    Share,
    compare_shares,
    estimate_share,
    group_answers,
)

FAST, MIDDLE, SLOW, UNTIMED = range(4)
EVERY_GROUP = np.arange(4)
UNKNOWN = -1
"""Milliseconds of an answer of which nobody knows how long it took."""
MIN_TIMED, MIN_TIMED_PEOPLE = 30, 5
"""With fewer answers of known seconds, or of fewer people, there are no thirds: they would tell
somebody's own pace."""
TOP = (1, 5, 10)
"""How many of the most active contributors are looked at together."""
PEOPLE_PER_TOP = 2
"""So many are the most active only among so many times as many."""
ROUNDS = 1000
"""Crowds that are simulated."""
TAIL = 1e-9
"""Numbers of votes that come up less often than this in a whole crowd are left out of it."""
SEED = 0
"""Fixed seed: the same answers give the same limits, to the last digit."""

Signs = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Answers:
    """n answers to a question.

    outcome: int8 (n,), positive where the first is better, 0 for a tie; left: int8 (n,), 1 where
    the first stood left, -1 where the second did, 0 where that is unknown; longer: int8 (n,), 1
    where the first is longer, -1 where the second is, 0 where they are level; took: int32 (n,),
    milliseconds, `UNKNOWN` where that is unknown; contributor, matchup: int (n,), ids from 0 on.
    """

    outcome: Signs
    left: Signs
    longer: Signs
    took: npt.NDArray[np.int32]
    contributor: Integers
    matchup: Integers


@dataclass(frozen=True)
class PaceCuts:
    """Seconds that the fastest third of answers takes at most, and the slowest more than."""

    fast: float
    slow: float


@dataclass(frozen=True)
class Leaning:
    """How often answers go one way.

    thirds: of the fastest, the middle and the slowest third; change: the fastest less the slowest.
    """

    overall: Share
    thirds: tuple[Share, Share, Share]
    change: Share


@dataclass(frozen=True)
class Leanings:
    """left: decided answers for the response on the left, of those with known sides; longer:
    decided answers for the longer response, of those with one; ties: answers that are ties. cuts:
    None with too few answers of known seconds.
    """

    left: Leaning
    longer: Leaning
    ties: Leaning
    cuts: PaceCuts | None


def measure_leanings(answers: Answers) -> Leanings:
    """What the answers lean to, altogether and by pace.

    Limits let the answers of one contributor depend on each other, and those on one matchup, which
    share its responses (`shares.find_variance`).
    """
    pace, cuts = split_by_pace(answers.took, answers.contributor)
    decided = np.sign(answers.outcome)
    sides, lengths = answers.left * decided, answers.longer * decided
    return Leanings(
        measure_leaning(answers, pace, sides > 0, sides != 0),
        measure_leaning(answers, pace, lengths > 0, lengths != 0),
        measure_leaning(answers, pace, decided == 0, None),
        cuts,
    )


def measure_leaning(answers: Answers, pace: Signs, chosen: Mask, asked: Mask | None) -> Leaning:
    """The share of chosen ones among the answers that are asked: all of them by default."""
    clusters: tuple[Integers, ...] = (answers.contributor, answers.matchup)
    if asked is not None:
        chosen, pace = chosen[asked], pace[asked]
        clusters = tuple(ids[asked] for ids in clusters)
    grouped = group_answers(chosen, pace, clusters, len(EVERY_GROUP))
    fast, middle, slow = (
        estimate_share(grouped, np.array([third])) for third in (FAST, MIDDLE, SLOW)
    )
    return Leaning(
        estimate_share(grouped, EVERY_GROUP),
        (fast, middle, slow),
        compare_shares(grouped, np.array([FAST]), np.array([SLOW])),
    )


def split_by_pace(
    took: npt.NDArray[np.int32], contributor: Integers
) -> tuple[Signs, PaceCuts | None]:
    """Which third each answer is of, int8 (n,), and where the thirds begin and end.

    Thirds of the answers with known seconds; those that took equally long stay together.
    """
    known = took != UNKNOWN
    timed = took[known]
    people = np.count_nonzero(np.bincount(contributor[known]))
    if len(timed) < MIN_TIMED or people < MIN_TIMED_PEOPLE:
        return np.full(len(took), UNTIMED, dtype=np.int8), None
    places = len(timed) // 3 - 1, 2 * len(timed) // 3 - 1
    low, high = (int(cut) for cut in np.partition(timed, places)[list(places)])
    third = (took > low).astype(np.int8)
    third += took > high
    third[~known] = UNTIMED
    return third, PaceCuts(low / 1000.0, high / 1000.0)


@dataclass(frozen=True)
class TopShare:
    """The share of the votes that so many of the most active contributors made, which is a count
    and no estimate; equal: had all made equally many; lower, upper: between which it would be with
    95% by chance, had all been equally active."""

    contributors: int
    share: float
    equal: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Concentration:
    """top: of those numbers of `TOP` that are few among all; contributors: who made a vote."""

    top: tuple[TopShare, ...]
    contributors: int


def measure_concentration(activity: Ints) -> Concentration:
    """How much of the votes the most active contributors made, beside equal activity.

    Limits are percentiles of simulated crowds of as many people, in which everybody's number of
    votes is Poisson with the same mean. (A bootstrap over contributors has no use here: the most
    active are extremes, and its limits miss them.)

    activity: int64 (people,), votes of each; people without any are left out.
    """
    votes, people = np.unique(activity[activity > 0], return_counts=True)
    votes, people = votes[::-1], people[::-1]  # the most active first
    total = int(people.sum())
    sizes = [size for size in TOP if PEOPLE_PER_TOP * size <= total]
    if not sizes:
        return Concentration((), total)
    crowds, possible = simulate_equal_activity(total, float(people @ votes) / total)
    tail = (1.0 - CONFIDENCE) / 2.0
    found = []
    for size in sizes:
        share = float(share_of_top(people[None], votes, size)[0])
        lower, upper = np.quantile(share_of_top(crowds, possible, size), [tail, 1.0 - tail])
        found.append(TopShare(size, share, size / total, float(lower), float(upper)))
    return Concentration(tuple(found), total)


def simulate_equal_activity(people: int, mean: float) -> tuple[Ints, Ints]:
    """In `ROUNDS` crowds of equally active people, how many made so many votes: int64 (rounds, d),
    for numbers of votes int64 (d,), descending; crowds without any vote are left out."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    tail = TAIL / people
    votes = np.arange(poisson.ppf(tail, mean), poisson.isf(tail, mean) + 1)[::-1].astype(np.int64)
    chance = poisson.pmf(votes, mean)
    crowds = rng.multinomial(people, chance / chance.sum(), ROUNDS)
    return crowds[crowds @ votes > 0], votes


def share_of_top(people: Ints, votes: Ints, size: int) -> Floats:
    """The share of all votes that the `size` most active made: float64 (k,).

    people: int64 (k, d), in k crowds how many made so many votes; votes: int64 (d,), descending.
    """
    before = np.cumsum(people, axis=1) - people
    among_top = np.clip(size - before, 0, people)
    share: Floats = (among_top @ votes) / (people @ votes)
    return share

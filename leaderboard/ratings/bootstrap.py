"""Bootstrap strengths: the same fit on resampled votes, clusters of votes, or sequences.

Efron 1979, Annals of Statistics 7, 1-26. Every draw comes from the generator that is passed in.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.special import expit

from . import elo
from .bradley_terry import Fit, inverse_information, newton, submatrix
from .counts import SIGN, Counts
from .graph import survey
from .intervals import Covariance, Interval, Method
from .scores import cluster_ids, comparable
from .votes import STRONGEST, UNIT, Floats, Ints, Mask, Votes

ROUNDS = 100
CHORDS = 50
"""Chord steps before a round is left to Newton's method."""
LONGEST = 10.0
"""A longer chord step leads nowhere: such a round is left to Newton's method at once."""
TOLERANCE = 1e-8
CELLS = 1 << 20
"""Pairs times rounds that are worked on at a time."""

Draw = Callable[[int], tuple[Floats, Floats]]
"""For a number of rounds, the wins of i over j and those of j over i: (rounds, pairs) each."""


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """Strengths of the rounds.

    strengths: float64 (rounds, M), NaN for competitors that have none;
    dropped: further rounds, in which what was drawn allows no finite strengths;
    clusters: how many there were to draw from, where clusters were drawn.
    """

    strengths: Floats
    dropped: int
    clusters: tuple[int, ...] = ()

    def interval(self, level: float = 0.95) -> Interval:
        """Percentile limits of each competitor."""
        tail = (1.0 - level) / 2.0
        lower, upper = np.quantile(self.strengths, [tail, 1.0 - tail], axis=0)
        return Interval(lower, upper, level)

    def covariance(self) -> Covariance:
        """Covariance of the strengths over the rounds."""
        centred = self.strengths - self.strengths.mean(0)
        matrix = centred.T @ centred / (len(centred) - 1)
        return Covariance(matrix, Method.BOOTSTRAP, Method.BOOTSTRAP, self.clusters)


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """The compared pairs i < j of one scale, as places in `group`, its competitors."""

    group: Ints
    i: Ints
    j: Ints

    @classmethod
    def of(cls, fit: Fit, group: Ints) -> "_Pairs":
        won = submatrix(fit.wins, group)
        return cls(group, *np.nonzero(np.triu(won + won.T)))

    def wins(self, ahead: Floats, behind: Floats) -> Floats:
        """The (m, m) matrix of wins of one round."""
        won = np.zeros((len(self.group), len(self.group)))
        won[self.i, self.j] = ahead
        won[self.j, self.i] = behind
        return won

    def incidence(self) -> csr_array[np.float64, tuple[int, int]]:
        """One row per competitor, one column per pair: 1 for i, -1 for j."""
        k = np.arange(len(self.i))
        ones = np.ones(len(k))
        entries = np.concatenate([ones, -ones]), (np.append(self.i, self.j), np.tile(k, 2))
        return coo_array(entries, (len(self.group), len(k))).tocsr()


def resample_votes(
    counts: Counts, fit: Fit, rng: np.random.Generator, rounds: int = ROUNDS
) -> Bootstrap:
    """Draw every vote Poisson(1) times, as Poisson counts of the folded cells.

    A cell of weighted votes is drawn as Poisson((Σw)²/Σw²) votes of weight Σw²/Σw each: mean and
    variance are those of the drawn weights.
    """

    def drawer(pairs: _Pairs) -> Draw:
        first, second = pairs.group[pairs.i], pairs.group[pairs.j]
        cells = []
        for score in np.unique(fit.scores):
            mass, square = np.zeros(len(first)), np.zeros(len(first))
            for outcome in np.flatnonzero(fit.scores == score):
                there, back = (outcome, first, second), (-1 - outcome, second, first)
                mass += counts.mass[there] + counts.mass[back]
                square += counts.squared_mass[there] + counts.squared_mass[back]
            unit = np.divide(square, mass, out=np.ones_like(mass), where=mass > 0)
            cells.append((score, mass / unit, unit))

        def draw(rounds: int) -> tuple[Floats, Floats]:
            ahead, behind = np.zeros((2, rounds, len(first)))
            for score, mean, unit in cells:
                drawn = rng.poisson(mean, (rounds, len(mean))) * unit
                ahead += score * drawn
                behind += (1.0 - score) * drawn
            return ahead, behind

        return draw

    return _resample(fit, drawer, rounds)


def resample_clusters(
    votes: Votes, fit: Fit, rng: np.random.Generator, by: Method, rounds: int = ROUNDS
) -> Bootstrap:
    """Draw as many clusters (contributors, judgments, …) as there are, with replacement.

    All votes of a cluster come along as often as it was drawn (Davison & Hinkley 1997, Bootstrap
    Methods and their Application, section 3.8, strategy 1).
    """
    votes = comparable(votes, fit)
    cluster, size = cluster_ids(votes, by)
    present = np.flatnonzero(np.bincount(cluster, minlength=size))
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight / UNIT
    score = fit.scores[votes.outcome + STRONGEST]
    swap = votes.first > votes.second
    score = np.where(swap, 1.0 - score, score)

    def drawer(pairs: _Pairs) -> Draw:
        m = votes.competitors
        column = np.full(m * m, -1)
        column[pairs.group[pairs.i] * m + pairs.group[pairs.j]] = np.arange(len(pairs.i))
        low, high = np.minimum(votes.first, votes.second), np.maximum(votes.first, votes.second)
        pair = column[low.astype(np.int64) * m + high]
        mine = pair >= 0
        where = (pair[mine], cluster[mine])
        shape = (len(pairs.i), size)
        ahead = coo_array(((weight * score)[mine], where), shape).tocsr()
        behind = coo_array(((weight * (1.0 - score))[mine], where), shape).tocsr()

        def draw(rounds: int) -> tuple[Floats, Floats]:
            drawn = [rng.choice(present, len(present)) for _ in range(rounds)]
            times = np.stack([np.bincount(ids, minlength=size) for ids in drawn], axis=1)
            return (ahead @ times).T, (behind @ times).T

        return draw

    return _resample(fit, drawer, rounds, (len(present),))


def resample_sequences(
    votes: Votes,
    rng: np.random.Generator,
    rounds: int = ROUNDS,
    step: float = elo.STEP,
    scores: Floats = SIGN,
) -> Bootstrap:
    """Elo after as many votes drawn with replacement, in the order they are drawn.

    The spread shows how much of an Elo rating is order and chance.
    """
    n = len(votes)
    strengths = np.empty((rounds, votes.competitors))
    for k in range(rounds):
        drawn = votes.take(rng.integers(0, n, n)) if n else votes
        strengths[k] = elo.replay(drawn, step=step, scores=scores).strength
    return Bootstrap(strengths, 0)


def _resample(
    fit: Fit,
    drawer: Callable[[_Pairs], Draw],
    rounds: int,
    clusters: tuple[int, ...] = (),
) -> Bootstrap:
    strengths = np.full((rounds, len(fit.strength)), np.nan)
    kept = np.ones(rounds, dtype=bool)
    for group in fit.groups():
        pairs = _Pairs.of(fit, group)
        draw = drawer(pairs)
        batch = max(1, CELLS // max(len(pairs.i), 1))
        for start in range(0, rounds, batch):
            part = slice(start, min(start + batch, rounds))
            ahead, behind = draw(part.stop - start)
            strengths[part, group], fine = _refit(ahead, behind, pairs, fit)
            kept[part] &= fine
    return Bootstrap(strengths[kept], int(rounds - kept.sum()), clusters)


def _refit(ahead: Floats, behind: Floats, pairs: _Pairs, fit: Fit) -> tuple[Floats, Mask]:
    """Strengths (rounds, m), and which rounds have finite ones.

    Chord steps s += L⁺·g with the information L of the real votes, for all rounds at once; a round
    that does not settle so is fitted by itself.
    """
    strength = np.tile(fit.strength[pairs.group], (len(ahead), 1))
    bread, incidence = inverse_information(fit, pairs.group), pairs.incidence()
    finite = _finite(ahead, behind, pairs, fit)
    settled = ~finite
    lost = np.zeros(len(ahead), dtype=bool)
    total = ahead + behind
    for _ in range(CHORDS):
        e = np.exp(np.maximum(strength - strength.max(1, keepdims=True), -700.0))
        p = e[:, pairs.i]
        p /= p + e[:, pairs.j]
        p *= total
        gradient = (incidence @ (ahead - p).T).T
        if fit.prior > 0:
            gradient += fit.prior * (0.5 - expit(strength))
        step = gradient @ bread
        longest = np.abs(step).max(1, initial=0.0)
        lost |= longest > LONGEST
        step[lost | settled] = 0.0
        strength += step
        settled |= longest <= TOLERANCE
        if (settled | lost).all():
            break
    for k in np.flatnonzero(finite & (lost | ~settled)):
        strength[k], _ = newton(pairs.wins(ahead[k], behind[k]), fit.prior)
    return strength, finite


def _finite(ahead: Floats, behind: Floats, pairs: _Pairs, fit: Fit) -> Mask:
    """Which rounds have finite strengths: surely those with every arc that the real votes have."""
    if fit.prior > 0:
        return np.ones(len(ahead), dtype=bool)
    won = submatrix(fit.wins, pairs.group)
    there, back = won[pairs.i, pairs.j] > 0, won[pairs.j, pairs.i] > 0
    finite = np.asarray((ahead > 0)[:, there].all(1) & (behind > 0)[:, back].all(1))
    for k in np.flatnonzero(~finite):
        finite[k] = survey(pairs.wins(ahead[k], behind[k])).whole
    return finite

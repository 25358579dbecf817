"""Bootstrap strengths: the same fit on resampled votes, clusters of votes, or sequences.

Efron 1979, Annals of Statistics 7, 1-26. Every draw comes from the generator that is passed in.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.special import expit

from . import elo
from .bradley_terry import Fit, inverse_information, newton, submatrix
from .counts import SIGN, Counts
from .graph import survey
from .intervals import Covariance, Interval, Method
from .scores import Sparse, cluster_ids, comparable
from .votes import STRONGEST, UNIT, Floats, Ints, Mask, Votes

ROUNDS = 100
CHORDS = 50
"""Chord steps before a round is left to Newton's method."""
LONGEST = 10.0
"""A longer chord step leads nowhere: such a round is left to Newton's method at once."""
TOLERANCE = 1e-6
"""A round has settled when a chord step moves no strength by more; another would move them less."""
SATURATED = 700.0
"""Further below the strongest, a strength is as good as minus infinity."""
CELLS = 1 << 20
"""Pairs times rounds that are worked on at a time."""

Draw = Callable[[int], tuple[Floats, Floats]]
"""For a number of rounds, the wins of i over j and those of j over i: (pairs, rounds) each."""


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
class _Scale:
    """One scale of a fit, its competitors numbered from 0.

    group: the competitors; i, j: the compared pairs, i < j; incidence: a row per competitor and a
    column per pair, 1 for i and -1 for j; bread: L⁺ at the fit.
    """

    group: Ints
    i: Ints
    j: Ints
    incidence: Sparse
    bread: Floats

    @classmethod
    def of(cls, fit: Fit, group: Ints) -> "_Scale":
        won = submatrix(fit.wins, group)
        i, j = np.nonzero(np.triu(won + won.T))
        k = np.arange(len(i))
        entries = np.repeat([1.0, -1.0], len(k)), (np.append(i, j), np.tile(k, 2))
        incidence = coo_array(entries, (len(group), len(k))).tocsr()
        return cls(group, i, j, incidence, inverse_information(fit, group))

    def wins(self, ahead: Floats, behind: Floats) -> Floats:
        """The (m, m) matrix of wins of one round."""
        won = np.zeros((len(self.group), len(self.group)))
        won[self.i, self.j] = ahead
        won[self.j, self.i] = behind
        return won


def resample_votes(
    counts: Counts, fit: Fit, rng: np.random.Generator, rounds: int = ROUNDS
) -> Bootstrap:
    """Draw every vote Poisson(1) times, as Poisson counts of the folded cells.

    A cell of weighted votes is drawn as Poisson((Σw)²/Σw²) votes of weight Σw²/Σw each: mean and
    variance are those of the drawn weights.
    """

    def drawer(scale: _Scale) -> Draw:
        first, second = scale.group[scale.i], scale.group[scale.j]
        cells = []
        for score in np.unique(fit.scores):
            mass, square = np.zeros(len(first)), np.zeros(len(first))
            for outcome in np.flatnonzero(fit.scores == score):
                there, back = (outcome, first, second), (-1 - outcome, second, first)
                mass += counts.mass[there] + counts.mass[back]
                square += counts.squared_mass[there] + counts.squared_mass[back]
            unit = np.divide(square, mass, out=np.ones_like(mass), where=mass > 0)
            cells.append((score, (mass / unit)[:, None], unit[:, None]))

        def draw(rounds: int) -> tuple[Floats, Floats]:
            ahead, behind = np.zeros((2, len(first), rounds))
            for score, mean, unit in cells:
                drawn = rng.poisson(mean, (len(mean), rounds)) * unit
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

    def drawer(scale: _Scale) -> Draw:
        m = votes.competitors
        column = np.full(m * m, -1)
        column[scale.group[scale.i] * m + scale.group[scale.j]] = np.arange(len(scale.i))
        low, high = np.minimum(votes.first, votes.second), np.maximum(votes.first, votes.second)
        pair = column[low.astype(np.int64) * m + high]
        mine = pair >= 0
        where = (pair[mine], cluster[mine])
        shape = (len(scale.i), size)
        ahead = coo_array(((weight * score)[mine], where), shape).tocsr()
        behind = coo_array(((weight * (1.0 - score))[mine], where), shape).tocsr()

        def draw(rounds: int) -> tuple[Floats, Floats]:
            drawn = [rng.choice(present, len(present)) for _ in range(rounds)]
            times = np.stack([np.bincount(ids, minlength=size) for ids in drawn], axis=1)
            return ahead @ times, behind @ times

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
    drawer: Callable[[_Scale], Draw],
    rounds: int,
    clusters: tuple[int, ...] = (),
) -> Bootstrap:
    strengths = np.full((rounds, len(fit.strength)), np.nan)
    kept = np.ones(rounds, dtype=bool)
    for group in fit.groups():
        scale = _Scale.of(fit, group)
        draw = drawer(scale)
        batch = max(1, CELLS // max(len(scale.i), 1))
        for start in range(0, rounds, batch):
            part = slice(start, min(start + batch, rounds))
            ahead, behind = draw(part.stop - start)
            refitted, finite = _refit(ahead, behind, scale, fit)
            strengths[part, group] = refitted.T
            kept[part] &= finite
    return Bootstrap(strengths[kept], int(rounds - kept.sum()), clusters)


def _refit(ahead: Floats, behind: Floats, scale: _Scale, fit: Fit) -> tuple[Floats, Mask]:
    """Strengths (m, rounds), and which rounds have finite ones.

    Chord steps s += L⁺·g with the information L of the real votes, for all rounds at once; a round
    that does not settle so is fitted by itself.
    """
    rounds = len(ahead.T)
    strength = np.tile(fit.strength[scale.group, None], rounds)
    finite = _finite(ahead, behind, scale, fit)
    settled, lost = ~finite, np.zeros(rounds, dtype=bool)
    total = ahead + behind
    for _ in range(CHORDS):
        e = np.exp(np.maximum(strength - strength.max(0), -SATURATED))
        p = e[scale.i]
        p /= p + e[scale.j]
        p *= total
        gradient = scale.incidence @ np.subtract(ahead, p, out=p)
        if fit.prior > 0:
            gradient += fit.prior * (0.5 - expit(strength))
        step = scale.bread @ gradient
        longest = np.abs(step).max(0, initial=0.0)
        lost |= longest > LONGEST
        step[:, lost | settled] = 0.0
        strength += step
        settled |= longest <= TOLERANCE
        if (settled | lost).all():
            break
    for k in np.flatnonzero(finite & (lost | ~settled)):
        strength[:, k], _ = newton(scale.wins(ahead[:, k], behind[:, k]), fit.prior)
    return strength, finite


def _finite(ahead: Floats, behind: Floats, scale: _Scale, fit: Fit) -> Mask:
    """Which rounds have finite strengths: surely those with every arc that the real votes have."""
    if fit.prior > 0:
        return np.ones(len(ahead.T), dtype=bool)
    won = submatrix(fit.wins, scale.group)
    there, back = won[scale.i, scale.j] > 0, won[scale.j, scale.i] > 0
    finite = np.asarray((ahead[there] > 0).all(0) & (behind[back] > 0).all(0))
    for k in np.flatnonzero(~finite):
        finite[k] = survey(scale.wins(ahead[:, k], behind[:, k])).whole
    return finite

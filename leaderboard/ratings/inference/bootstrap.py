"""Bootstrap strengths: the same fit on reweighted votes or contributors, or resampled sequences.

Votes and contributors get random weights of mean and variance 1, exponential ones: the Bayesian
bootstrap (Rubin 1981, Annals of Statistics 9, 130-134). It has the spread of drawing with
replacement, but no round leaves a vote out, so that its strengths are always finite. A round whose
strengths are too large to be computed is lost, and counted. Every draw comes from the generator
that is passed in.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.special import expit

from ..compute.arrays import Floats, Ints
from ..compute.errors import NotConverged, RatingError
from ..data.counts import SIGN_SCORES, Counts
from ..data.votes import MAX_OUTCOME, WEIGHT_UNIT, Votes
from ..models import elo
from ..models.bradley_terry import Fit, inverse_information, newton, submatrix
from .intervals import Covariance, Interval, Method, check_level
from .vote_scores import Sparse, cluster_ids, require_clusters, select_informative

ROUNDS = 100
MAX_CHORD_STEPS = 50
"""Maximum number of chord steps before a round is fitted by Newton's method."""
MAX_CHORD_LENGTH = 10.0
"""With a longer chord step a round is fitted by Newton's method at once."""
TOLERANCE = 1e-6
"""A round has converged when a chord step moves no strength by more than this."""
MAX_LOG_ODDS = 700.0
"""Strengths further below the largest count as minus infinity."""
BATCH_CELLS = 1 << 20
"""Maximum number of pairs times rounds in one batch."""

Draw = Callable[[int], tuple[Floats, Floats]]
"""For a number of rounds, the wins of i over j and those of j over i: (pairs, rounds) each."""


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """Strengths of the rounds.

    strengths: float64 (rounds, M), NaN for competitors that have none; clusters: how many there
    were, where clusters were reweighted; lost: how many further rounds did not converge, which are
    no part of the strengths: where there are many, limits are too narrow.
    """

    strengths: Floats
    clusters: tuple[int, ...] = ()
    lost: int = 0

    def interval(self, level: float = 0.95) -> Interval:
        """Percentile limits of each competitor."""
        check_level(level)
        tail = (1.0 - level) / 2.0
        lower, upper = np.quantile(self.strengths, [tail, 1.0 - tail], axis=0)
        return Interval(lower, upper, level)

    def covariance(self) -> Covariance:
        """Covariance of the strengths over two or more rounds."""
        if len(self.strengths) < 2:
            raise RatingError("one round shows no variance")
        centred = self.strengths - self.strengths.mean(0)
        matrix = centred.T @ centred / (len(centred) - 1)
        return Covariance(matrix, Method.BOOTSTRAP, Method.BOOTSTRAP, self.clusters)


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """One scale of a fit, with its competitors renumbered from 0.

    group: the competitors; i, j: the compared pairs, i < j; incidence: a row per competitor and a
    column per pair, 1 for i and -1 for j; bread: L⁺ at the fit.
    """

    group: Ints
    i: Ints
    j: Ints
    incidence: Sparse
    bread: Floats

    @classmethod
    def from_fit(cls, fit: Fit, group: Ints) -> "_Scale":
        won = submatrix(fit.wins, group)
        i, j = np.nonzero(np.triu(won + won.T))
        k = np.arange(len(i))
        entries = np.repeat([1.0, -1.0], len(k)), (np.append(i, j), np.tile(k, 2))
        incidence = coo_array(entries, (len(group), len(k))).tocsr()
        return cls(group, i, j, incidence, inverse_information(fit, group))

    def wins(self, ahead: Floats, behind: Floats) -> Floats:
        """The (m, m) matrix of wins in one round."""
        won = np.zeros((len(self.group), len(self.group)))
        won[self.i, self.j] = ahead
        won[self.j, self.i] = behind
        return won


# Library API of the engine: the site does not use it.
def reweight_votes(
    counts: Counts, fit: Fit, rng: np.random.Generator, rounds: int = ROUNDS
) -> Bootstrap:
    """Weigh every vote anew: the weights of a folded cell of n votes add up to a Gamma(n).

    A cell of weighted votes is drawn as Gamma((Σw)²/Σw²)·Σw²/Σw, which has the mean and variance of
    its reweighted votes. Raises NotConverged where no round converges.
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
                drawn = rng.standard_gamma(mean, (len(mean), rounds))
                if counts.weight is not None:
                    drawn *= unit
                if score > 0.0:
                    ahead += score * drawn
                if score < 1.0:
                    behind += (1.0 - score) * drawn
            return ahead, behind

        return draw

    return _rounds(fit, drawer, rounds)


def reweight_clusters(
    votes: Votes, fit: Fit, rng: np.random.Generator, by: Method, rounds: int = ROUNDS
) -> Bootstrap:
    """Weigh every cluster (contributor, judgment, …) anew, all its votes alike.

    Fewer than two clusters say nothing: RatingError.
    """
    votes = select_informative(votes, fit)
    cluster, size = cluster_ids(votes, by)
    used = int(np.count_nonzero(np.bincount(cluster, minlength=size)))
    require_clusters(used, by)
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight / WEIGHT_UNIT
    score = fit.scores[votes.outcome + MAX_OUTCOME]
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
            times = rng.standard_exponential((size, rounds))
            return ahead @ times, behind @ times

        return draw

    return _rounds(fit, drawer, rounds, (used,))


# Library API of the engine: the site does not use it.
def resample_sequences(
    votes: Votes,
    rng: np.random.Generator,
    rounds: int = ROUNDS,
    step: float = elo.STEP,
    scores: Floats = SIGN_SCORES,
) -> Bootstrap:
    """Elo after as many votes drawn with replacement, in the order they are drawn.

    The spread shows how much of an Elo rating is order and chance.
    """
    _check_rounds(rounds)
    n = len(votes)
    strengths = np.empty((rounds, votes.competitors))
    for k in range(rounds):
        drawn = votes.take(rng.integers(0, n, n)) if n else votes
        strengths[k] = elo.replay(drawn, step=step, scores=scores).strength
    return Bootstrap(strengths)


def _rounds(
    fit: Fit, drawer: Callable[[_Scale], Draw], rounds: int, clusters: tuple[int, ...] = ()
) -> Bootstrap:
    _check_rounds(rounds)
    strengths = np.full((rounds, len(fit.strength)), np.nan)
    for group in fit.groups():
        scale = _Scale.from_fit(fit, group)
        draw = drawer(scale)
        batch = max(1, BATCH_CELLS // max(len(scale.i), 1))
        for start in range(0, rounds, batch):
            part = slice(start, min(start + batch, rounds))
            strengths[part, group] = _refit(*draw(part.stop - start), scale, fit).T
    lost = np.isnan(strengths[:, np.isfinite(fit.strength)]).any(1)
    if lost.all():
        raise NotConverged(f"none of {rounds} rounds converged")
    return Bootstrap(strengths[~lost], clusters, int(lost.sum()))


def _check_rounds(rounds: int) -> None:
    if rounds < 1:
        raise RatingError(f"{rounds} rounds show nothing")


def _refit(ahead: Floats, behind: Floats, scale: _Scale, fit: Fit) -> Floats:
    """Strengths (m, rounds) by chord steps s += L⁺·g, with the information L of the real votes.

    All rounds take their steps together; one that does not settle so is fitted by itself, and has
    NaN if that does not converge.
    """
    rounds = len(ahead.T)
    strength = np.tile(fit.strength[scale.group, None], rounds)
    settled, lost = np.zeros((2, rounds), dtype=bool)
    total = ahead + behind
    for _ in range(MAX_CHORD_STEPS):
        e = np.exp(np.maximum(strength - strength.max(0), -MAX_LOG_ODDS))
        p = e[scale.i]
        p /= p + e[scale.j]
        p *= total
        gradient = scale.incidence @ np.subtract(ahead, p, out=p)
        if fit.prior > 0:
            gradient += fit.prior * (0.5 - expit(strength))
        step = scale.bread @ gradient
        longest = np.abs(step).max(0, initial=0.0)
        lost |= longest > MAX_CHORD_LENGTH
        step[:, lost | settled] = 0.0
        strength += step
        settled |= longest <= TOLERANCE
        if (settled | lost).all():
            break
    for k in np.flatnonzero(lost | ~settled):
        try:
            strength[:, k], _ = newton(scale.wins(ahead[:, k], behind[:, k]), fit.prior)
        except NotConverged:
            strength[:, k] = np.nan
    return strength

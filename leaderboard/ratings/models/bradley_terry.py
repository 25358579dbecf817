"""Bradley-Terry strengths by Newton's method on folded counts."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ..compute.arrays import Floats, Ints
from ..compute.errors import RatingError
from ..compute.newton import MAX_LOG_ODDS_STEP, gauge_weight, inverse, maximise
from ..data.connectivity import Rated, find_components
from ..data.counts import SIGN_SCORES, Counts, effective_votes, wins

MAX_EXPONENT = 700.0
"""Maximum exponent: exp() of more is not a float64."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit(Rated):
    """Bradley-Terry strengths, and what they were fitted to.

    wins: float64 (M, M), see `counts.wins`; scores: score by outcome -3 … 3, float64 (7,);
    prior: pseudo-votes per competitor; effective_votes: float64 (M,), those that inform
    each strength, 0 without a rating, see `counts.effective_votes`.
    """

    wins: Floats
    scores: Floats
    prior: float
    effective_votes: Floats
    converged: bool
    iterations: int


def fit(counts: Counts, scores: Floats = SIGN_SCORES, prior: float = 0.0) -> Fit:
    """Maximum-likelihood Bradley-Terry strengths.

    P(i beats j) = 1 / (1 + exp(s_j - s_i)), and s maximises Σ_ij wins[i, j]·log P(i beats j); ties
    count as half a win each way, or as `scores` says (Bradley & Terry 1952, Biometrika 39, 324-345;
    fractional wins as a quasi-likelihood: Papke & Wooldridge 1996, J. Appl. Econometrics 11).

    Without a prior the undefeated, the winless and those cut off from the core of their component
    stay unrated: the likelihood sends them to ± infinity, where their votes say nothing about the
    others. prior > 0 gives each competitor that many tied pseudo-votes against one opponent per
    component, adding Σ_i prior/2·[log σ(s_i) + log σ(-s_i)]: everybody with a vote then has a
    finite strength, shrunk towards 0, which is that opponent's and only about the mean.

    A prior that is negative or not finite is refused. Raises NotConverged.
    """
    if not 0.0 <= prior < np.inf:
        raise RatingError(f"a prior of {prior} is not a number of votes")
    won = wins(counts, scores)
    field = find_components(won)
    strength = np.full(len(won), np.nan)
    iterations = 0
    for group in field.groups(field.component >= 0 if prior > 0 else field.rated):
        strength[group], used = newton(submatrix(won, group), prior)
        iterations = max(iterations, used)
    informing = effective_votes(counts, Rated(strength, field).same_scale)
    return Fit(strength, field, won, scores, prior, informing, True, iterations)


def win_matrix(fit: Fit) -> Floats:
    """P(row beats column): float64 (M, M), NaN where the two share no scale."""
    p = np.full(fit.wins.shape, np.nan)
    for group in fit.groups():
        p[np.ix_(group, group)] = win_probability(fit.strength[group])
    return p


# Library API of the engine: the site does not use it.
def log_likelihood(fit: Fit) -> float:
    """Σ_ij wins[i, j]·log P(i beats j) over the pairs that share a scale."""
    total = 0.0
    for group in fit.groups():
        s = fit.strength[group]
        total -= float((submatrix(fit.wins, group) * np.logaddexp(0.0, s - s[:, None])).sum())
    return total


def newton(won: Floats, prior: float = 0.0) -> tuple[Floats, int]:
    """Strengths of one strongly connected (m, m) matrix of wins, and the steps taken.

    Started at the log-odds of each competitor's wins, so that the result depends on them alone.
    """
    n = won + won.T
    target = won.sum(1)

    def anchored(strength: Floats) -> tuple[Floats, Floats]:
        gradient, information = derivatives(strength, n, target, prior)
        if prior <= 0:
            information += gauge_weight(information)
        return gradient, information

    start = np.log((target + 0.5) / (won.sum(0) + 0.5)).clip(-3.0, 3.0)
    strength, iterations = maximise(start, anchored, lambda step: max_log_odds_step(step, n))
    return strength if prior > 0 else strength - strength.mean(), iterations


def max_log_odds_step(step: Floats, n: Floats) -> float:
    """The largest change of a compared pair's log-odds that a step of the strengths makes."""
    spread = float(np.ptp(step))
    if spread <= MAX_LOG_ODDS_STEP:
        return spread
    return float(np.abs(np.subtract.outer(step, step)).max(where=n > 0, initial=0.0))


def derivatives(
    strength: Floats, n: Floats, target: Floats, prior: float = 0.0
) -> tuple[Floats, Floats]:
    """Gradient (m,) and negative Hessian (m, m) of the log-likelihood of n_ij comparisons.

    g_i = target_i - Σ_j n_ij·p_ij; the negative Hessian is the Laplacian of n_ij·p_ij·p_ji.
    """
    p = win_probability(strength)
    expected = n * p
    gradient = target - expected.sum(1)
    p *= expected
    expected -= p  # n·p·(1 - p)
    information = np.negative(expected, out=p)
    diagonal = expected.sum(1)
    if prior > 0:
        pull = expit(strength)
        gradient += prior * (0.5 - pull)
        diagonal += prior * pull * (1.0 - pull)
    np.fill_diagonal(information, diagonal)
    return gradient, information


def inverse_information(fit: Fit, group: Ints) -> Floats:
    """L⁺ of the competitors of one scale: float64 (m, m); centred like the strengths."""
    won = submatrix(fit.wins, group)
    _, information = derivatives(fit.strength[group], won + won.T, won.sum(1), fit.prior)
    if fit.prior > 0:
        return inverse(information)
    spread = inverse(information + gauge_weight(information))
    return np.asarray(spread - spread.mean(0))


def bread(fit: Fit) -> Floats:
    """L⁺ of all scales together: float64 (M, M), 0 for pairs that share none."""
    whole = np.zeros_like(fit.wins)
    for group in fit.groups():
        whole[np.ix_(group, group)] = inverse_information(fit, group)
    return whole


def win_probability(strength: Floats) -> Floats:
    """P(i beats j) for all pairs, (m, m), with m exponentials where they fit into a float64."""
    if np.ptp(strength) > MAX_EXPONENT:
        return np.asarray(expit(strength[:, None] - strength))
    e: Floats = np.exp(strength - strength.max())
    return e[:, None] / (e[:, None] + e)


def submatrix(matrix: Floats, group: Ints) -> Floats:
    """Rows and columns of a group; no copy where the group is everybody."""
    return matrix if len(group) == len(matrix) else matrix[np.ix_(group, group)]

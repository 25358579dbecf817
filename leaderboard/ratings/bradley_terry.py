"""Bradley-Terry strengths by Newton's method on folded counts."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack
from scipy.special import expit

from .counts import SIGN, Counts, effective_votes, wins
from .errors import NotConverged
from .graph import Field, survey
from .votes import Floats, Ints, Mask

MAX_ITERATIONS = 100
TOLERANCE = 1e-9
"""A fit has converged when a whole Newton step moves no strength by more than this; as Newton's
error squares at every step, what is left is rounding."""
OVERFLOW = 700.0
"""exp() of more than this is not a float64."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Bradley-Terry strengths.

    strength: float64 (M,), natural-log strength, mean 0 over the rated of each component; NaN where
    the votes allow no finite value (`field.status` says why);
    field: components and statuses; wins: float64 (M, M), what was fitted; scores: outcome → score;
    prior: pseudo-votes per competitor; effective_votes: float64 (M,), see `counts.effective_votes`.
    """

    strength: Floats
    field: Field
    wins: Floats
    scores: Floats
    prior: float
    effective_votes: Floats
    converged: bool
    iterations: int

    @property
    def same_scale(self) -> Mask:
        """Pairs whose strengths can be compared: bool (M, M)."""
        rated = np.isfinite(self.strength)
        component = self.field.component
        return rated[:, None] & rated & np.equal.outer(component, component)

    def groups(self) -> list[Ints]:
        """Indices of the competitors with a strength, one array per scale."""
        return self.field.members() if self.prior > 0 else self.field.cores()


def fit(counts: Counts, scores: Floats = SIGN, prior: float = 0.0) -> Fit:
    """Maximum-likelihood Bradley-Terry strengths.

    P(i beats j) = 1 / (1 + exp(s_j - s_i)), and s maximises Σ_ij wins[i, j]·log P(i beats j); ties
    count as half a win each way, or as `scores` says (Bradley & Terry 1952, Biometrika 39, 324-345;
    fractional wins as a quasi-likelihood: Papke & Wooldridge 1996, J. Appl. Econometrics 11).

    Without a prior the undefeated, the winless and those cut off from the core of their component
    stay unrated: the likelihood sends them to ± infinity, where their votes say nothing about the
    others. prior > 0 gives each competitor that many tied pseudo-votes against one opponent of
    strength 0 per component, adding Σ_i prior/2·[log σ(s_i) + log σ(-s_i)]: everybody with a vote
    then has a finite strength, shrunk towards the middle.

    Always started at 0, so that the result depends on the counts alone. Raises NotConverged.
    """
    won = wins(counts, scores)
    field = survey(won)
    strength = np.full(len(won), np.nan)
    iterations = 0
    for group in field.members() if prior > 0 else field.cores():
        strength[group], used = newton(submatrix(won, group), prior)
        iterations = max(iterations, used)
    return Fit(strength, field, won, scores, prior, effective_votes(counts), True, iterations)


def win_matrix(fit: Fit) -> Floats:
    """P(row beats column): float64 (M, M), NaN where the two share no scale."""
    p = np.full(fit.wins.shape, np.nan)
    for group in fit.groups():
        p[np.ix_(group, group)] = win_probability(fit.strength[group])
    return p


def log_likelihood(fit: Fit) -> float:
    """Σ_ij wins[i, j]·log P(i beats j) over the pairs that share a scale."""
    total = 0.0
    for group in fit.groups():
        s = fit.strength[group]
        total -= float((submatrix(fit.wins, group) * np.logaddexp(0.0, s - s[:, None])).sum())
    return total


def newton(won: Floats, prior: float = 0.0) -> tuple[Floats, int]:
    """Strengths (mean 0) of one strongly connected (m, m) matrix of wins, and the steps taken.

    Each step solves (L + c·11ᵀ)·δ = g by Cholesky, where g is the gradient and L, the negative
    Hessian, is the Laplacian of the weights q_ij = n_ij·p_ij·p_ji; adding the rank-one term fixes
    the free additive constant and changes nothing else, as g and δ sum to 0.
    """
    n = won + won.T
    target = won.sum(1)
    strength = np.zeros(len(won))
    step: Floats = np.zeros(len(won))
    slope = np.inf
    for iteration in range(MAX_ITERATIONS + 1):
        gradient, information = derivatives(strength, n, target, prior)
        if -(gradient @ step) > slope:  # the last step overshot: its slope reversed and grew
            step /= 2.0
            strength -= step
            continue
        step = solve(information, gradient, gauge=prior <= 0)
        slope = float(gradient @ step)
        strength += step
        if np.abs(step).max(initial=0.0) <= TOLERANCE:
            return strength - strength.mean(), iteration + 1
    raise NotConverged(f"Bradley-Terry did not converge in {MAX_ITERATIONS} Newton steps")


def derivatives(
    strength: Floats, n: Floats, target: Floats, prior: float = 0.0
) -> tuple[Floats, Floats]:
    """Gradient (m,) and negative Hessian (m, m) of the log-likelihood of n_ij comparisons."""
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


def win_probability(strength: Floats) -> Floats:
    """P(i beats j) for all pairs, (m, m), with m exponentials where they fit into a float64."""
    if np.ptp(strength) > OVERFLOW:
        return np.asarray(expit(strength[:, None] - strength))
    e: Floats = np.exp(strength - strength.max())
    return e[:, None] / (e[:, None] + e)


def solve(information: Floats, gradient: Floats, *, gauge: bool) -> Floats:
    """Solution δ of L·δ = g by Cholesky; with `gauge`, the one of mean 0 for a Laplacian L."""
    if gauge:
        information += anchor(information)
    _, solution, failed = lapack.dposv(information, gradient, overwrite_a=True)
    if failed:
        raise NotConverged("the information matrix is singular to working precision")
    return np.asarray(solution)


def anchor(information: Floats) -> float:
    """A weight c for the rank-one term c·11ᵀ, of the size of the matrix it is added to."""
    m = len(information)
    return float(np.trace(information)) / m**2 if m > 1 else 1.0


def submatrix(matrix: Floats, group: Ints) -> Floats:
    """Rows and columns of a group; the matrix itself where the group is everybody."""
    return matrix if len(group) == len(matrix) else matrix[np.ix_(group, group)]

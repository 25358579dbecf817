"""Bradley-Terry with ties as a third outcome (Davidson 1970)."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import NegativeCycleError, bellman_ford

from ..compute.arrays import Floats, Ints, Mask
from ..compute.newton import gauge_weight, inverse, maximise
from ..data.connectivity import Rated, find_components
from ..data.counts import Counts, wins
from ..data.votes import MAX_OUTCOME
from ..inference.intervals import Covariance, Method
from ..inference.vote_scores import laplacian
from ..models.bradley_terry import max_log_odds_step, newton, submatrix


@dataclass(frozen=True, slots=True, eq=False)
class Fit(Rated):
    """Strengths and the propensity to tie, one per component.

    log_tie: float64 (components,), log ν: two equal competitors tie with odds ν : 2. -inf where
    nobody tied, +inf where everybody did (then nobody has a strength), NaN where not estimable.
    wins, ties: float64 (M, M), what was fitted.
    """

    log_tie: Floats
    wins: Floats
    ties: Floats
    converged: bool
    iterations: int


def fit(counts: Counts) -> Fit:
    """Maximum-likelihood strengths s and tie parameter ν of each component.

    With d = s_i - s_j and Z = e^(d/2) + e^(-d/2) + ν: P(i beats j) = e^(d/2) / Z, P(tie) = ν / Z
    (Davidson 1970, J. American Statistical Association 65, 317-328, eq. 2.2). How strongly a side
    was preferred does not matter. These strengths say how often one wins where nobody ties, on
    another scale than ties as half wins: never put both on one board.

    Finite strengths need the core of `find_components` and, where there are ties, a cycle of
    results with more wins than ties (else ν and the differences may grow together; see
    `_has_finite_maximum`): a component without is left unrated, NaN.
    """
    half = wins(counts)
    tied = counts.mass[MAX_OUTCOME].astype(np.float64)
    tied = tied + tied.T
    field = find_components(half)
    strength = np.full(len(half), np.nan)
    log_tie = np.full(field.components, np.nan)
    iterations = 0
    for group in field.groups(field.rated):
        won, ties = submatrix(half, group), submatrix(tied, group)
        component = field.component[group[0]]
        if not ties.any():
            log_tie[component] = -np.inf
            strength[group], used = newton(won)
        elif not (won - ties / 2.0).any():
            log_tie[component], used = np.inf, 0
        elif not _has_finite_maximum(won - ties / 2.0 > 0, ties > 0):
            used = 0
        else:
            strength[group], log_tie[component], used = _newton(won, ties)
        iterations = max(iterations, used)
    return Fit(strength, field, log_tie, half, tied, True, iterations)


# Library API of the engine: the site does not use it.
def probabilities(fit: Fit) -> tuple[Floats, Floats]:
    """P(row beats column) and P(tie): float64 (M, M), NaN where the two share no scale."""
    win, tie = np.full(fit.wins.shape, np.nan), np.full(fit.wins.shape, np.nan)
    for group in fit.groups():
        nu = np.exp(fit.log_tie[fit.field.component[group[0]]])
        block = np.ix_(group, group)
        win[block], tie[block] = _chances(fit.strength[group], nu)
    return win, tie


# Library API of the engine: the site does not use it.
def covariance(counts: Counts, fit: Fit) -> Covariance:
    """Sandwich covariance of the strengths, every vote by itself; see `intervals`.

    The score of a vote is (y - m)·(e_i - e_j) for s and t - P(tie) for log ν, with y its half-win
    score, m its expectation and t whether it was a tie.
    """
    matrix = np.full(fit.wins.shape, np.nan)
    for group in fit.groups():
        log_tie = float(fit.log_tie[fit.field.component[group[0]]])
        block = np.ix_(group, group)
        matrix[block] = _sandwich(counts, fit, group, log_tie)
    return Covariance(matrix, Method.INDEPENDENT, Method.INDEPENDENT)


def derivatives(
    strength: Floats, log_tie: float, won: Floats, ties: Floats
) -> tuple[Floats, Floats]:
    """Gradient (m+1,) and negative Hessian (m+1, m+1) of the log-likelihood in (s, log ν).

    It is Σ_{i<j} ½·(w_ij - w_ji)·d + t_ij·log ν - n_ij·log Z, with half of the ties in each w.
    """
    n = won + won.T
    win, tie = _chances(strength, float(np.exp(log_tie)))
    lead = (win - win.T) / 2.0
    gradient = np.append((won - n * (0.5 + lead)).sum(1), (ties - n * tie).sum() / 2.0)
    information = np.empty((len(won) + 1, len(won) + 1))
    information[:-1, :-1] = laplacian(n * ((1.0 - tie) / 4.0 - lead**2))
    information[:-1, -1] = information[-1, :-1] = -(n * lead * tie).sum(1)
    information[-1, -1] = (n * tie * (1.0 - tie)).sum() / 2.0
    return gradient, information


def _newton(won: Floats, ties: Floats) -> tuple[Floats, float, int]:
    """Strengths and log ν, from equal strengths and the overall share of ties."""

    def anchored(x: Floats) -> tuple[Floats, Floats]:
        gradient, information = derivatives(x[:-1], float(x[-1]), won, ties)
        information[:-1, :-1] += gauge_weight(information[:-1, :-1])
        return gradient, information

    share = ties.sum() / 2.0 / won.sum()
    start = np.append(np.zeros(len(won)), np.log(2.0 * share / (1.0 - share)))
    n = won + won.T
    x, iterations = maximise(
        start, anchored, lambda step: max_log_odds_step(step[:-1], n) + abs(float(step[-1]))
    )
    return x[:-1] - x[:-1].mean(), float(x[-1]), iterations


def _chances(strength: Floats, nu: float) -> tuple[Floats, Floats]:
    half = (strength[:, None] - strength) / 2.0
    top = np.abs(half)  # both exponents stay at or below 0
    win, lose = np.exp(half - top), np.exp(-half - top)
    tie = nu * np.exp(-top)
    z = win + lose + tie
    return win / z, tie / z


def _has_finite_maximum(beaten: Mask, tied: Mask) -> bool:
    """Whether some cycle of arcs i → j, i having beaten j or tied with j, has more wins than ties.

    The likelihood never falls along (d, log ν) += a·(δ, 1/2) if and only if δ_i - δ_j ≥ 1 for every
    win and ≥ -1 for every tie, both ways. Around a cycle the left sides add up to 0, so that wins
    less ties must not exceed 0; and by shortest paths that is enough for such a δ (Bellman-Ford).
    """
    length = np.where(beaten, -1.0, np.where(tied, 1.0, 0.0))
    try:
        bellman_ford(length, indices=[0])
    except NegativeCycleError:
        return True
    return False


def _sandwich(counts: Counts, fit: Fit, group: Ints, log_tie: float) -> Floats:
    m = len(group)
    s = fit.strength[group]
    _, information = derivatives(s, log_tie, submatrix(fit.wins, group), submatrix(fit.ties, group))
    information[:-1, :-1] += gauge_weight(information[:-1, :-1])
    if np.isneginf(log_tie):
        information[-1, -1] = 1.0  # ν is 0 and has no part in the rest
    win, tie = _chances(s, float(np.exp(log_tie)))
    expected = win + tie / 2.0
    seen = counts.squared_mass
    won = seen[MAX_OUTCOME + 1 :].sum(0) + seen[:MAX_OUTCOME].sum(0).T
    tied = (seen[MAX_OUTCOME] + seen[MAX_OUTCOME].T) / 2.0  # half in each order of the pair
    pair, cross, own = np.zeros((m, m)), np.zeros((m, m)), 0.0
    for cells, y, t in ((submatrix(won, group), 1.0, 0.0), (submatrix(tied, group), 0.5, 1.0)):
        pair += cells * (y - expected) ** 2
        cross += cells * (y - expected) * (t - tie)
        own += float((cells * (t - tie) ** 2).sum())
    meat = np.empty((m + 1, m + 1))
    meat[:-1, :-1] = laplacian(pair + pair.T)
    meat[:-1, -1] = meat[-1, :-1] = cross.sum(1) - cross.sum(0)
    meat[-1, -1] = own
    bread = inverse(information)[:-1]
    bread -= bread.mean(0)
    return np.asarray(bread @ meat @ bread.T)

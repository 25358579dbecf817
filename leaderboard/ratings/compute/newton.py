"""Newton's method for concave log-likelihoods, by which every model here is fitted."""

from collections.abc import Callable

import numpy as np
from scipy.linalg import lapack

from .arrays import Floats
from .errors import NotConverged, Singular

MAX_ITERATIONS = 200
TOLERANCE = 1e-5
"""A fit has converged with a whole step that moves no parameter by more than this: Newton's error
squares at every step (logistic likelihoods: Bach 2010, Electronic J. Statistics 4, section 2), so
that about 1e-10 is left after it, less than a millionth of a point on a board."""
SHORT_STEP, NEGLIGIBLE_GAIN = 1e-2, 1e-16
"""It has also converged with a step below SHORT_STEP that is shorter than 1e-8 standard errors, so
that δᵀ·information·δ is below NEGLIGIBLE_GAIN: only rounding, where votes say almost nothing."""
MIN_OWN_INFORMATION = 1e-12
"""A matrix is singular if the other parameters leave less than this share of one's information."""

MAX_LOG_ODDS_STEP = 3.0
"""Maximum change of a log-odds in one step: beyond it the quadratic approximation fails."""

Derivatives = Callable[[Floats], tuple[Floats, Floats]]
StepSize = Callable[[Floats], float]


def maximise(
    start: Floats,
    derivatives: Derivatives,
    max_log_odds_step: StepSize = np.ptp,
    tolerance: float = TOLERANCE,
) -> tuple[Floats, int]:
    """The maximum, and how many evaluations it took.

    derivatives(x) is the gradient (k,) and a positive definite negative Hessian (k, k), which is
    overwritten; max_log_odds_step(step) is the largest change of a log-odds that a step makes. A
    step has overshot, and is halved, where the slope along it is reversed and more than half of
    what it was, or where the Hessian has become singular. Raises NotConverged, and Singular at the
    start.
    """
    x = start.copy()
    step: Floats = np.zeros(len(x))
    slope = np.inf
    for iteration in range(MAX_ITERATIONS):
        gradient, information = derivatives(x)
        overshot = -(gradient @ step) > slope / 2.0
        following = None if overshot else _solution(information, gradient)
        if following is None and iteration > 0:
            step, slope = step / 2.0, slope / 2.0
            x -= step
            continue
        if following is None:
            raise Singular("the information matrix is singular to working precision")
        step = following
        if len(step) > 0 and (length := max_log_odds_step(step)) > MAX_LOG_ODDS_STEP:
            step *= MAX_LOG_ODDS_STEP / length
        slope = float(gradient @ step)
        x += step
        longest = np.abs(step).max(initial=0.0)
        if longest <= tolerance or (longest <= SHORT_STEP and slope <= NEGLIGIBLE_GAIN):
            return x, iteration + 1
    raise NotConverged(f"no convergence in {MAX_ITERATIONS} evaluations")


def solve(information: Floats, gradient: Floats) -> Floats:
    """δ with information·δ = gradient, by Cholesky; overwrites `information`. Raises Singular."""
    solution = _solution(information, gradient)
    if solution is None:
        raise Singular("the information matrix is singular to working precision")
    return solution


def _solution(information: Floats, gradient: Floats) -> Floats | None:
    if len(gradient) == 0:  # which LAPACK refuses
        return gradient
    diagonal = np.diag(information).copy()
    # the transpose of a C-ordered matrix is what Fortran can overwrite, and it is the same matrix
    factor, solution, failed = lapack.dposv(information.T, gradient, lower=True, overwrite_a=True)
    if failed or (np.diag(factor) ** 2 < MIN_OWN_INFORMATION * diagonal).any():
        return None
    return np.asarray(solution)


def inverse(information: Floats) -> Floats:
    """Inverse of a positive definite matrix, symmetric to the last digit."""
    if len(information) == 0:
        return information
    factor, failed = lapack.dpotrf(information, lower=True)
    if failed:
        raise Singular("the information matrix is singular to working precision")
    lower, _ = lapack.dpotri(factor, lower=True)
    return np.asarray(np.tril(lower) + np.tril(lower, -1).T)


def gauge_weight(information: Floats) -> float:
    """A weight c for the rank-one term c·11ᵀ, of the size of the matrix it is added to.

    Strengths are free up to a constant, so their information L has L·1 = 0. L + c·11ᵀ is positive
    definite, and its solutions for gradients that sum to 0 are those of L with mean 0.
    """
    m = len(information)
    return float(np.trace(information)) / m**2 if m > 1 else 1.0

"""The gap of each matchup, by what is known of its competitors or its key and by who answered what.

A gap is the first response's lead in logits, on a grid. Ordinary ones are N(θ_i - θ_j, σ²) around
the difference of two strengths θ ~ N(0, 1), one of a control is N(±2.6, .8²) towards its key.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leaderboard.ratings import Floats

GRID: Floats = np.linspace(-5.0, 5.0, 21)
KEYED_GAP, KEYED_SPREAD = 2.6, 0.8
MIN_SPREAD, MAX_SPREAD = 0.5, 2.0
MIN_INFORMATION = 1e-6
UNKEYED = 2
"""In place of the sign of a key, where there is none."""
Integers = npt.NDArray[np.signedinteger]


@dataclass(frozen=True, eq=False)
class Matchups:
    """m matchups between M competitors.

    first, second: int (m,), competitors, or -1 where nobody's; key: int (m,), 1 where the first
    response is right, -1 where the second is, 0 where they are identical, `UNKEYED` where there is
    no key; competitors: M.
    """

    first: Integers
    second: Integers
    key: Integers
    competitors: int


class GapModel:
    """Strengths θ, float64 (M,), and the spread σ of ordinary gaps around their differences."""

    def __init__(self, matchups: Matchups) -> None:
        self.matchups = matchups
        self.strengths: Floats = np.zeros(matchups.competitors)
        self.spread = 1.0
        known = (matchups.first >= 0) & (matchups.second >= 0) & (matchups.key == UNKEYED)
        self.rated = np.flatnonzero(known)
        self.first = matchups.first[self.rated]
        self.second = matchups.second[self.rated]

    def log_priors(self) -> Floats:
        """Log density of each gap on the grid, up to a constant: float64 (m, 21)."""
        keyed = np.abs(self.matchups.key) == 1
        mean = np.where(keyed, KEYED_GAP * self.matchups.key, 0.0)
        mean[self.rated] = self.strengths[self.first] - self.strengths[self.second]
        # Of two that nobody knows: two strengths and the record.
        variance = np.where(keyed, KEYED_SPREAD**2, 2.0 + self.spread**2)
        variance[self.rated] = self.spread**2
        result: Floats = -((GRID - mean[:, None]) ** 2) / (2.0 * variance[:, None])
        return result

    def fit(self, evidence: Floats, steps: int) -> None:
        """Move strengths and spread to where the answers are likelier, by Newton's method.

        evidence: float64 (m, 21), the log-likelihood of the answers to each matchup by its gap. Of
        the marginal likelihood the gradient in a difference of strengths is (m - μ)/σ² and the
        information (1 - v/σ²)/σ², m and v being the posterior mean and variance of the gap.
        """
        if len(self.rated) == 0:
            return
        evidence = evidence[self.rated]
        for _ in range(steps):
            mean, variance = self.describe(evidence)
            difference = self.strengths[self.first] - self.strengths[self.second]
            square = self.spread**2
            gradient = self.spread_out((mean - difference) / square)
            information = np.maximum((1.0 - variance / square) / square, MIN_INFORMATION)
            step = np.linalg.solve(self.laplacian(information), gradient - self.strengths)
            self.strengths = self.strengths + step
        mean, variance = self.describe(evidence)
        difference = self.strengths[self.first] - self.strengths[self.second]
        spread = np.sqrt(np.mean(variance + (mean - difference) ** 2))
        self.spread = float(np.clip(spread, MIN_SPREAD, MAX_SPREAD))

    def describe(self, evidence: Floats) -> tuple[Floats, Floats]:
        """Posterior mean and variance of the rated gaps."""
        return moments(evidence + self.log_priors()[self.rated])

    def spread_out(self, values: Floats) -> Floats:
        """Σ of the values over each competitor's matchups, with the sign of its side."""
        size = self.matchups.competitors
        result: Floats = np.bincount(self.first, values, size).astype(np.float64)
        return result - np.bincount(self.second, values, size)

    def laplacian(self, information: Floats) -> Floats:
        """Negative second derivative of the log posterior of the strengths: float64 (M, M)."""
        size = self.matchups.competitors
        pairs = np.bincount(self.first * np.int64(size) + self.second, information, size**2)
        weights = pairs.reshape(size, size)
        weights = weights + weights.T
        result: Floats = np.diag(weights.sum(1) + 1.0) - weights
        return result


def moments(log_density: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of each row, a log density on the grid: float64 (n,) each."""
    density = np.exp(log_density - log_density.max(1, keepdims=True))
    total = density.sum(1)
    mean = density @ GRID / total
    return mean, np.maximum(density @ GRID**2 / total - mean**2, 0.0)

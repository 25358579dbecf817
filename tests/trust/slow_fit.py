"""The fit of reliability once more, slowly and by itself: every answer on the whole grid of gaps.

Written from the formulas and not from `leaderboard.trust`: nothing is imported from there.
"""

from dataclasses import dataclass
from itertools import pairwise, product
from math import erf, exp, sqrt

import numpy as np

GRID = [-5.0 + 0.5 * step for step in range(21)]


@dataclass(frozen=True)
class Kind:
    """A class: sensitivity, lapse, tie width, lean."""

    s: float
    lapse: float
    t: float
    b: float

    def answer(self, gap: float, size: int) -> np.ndarray:
        read, blind = ordered(self.s * gap + self.b, self.t, size), ordered(self.b, self.t, size)
        return (1 - self.lapse) * read + self.lapse * blind

    def identical(self, size: int) -> np.ndarray:
        habit = ordered(self.b, self.t, size)
        attends = min(self.s / 0.7, 1.0) * (1 - self.lapse)
        seen = 0.12 * habit / (1 - habit[size // 2])
        seen[size // 2] = 0.88
        return attends * seen + (1 - attends) * habit


def ordered(place: float, t: float, size: int) -> np.ndarray:
    """Left much better first; `place` is the left response's lead."""
    cuts = {2: [0.0], 3: [t, -t], 5: [2.6 * t, t, -t, -2.6 * t]}[size]
    at_least = [0.0, *(1 / (1 + exp(cut - place)) for cut in cuts), 1.0]
    return np.diff(at_least)


def list_kinds(size: int) -> tuple[list[Kind], int]:
    """All classes, those that read first, and how many these are."""
    widths = [0.15, 0.35, 0.6, 1.0, 1.7] if size > 2 else [0.0]
    reading = [
        Kind(*each)
        for each in product(
            [0.2, 0.36, 0.63, 1.12, 2.0], [0.05, 0.3], widths, [-0.8, -0.4, 0.0, 0.4, 0.8]
        )
    ]
    leans = [-2.5, -1.0, -0.35, 0.0, 0.35, 1.0, 2.5]
    return reading + [Kind(0.0, 0.0, t, b) for t, b in product(widths, leans)], len(reading)


def fit_slowly(votes, first, second, keys, models, people, size):
    """(P(reads), R) of each person. votes: (person, matchup, category as displayed, left)."""
    kinds, readers = list_kinds(size)
    prior = np.array(
        [17.0 / readers] * readers + [3.0 / (len(kinds) - readers)] * (len(kinds) - readers)
    )
    at_gap = np.array([[kind.answer(gap, size) for kind in kinds] for gap in GRID])
    at_gap = at_gap.transpose(0, 2, 1)  # gap, category, class
    same = np.array([kind.identical(size) for kind in kinds]).T
    count = np.zeros(people)
    for person, *_ in votes:
        count[person] += 1
    shares, strengths, spread = prior / prior.sum(), np.zeros(models), 1.0
    beliefs = np.tile(shares, (people, 1))
    likelihood = np.zeros((people, len(kinds)))
    for turn in range(3):
        # What each vote says of its gap, first minus second.
        evidence = []
        for person, matchup, category, left in votes:
            if keys[matchup] == 0:
                evidence.append(np.zeros(21))
                continue
            seen = at_gap[:, category] @ beliefs[person]
            weight = min(1.0, 60 / count[person])
            evidence.append(weight * np.log(seen if left > 0 else seen[::-1]))
        total = np.zeros((len(keys), 21))
        for (_, matchup, _, _), one in zip(votes, evidence, strict=True):
            total[matchup] += one
        strengths, spread = climb(
            total, first, second, keys, strengths, spread, steps=2 if turn else 5
        )
        likelihood = np.zeros((people, len(kinds)))
        for (person, matchup, category, left), one in zip(votes, evidence, strict=True):
            if keys[matchup] == 0:
                likelihood[person] += np.log(same[category])
                continue
            density = (
                total[matchup] - one + prior_of(matchup, first, second, keys, strengths, spread)
            )
            density = np.exp(density - density.max())
            density /= density.sum()
            shown = density if left > 0 else density[::-1]
            likelihood[person] += np.log(shown @ at_gap[:, category])
        for _ in range(6):
            weights = posterior(likelihood, shares).sum(0) + prior
            shares = weights / weights.sum()
        beliefs = posterior(likelihood, shares)
    signal = np.array([signal_of(kind, size) for kind in kinds])
    signal /= (shares[:readers] @ signal[:readers]) / shares[:readers].sum()
    return beliefs[:, :readers].sum(1), beliefs @ signal


def posterior(likelihood, shares):
    values = likelihood + np.log(shares)
    values = np.exp(values - values.max(1, keepdims=True))
    return values / values.sum(1, keepdims=True)


def prior_of(matchup, first, second, keys, strengths, spread):
    if abs(keys[matchup]) == 1:
        mean, variance = 2.6 * keys[matchup], 0.64
    else:
        mean, variance = strengths[first[matchup]] - strengths[second[matchup]], spread**2
    return np.array([-((gap - mean) ** 2) / (2 * variance) for gap in GRID])


def climb(total, first, second, keys, strengths, spread, steps):
    """Newton's steps in the strengths, then the spread."""
    rated = [m for m in range(len(keys)) if keys[m] == 2]
    if not rated:
        return strengths, spread
    for _ in range(steps):
        gradient, curve = -strengths.copy(), np.eye(len(strengths))
        for m in rated:
            mean, variance = moments(total[m] + prior_of(m, first, second, keys, strengths, spread))
            i, j = first[m], second[m]
            pull = (mean - strengths[i] + strengths[j]) / spread**2
            weight = max((1 - variance / spread**2) / spread**2, 1e-6)
            gradient[i] += pull
            gradient[j] -= pull
            for one, other, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
                curve[one, other] += sign * weight
        strengths = strengths + np.linalg.solve(curve, gradient)
    squares = []
    for m in rated:
        mean, variance = moments(total[m] + prior_of(m, first, second, keys, strengths, spread))
        squares.append(variance + (mean - strengths[first[m]] + strengths[second[m]]) ** 2)
    return strengths, min(max(sqrt(sum(squares) / len(squares)), 0.5), 2.0)


def moments(log_density):
    density = np.exp(log_density - log_density.max())
    density /= density.sum()
    mean = float(density @ GRID)
    return mean, float(density @ np.square(GRID)) - mean**2


def signal_of(kind, size):
    """E[v·tanh(δ/2)] / E[tanh²(δ/2)] over δ ~ N(0, 1.4²), by small steps."""
    edges = np.linspace(-9.0, 9.0, 2001)
    top = bottom = 0.0
    for low, high in pairwise(edges):
        gap = (low + high) / 2
        mass = (erf(high / 1.4 / sqrt(2)) - erf(low / 1.4 / sqrt(2))) / 2
        truth = np.tanh(gap / 2)
        shown = kind.answer(gap, size)
        half = size // 2
        top += mass * truth * (shown[:half].sum() - shown[-half:].sum())
        bottom += mass * truth**2
    return top / bottom

"""What weights of votes do for the ratings of `bench.trust_world`: the error that they remove."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from bench.trust_world import CUTS, HONEST, Crowd
from leaderboard.ratings import Counts, Floats, Votes, bradley_terry, fold, quantise
from leaderboard.trust.gaps import UNKEYED

NODES = 15
FARTHEST, POINTS = 8.0, 321


def measure_errors(crowd: Crowd, weights: Floats) -> float:
    """1 - RMSE of the strengths with these weights of answers / RMSE without."""
    truth = find_truth(crowd)
    errors = [root_mean_square(rate(crowd, one) - truth) for one in (weights, None)]
    return 1.0 - errors[0] / errors[1]


def rate(crowd: Crowd, weights: Floats | None) -> Floats:
    """Bradley-Terry strengths by the ordinary votes, as the boards have them: float64 (M,)."""
    return bradley_terry.fit(fold(list_votes(crowd, weights))).strength


def list_votes(crowd: Crowd, weights: Floats | None) -> Votes:
    """The ordinary votes; weights: float64 (n,), of all answers."""
    answers = crowd.answers
    matchups = answers.matchups
    rows = np.flatnonzero(matchups.key[answers.matchup] == UNKEYED)
    who, what = answers.contributor[rows], answers.matchup[rows]
    return Votes(
        matchups.competitors,
        matchups.first[what].astype(np.int32),
        matchups.second[what].astype(np.int32),
        answers.outcome[rows].astype(np.int8),
        weight=None if weights is None else quantise(weights[rows]),
        contributor=who.astype(np.int32),
        matchup=what.astype(np.int32),
    )


def find_truth(crowd: Crowd) -> Floats:
    """What honest people, each as often as they judge, would say of all pairs alike: the
    Bradley-Terry strengths fitted to their expected votes, float64 (M,)."""
    strengths = crowd.strengths
    first, second = np.triu_indices(len(strengths), 1)
    share = expect_share(crowd)(strengths[first] - strengths[second])
    return fit_shares(first, second, share, len(strengths))


def expect_share(crowd: Crowd) -> Callable[[Floats], Floats]:
    """The expected share of votes for the first, a tie being half, by the lead of its strength."""
    people, honest = crowd.people, crowd.kind == HONEST
    activity = np.bincount(crowd.answers.contributor, minlength=len(honest))[honest]
    sensitivity, width = people.sensitivity[honest], people.width[honest] * CUTS[1]
    careless = people.careless[honest]
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    grid = np.linspace(-FARTHEST, FARTHEST, POINTS)
    share = np.zeros(POINTS)
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        location = (grid[:, None] + node) * sensitivity
        lead = (expit(location - width) - expit(-location - width)) * (1.0 - careless)
        share += weight * (0.5 + lead @ activity / (2.0 * activity.sum()))
    return lambda lead: np.interp(lead, grid, share)


def fit_shares(first: Counts, second: Counts, share: Floats, size: int) -> Floats:
    """Strengths whose Bradley-Terry shares come nearest to these in likelihood, mean 0."""
    strength = np.zeros(size)
    for _ in range(50):
        expected = expit(strength[first] - strength[second])
        off, slope = share - expected, expected * (1.0 - expected)
        gradient = np.bincount(first, off, size) - np.bincount(second, off, size)
        pairs = np.bincount(first * size + second, slope, size**2).reshape(size, size)
        pairs = pairs + pairs.T
        step = np.linalg.solve(np.diag(pairs.sum(1)) - pairs + 1.0 / size, gradient)
        strength += step
        if np.abs(step).max() < 1e-12:
            break
    return strength - strength.mean()


def root_mean_square(values: Floats) -> float:
    """Of those that are known."""
    return float(np.sqrt(np.nanmean(values**2)))

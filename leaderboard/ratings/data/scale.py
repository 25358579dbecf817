"""The one converter between log-strength and the points people read.

Inside the engine a strength is a natural logarithm: P(i beats j) = 1 / (1 + exp(s_j - s_i)).
On a board it is points on the scale of Elo (1978): 400 points are odds of ten to one, and the
average competitor stands at 1000. Nothing outside this module knows these three numbers.
"""

import math

import numpy as np

from ..compute.arrays import Floats

AVERAGE = 1000.0
POINTS_FOR_TENFOLD_ODDS = 400.0
POINTS_PER_UNIT = POINTS_FOR_TENFOLD_ODDS / math.log(10.0)


def to_points(strength: Floats) -> Floats:
    """Board points of natural-log strengths (mean 0 becomes mean 1000)."""
    return AVERAGE + POINTS_PER_UNIT * np.asarray(strength, dtype=np.float64)


# Library API of the engine: the site does not use it.
def to_strength(points: Floats) -> Floats:
    """Natural-log strengths of board points; the inverse of `to_points`."""
    return (np.asarray(points, dtype=np.float64) - AVERAGE) / POINTS_PER_UNIT


def spread_to_points(width: Floats) -> Floats:
    """Points of a difference, a standard error or an interval's half-width."""
    return POINTS_PER_UNIT * np.asarray(width, dtype=np.float64)


def step_from_points(k: float) -> float:
    """An Elo K-factor in points as a step in natural-log strength."""
    return k / POINTS_PER_UNIT

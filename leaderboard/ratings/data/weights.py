"""Weights that undo how matchups were chosen."""

import numpy as np

from ..compute.arrays import Floats, Ints
from ..compute.errors import RatingError
from .votes import quantise

MAX_WEIGHT = 20.0
"""The default cap: no vote counts more than this many average ones."""
MIN_PROBABILITY = 1e-12
"""No choice is made with a smaller probability than this; such a number is a mistake."""


# Library API of the engine: the site does not use it.
def inverse_probability(probability: Floats, cap: float = MAX_WEIGHT) -> Ints:
    """Weights 1/π for votes whose matchup was chosen with probability π: int64 (n,), mean about 1.

    An estimate from votes so weighted aims at what uniform sampling would have shown (Horvitz &
    Thompson 1952, J. American Statistical Association 47, 663-685). They are divided by their mean,
    then cut at `cap`, which trades a little bias for a bounded variance (Ionides 2008, J.
    Computational and Graphical Statistics 17, 295-311), and quantised.
    """
    probability = np.asarray(probability, dtype=np.float64)
    if not ((probability >= MIN_PROBABILITY) & (probability <= 1.0)).all():
        raise RatingError(f"a choice was made with a probability of {MIN_PROBABILITY} to 1")
    if len(probability) == 0:
        return np.zeros(0, dtype=np.int64)
    weight = 1.0 / probability
    return quantise(np.minimum(weight / weight.mean(), cap))

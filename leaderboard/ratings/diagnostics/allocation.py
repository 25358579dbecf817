"""Which pair of competitors one more vote would tell most about."""

import numpy as np

from ..compute.arrays import Floats
from ..compute.errors import RatingError
from ..data.counts import Counts
from ..models import bradley_terry

PRIOR = 1.0
"""Tied pseudo-votes per competitor, see `bradley_terry.fit`: with them every pair has a finite
answer, also one that no votes connect yet."""


def expected_drops(counts: Counts, prior: float = PRIOR) -> Floats:
    """How far one more vote on a pair is expected to lower the summed variance of all strengths.

    float64 (M, M), symmetric, squared natural-log units, 0 on the diagonal. A vote on i and j adds
    the information v·x·xᵀ, with v = p_ij·(1 - p_ij) and x = e_i - e_j, to the A of the fit. With Σ,
    the strengths' covariance A⁻¹ under the model, measured from their mean, its trace falls by

        v·‖Σx‖² / (1 + v·xᵀΣx)

    (Sherman & Morrison 1950, Annals of Mathematical Statistics 21, 124-127). Taking the votes with
    the largest drop is the sequential search for an A-optimal design (Atkinson, Donev & Tobias
    2007, Optimum Experimental Designs, with SAS, chapter 10). v is that of the fitted
    strengths and, as in Bradley-Terry's likelihood, the same whatever the outcome of the vote.

    With the prior, which must be positive, the undefeated have a strength, competitors of different
    components share the pseudo-opponent's scale, and one without votes has strength 0 and variance
    4/prior. Raises NotConverged, and RatingError where the prior is no number of votes.
    """
    if not prior > 0.0:
        raise RatingError(f"a prior of {prior} leaves pairs without an answer")
    fit = bradley_terry.fit(counts, prior=prior)
    unseen = np.isnan(fit.strength)
    spread = bradley_terry.bread(fit)
    spread[unseen, unseen] = 4.0 / prior
    p = bradley_terry.win_probability(np.where(unseen, 0.0, fit.strength))
    information = p * p.T
    spread -= spread.mean(1, keepdims=True)
    spread -= spread.mean(0)
    return np.asarray(
        information * between(spread.T @ spread) / (1.0 + information * between(spread))
    )


def between(matrix: Floats) -> Floats:
    """xᵀ·matrix·x for x = e_i - e_j of all pairs: float64 (M, M), of a positive
    semidefinite matrix."""
    own = np.diag(matrix)
    # equal terms may cancel to -1e-17
    return np.asarray((own[:, None] + own - matrix - matrix.T).clip(0.0))

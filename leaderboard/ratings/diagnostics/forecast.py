"""How many more votes it takes to tell two competitors apart, or to call them equal."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.optimize import brentq

from ..compute.errors import RatingError
from ..inference.contrasts import Contrasts
from ..inference.intervals import check_level, distribution, quantile, two_sided

EQUIVALENCE_MARGIN = 0.05
"""Natural-log strength below which a difference is of no practical meaning: odds of 1.05, or a win
probability of 51.2%."""


class Verdict(StrEnum):
    """What the votes so far say about two competitors."""

    SEPARATED = "separated"
    """One is better."""
    TIED = "tied"
    """Whatever difference there is lies within the margin."""
    UNDERPOWERED = "underpowered"
    """Neither separated nor tied: too few votes."""
    UNRATED = "unrated"
    """They share no scale."""


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """The verdict on a pair, and the votes needed to settle it.

    difference, standard_error: natural-log strength; verdict: see `Verdict`;
    factor: the votes in all, as a multiple of those so far, that settle the matter; 1 if settled;
    more: the votes still to come, of all competitors in the same mix; NaN where unrated;
    apart: the factor at which the two are told apart, though they may be shown to be equal sooner.
    """

    difference: float
    standard_error: float
    verdict: Verdict
    factor: float
    more: float
    apart: float


def forecast(
    contrast: Contrasts,
    i: int,
    j: int,
    votes: float,
    *,
    confidence: float = 0.95,
    power: float = 0.8,
    margin: float = EQUIVALENCE_MARGIN,
) -> Forecast:
    """Whether i and j are separated, tied or underpowered, and the votes that would settle it.

    Separated: the two-sided interval of the difference at `confidence` leaves out 0. Tied: the
    two one-sided tests of |difference| ≥ margin at 1 - confidence both reject (Schuirmann 1987, J.
    Pharmacokinetics and Biopharmaceutics 15, 657-680). Otherwise underpowered. A variance falls as
    1/votes, so that with the quantiles t of the contrast's distribution F for the confidence and
    the power a true difference D shows after ((t_c + t_p)·se/|D|)² times the votes. One within the
    margin is shown to be so once se has shrunk to the e at which both one-sided tests reject with
    that power, F((margin - D)/e - t_1) + F((margin + D)/e - t_1) - 1 = power. The sooner of the two
    counts, D being the estimate. One that sits on the margin's edge takes for ever: inf. `votes`
    are those behind the contrast.
    """
    check_level(power)
    if not margin >= 0.0:
        raise RatingError(f"a margin of {margin} is no difference of strengths")
    difference = float(contrast.difference[i, j])
    error = float(contrast.standard_error[i, j])
    if np.isnan(difference) or error == 0.0:
        return Forecast(difference, error, Verdict.UNRATED, np.nan, np.nan, np.nan)
    both_ways = two_sided(confidence, contrast.degrees_of_freedom)
    one_way = quantile(confidence, contrast.degrees_of_freedom)
    gap = abs(difference)
    if gap > both_ways * error:
        return Forecast(difference, error, Verdict.SEPARATED, 1.0, 0.0, 1.0)
    reach = both_ways + quantile(power, contrast.degrees_of_freedom)
    separating = (reach * error / gap) ** 2 if gap > 0.0 else np.inf
    apart = float(max(1.0, separating))
    if gap + one_way * error < margin:
        return Forecast(difference, error, Verdict.TIED, 1.0, 0.0, apart)
    equal = error * _precision(margin, gap, one_way, power, contrast.degrees_of_freedom)
    factor = min(apart, float(max(1.0, equal) ** 2))
    return Forecast(difference, error, Verdict.UNDERPOWERED, factor, votes * (factor - 1.0), apart)


def _precision(margin: float, gap: float, critical: float, power: float, freedom: float) -> float:
    """The 1/se at which two one-sided tests show a difference to lie within the margin."""
    if gap >= margin:
        return np.inf

    def lacking(precision: float) -> float:
        to_ends = np.array([margin - gap, margin + gap]) * precision - critical
        return float(distribution(to_ends, freedom).sum()) - 1.0 - power

    # where the nearer test alone rejects with (1 + power)/2, both do so with `power` at least
    most = (critical + quantile((1.0 + power) / 2.0, freedom)) / (margin - gap)
    return float(brentq(lacking, 0.0, 1.01 * most))

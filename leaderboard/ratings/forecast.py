"""How many more votes it takes to tell two competitors apart, or to call them equal."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import ndtri

from .contrasts import Contrasts

MARGIN = 0.05
"""Natural-log strength below which a difference is of no practical meaning: odds of 1.05, or a win
probability of 51.2%."""


class Verdict(StrEnum):
    """What the votes so far say about two competitors."""

    SEPARATED = "separated"
    """One is better."""
    TIED = "tied"
    """Whatever difference there is lies within the margin."""
    UNDERPOWERED = "underpowered"
    """Neither can be said yet: too few votes."""
    UNRATED = "unrated"
    """They share no scale."""


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What is known of a pair, and what it would take.

    difference, standard_error: natural-log strength; verdict: see `Verdict`;
    factor: the votes in all, as a multiple of those so far, that settle the matter; 1 if settled;
    more: the votes still to come, of all competitors in the same mix; NaN where unrated.
    """

    difference: float
    standard_error: float
    verdict: Verdict
    factor: float
    more: float


def forecast(
    contrast: Contrasts,
    i: int,
    j: int,
    votes: float,
    *,
    confidence: float = 0.95,
    power: float = 0.8,
    margin: float = MARGIN,
) -> Forecast:
    """Whether i and j are separated, tied or underpowered, and the votes that would settle it.

    Separated: the two-sided interval of the difference at `confidence` leaves out 0. Tied: the
    two one-sided tests of |difference| ≥ margin at 1 - confidence both reject (Schuirmann 1987, J.
    Pharmacokinetics and Biopharmaceutics 15, 657-680). Otherwise underpowered. A variance falls as
    1/votes, so that with z for the confidence and the power a true difference D shows after
    ((z_c + z_p)·se/|D|)² times the votes; a difference within the margin is shown to be so after
    ((z_1 + z_p)·se/(margin - |D|))² times; the sooner of the two counts, D being the estimate. One
    that sits on the margin's edge takes for ever: inf. `votes` are those behind the contrast.
    """
    difference = float(contrast.difference[i, j])
    error = float(contrast.standard_error[i, j])
    if np.isnan(difference) or error == 0.0:
        return Forecast(difference, error, Verdict.UNRATED, np.nan, np.nan)
    two_sided, one_sided = ndtri(0.5 + confidence / 2.0), ndtri(confidence)
    gap = abs(difference)
    if gap > two_sided * error:
        return Forecast(difference, error, Verdict.SEPARATED, 1.0, 0.0)
    if gap + one_sided * error < margin:
        return Forecast(difference, error, Verdict.TIED, 1.0, 0.0)
    reserve = ndtri(power)
    apart = _times((two_sided + reserve) * error, gap)
    equal = _times((one_sided + reserve) * error, margin - gap)
    factor = float(max(1.0, min(apart, equal)))
    return Forecast(difference, error, Verdict.UNDERPOWERED, factor, votes * (factor - 1.0))


def _times(reach: float, distance: float) -> float:
    """How many times the votes shrink `reach` to `distance`."""
    return (reach / distance) ** 2 if distance > 0.0 else np.inf

"""The rating engine: arrays in, frozen results out. numpy and scipy, no Django.

What to call, in what order:

    votes = Votes(M, first, second, outcome, weight, contributor, matchup, prompt)
        columns of counted votes in ledger order, integer arrays; weight = quantise(floats) or None
    counts = fold(votes)
        exact integer sums; `counts + fold(new) - fold(excluded)` equals folding what is left
    fit = bradley_terry.fit(counts)
        strengths, natural log, mean 0 per component; NaN and fit.field.status where there is none
    covariance = two_way(votes, counts, fit)
        the default; or independent(counts, fit), or clustered(votes, fit, Method.PROMPT)
    limits = interval(fit, covariance)
        of each competitor by itself
    contrast = compare(fit, covariance)
        of every pair, with Holm's correction
    places = rank(fit, contrast, limits)
        rank, rank range, Rank (UB), class
    scale.to_points(fit.strength), scale.to_points(limits.lower), …
        the only way from log-strength to the points on a board

    elo.replay(votes)  elo.replay(new_votes, since=checkpoint)

A result is a function of the counts (of the rows in their order, for Elo and clustered variances)
and of nothing else: no earlier result, no clock, no hidden random state.
"""

from . import bradley_terry, elo, scale
from .contrasts import Contrasts, compare
from .counts import GRADED, SIGN, Counts, fold
from .errors import NotConverged, NotEstimable, RatingError
from .graph import Status
from .intervals import Covariance, Interval, Method, clustered, independent, interval, two_way
from .ranks import Ranks, rank
from .votes import UNIT, Votes, quantise

__all__ = [
    "GRADED",
    "SIGN",
    "UNIT",
    "Contrasts",
    "Counts",
    "Covariance",
    "Interval",
    "Method",
    "NotConverged",
    "NotEstimable",
    "Ranks",
    "RatingError",
    "Status",
    "Votes",
    "bradley_terry",
    "clustered",
    "compare",
    "elo",
    "fold",
    "independent",
    "interval",
    "quantise",
    "rank",
    "scale",
    "two_way",
]

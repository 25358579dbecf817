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
        rank, rank range, Rank (UB), class; find_provisional(fit) marks those with few votes;
        classes(strength, lower, upper) alone, of figures that were rounded
    scale.to_points(fit.strength), scale.to_points(limits.lower), …
        the only way from log-strength to the points on a board

Beside the board:

    elo.replay(votes), elo.replay(new_votes, since=checkpoint)      in ledger order
    davidson.fit(counts)                                            ties as a parameter
    grading.compare_scores(counts)                                  "much better" worth more
    style.fit(votes, x, names), style.covariance(votes, x, fit)     x from covariates.differences
    bootstrap.reweight_votes(counts, fit, rng), …                   with a generator of yours
    bradley_terry.win_matrix(fit), forecast.forecast(contrast, i, j, votes)
    allocation.expected_drops(counts)                               what a vote on a pair tells
    robustness.unseat(counts, fit), influence.leave_one_out(votes, counts, fit)
    rankings.expand(judgment, competitor, place), weights.inverse_probability(probability)

With `with one_blas_thread():` around them, results are equal to the last digit on every machine
whose `processor()` is the same; without, the number of BLAS threads changes it.

A result is a function of the counts (of the rows in their order, for Elo, style and clustered
variances), of the arguments and of the generator passed in: never of an earlier result or the
clock. What cannot be rated has a `Status` or raises a RatingError; what does not converge raises
NotConverged.
"""

from .compute.arrays import Floats, Ids, Ints, Mask
from .compute.blas import one_blas_thread, processor
from .compute.chunks import chunks, take
from .compute.errors import NotConverged, NotEstimable, RatingError, Singular
from .data import covariates, rankings, scale, weights
from .data.connectivity import STRENGTH_TOLERANCE, Field, Rated, Status
from .data.counts import GRADED_SCORES, SIGN_SCORES, Counts, effective_votes, fold, tally
from .data.votes import MAX_OUTCOME, WEIGHT_UNIT, Votes, quantise
from .diagnostics import allocation, forecast, grading, influence, robustness
from .extended import davidson, style
from .inference import bootstrap
from .inference.contrasts import Contrasts, compare
from .inference.intervals import (
    MIN_CLUSTERS,
    Covariance,
    Interval,
    Method,
    clustered,
    independent,
    interval,
    two_sided,
    two_way,
)
from .inference.ranks import MIN_VOTES, Ranks, classes, find_provisional, rank
from .inference.vote_scores import informative, laplacian
from .models import bradley_terry, elo

__all__ = [
    "GRADED_SCORES",
    "MAX_OUTCOME",
    "MIN_CLUSTERS",
    "MIN_VOTES",
    "SIGN_SCORES",
    "STRENGTH_TOLERANCE",
    "WEIGHT_UNIT",
    "Contrasts",
    "Counts",
    "Covariance",
    "Field",
    "Floats",
    "Ids",
    "Interval",
    "Ints",
    "Mask",
    "Method",
    "NotConverged",
    "NotEstimable",
    "Ranks",
    "Rated",
    "RatingError",
    "Singular",
    "Status",
    "Votes",
    "allocation",
    "bootstrap",
    "bradley_terry",
    "chunks",
    "classes",
    "clustered",
    "compare",
    "covariates",
    "davidson",
    "effective_votes",
    "elo",
    "find_provisional",
    "fold",
    "forecast",
    "grading",
    "independent",
    "influence",
    "informative",
    "interval",
    "laplacian",
    "one_blas_thread",
    "processor",
    "quantise",
    "rank",
    "rankings",
    "robustness",
    "scale",
    "style",
    "take",
    "tally",
    "two_sided",
    "two_way",
    "weights",
]

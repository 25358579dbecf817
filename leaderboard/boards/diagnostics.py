"""Diagnostics of a board: tests of neighbouring models, and what would change its first place.

Strengths are natural-log, competitors are primary keys; None stands for "cannot be said".
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from leaderboard.boards.fit import FittedBoard
from leaderboard.boards.snapshot_details import (
    ContributorInfluence,
    GradingEffect,
    NeighbourTest,
    OtherIntervals,
    OtherMethods,
    TieEffect,
    UnseatingVotes,
    WidthRatio,
)
from leaderboard.boards.style_fit import StyleBoard
from leaderboard.ratings import (
    MAX_OUTCOME,
    STRENGTH_TOLERANCE,
    Contrasts,
    Covariance,
    Floats,
    Method,
    Rated,
    RatingError,
    Votes,
    bootstrap,
    clustered,
    davidson,
    forecast,
    grading,
    influence,
    robustness,
    two_sided,
)
from leaderboard.votes.matchup_contents import MatchupContents

MAX_NEIGHBOURS = 60
"""Pairs of neighbours tested per scale, from the top."""
MAX_MODELS_TESTED = 100
"""Models per scale, from the top, for which every pair's p-value is stored."""
MAX_FORECAST_FACTOR = 10.0
"""A forecast beyond this multiple of the present votes is reported as too few votes to say."""
THOUSANDTHS = 1000
SEED = 1952
"""Fixed seed: the same judgments give the same bootstrap intervals, to the last digit."""
Found = TypeVar("Found")


def compare_neighbours(
    board: FittedBoard | StyleBoard, contrast: Contrasts, competitors: Sequence[int]
) -> tuple[NeighbourTest, ...]:
    """Tests of every two models that are adjacent in rank, scale by scale."""
    found, certainty = [], two_sided(0.95, contrast.degrees_of_freedom)
    for group in board.fit.groups():
        order = group[np.argsort(-board.fit.strength[group], kind="stable")]
        for i, j in pairwise(order[: MAX_NEIGHBOURS + 1]):
            verdict, needed = describe_contrast(contrast, int(i), int(j), board.votes)
            difference, error = contrast.difference[i, j], contrast.standard_error[i, j]
            reach = certainty * error if error > 0 else np.nan
            found.append(
                NeighbourTest(
                    leader=competitors[i],
                    challenger=competitors[j],
                    difference=float(difference),
                    low=finite_or_none(difference - reach),
                    high=finite_or_none(difference + reach),
                    adjusted=float(contrast.adjusted[i, j]),
                    verdict=verdict,
                    votes_needed=needed,
                )
            )
    return tuple(found)


def describe_contrast(contrast: Contrasts, i: int, j: int, votes: int) -> tuple[str, int | None]:
    """Verdict of Holm's test on a pair (i ahead), and the further votes needed if any."""
    if contrast.better[i, j]:
        return "separated", None
    # Holm's test of what is left open asks each pair for alpha over the number of open pairs.
    still_open = np.triu(contrast.adjusted > contrast.alpha, 1).sum()
    level = 1.0 - contrast.alpha / max(int(still_open), 1)
    seen = forecast.forecast(contrast, i, j, votes, confidence=level)
    if seen.verdict is forecast.Verdict.TIED:
        return "tied", None
    if seen.verdict is forecast.Verdict.UNDERPOWERED and seen.apart <= MAX_FORECAST_FACTOR:
        return "not_yet", int(np.ceil(votes * (seen.apart - 1.0)))
    return "too_few", None


def pairwise_tests(board: FittedBoard | StyleBoard, contrast: Contrasts) -> tuple[int, ...]:
    """Holm's p of pairs, in one row: i, j, p in thousandths, for i < j.

    Pairs on one scale that are not among them have less than half a thousandth, or a model below
    the first `MAX_MODELS_TESTED` of their scale.
    """
    near = (board.places.rank > 0) & (board.places.rank <= MAX_MODELS_TESTED)
    p = np.where(near[:, None] & near, contrast.adjusted, 0.0)
    p = np.triu(np.where(np.isnan(p), 0.0, p), 1)
    # Rounded, but not down to the level that decides.
    is_open, level = p > contrast.alpha, int(contrast.alpha * THOUSANDTHS)
    p = np.rint(p * THOUSANDTHS).astype(np.int64)
    p[is_open] = np.maximum(p[is_open], level + 1)
    i, j = np.nonzero(p)
    return tuple(int(n) for n in np.stack([i, j, p[i, j]], axis=1).ravel())


def compare_methods(votes: Votes, board: FittedBoard) -> OtherMethods | None:
    """What other methods say of the same votes; None where nobody leads."""
    if board.fit.leader() < 0:
        return None
    return OtherMethods(
        influence=run_diagnostic(leave_one_contributor_out, votes, board),
        graded=run_diagnostic(compare_grading, board),
        ties=run_diagnostic(compare_tie_model, board),
    )


def compare_intervals(
    votes: Votes, board: FittedBoard, contents: MatchupContents
) -> OtherIntervals | None:
    """Intervals computed in other ways; None where nobody leads, or there are too many votes."""
    if board.fit.leader() < 0 or not contents.is_whole:
        return None
    prompted = replace(votes, prompt=contents.prompts(votes))
    return OtherIntervals(
        prompts=run_diagnostic(compare_prompt_clusters, prompted, board),
        bootstrap=run_diagnostic(compare_bootstrap, votes, board),
    )


def run_diagnostic(look: Callable[..., Found | None], *at: Any) -> Found | None:
    """The result of a diagnostic; None where these votes do not allow it."""
    try:
        return look(*at)
    except RatingError:
        return None


def find_unseating_votes(
    board: FittedBoard, competitors: Sequence[int]
) -> dict[str, UnseatingVotes]:
    """How many votes would have to be removed, or reversed, for a challenger to draw level."""
    found = {}
    for change in robustness.Change:
        least = robustness.unseat(board.counts, board.fit, change)
        if least.votes is not None:
            found[str(change)] = UnseatingVotes(
                votes=least.votes,
                leader=competitors[least.leader],
                challenger=competitors[least.challenger],
            )
    return found


def leave_one_contributor_out(votes: Votes, board: FittedBoard) -> ContributorInfluence | None:
    """The largest effect of leaving out one contributor, without naming them."""
    without = influence.leave_one_out(votes, board.counts, board.fit)
    if len(without.ids) < 2:
        return None
    rated = np.isfinite(board.fit.strength)
    shift = np.abs(centre_shift(without.shift, board.fit)[:, rated])
    known = np.isfinite(shift)
    return ContributorInfluence(
        contributors=len(without.ids),
        move=float(shift[known].max(initial=0.0)),
        unranks=not bool(known.all()),
        changes_first=bool((without.leader != board.fit.leader()).any()),
    )


def centre_shift(shift: Floats, fit: Rated) -> Floats:
    """Shifts of strengths, (k, M), relative to the mean shift of the still-rated on each scale.

    A competitor that drops out changes the mean that strengths are measured from; without this
    correction all the others would seem to move.
    """
    moved = shift.copy()
    for group in fit.groups():
        part = moved[:, group]
        known = np.isfinite(part)
        total = part.sum(axis=1, where=known, keepdims=True)
        moved[:, group] = part - total / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return moved


def compare_grading(board: FittedBoard) -> GradingEffect | None:
    """Effect of counting "much better" for more; None if all votes have the same degree."""
    seen = board.counts.votes.sum((1, 2))
    degrees = seen[MAX_OUTCOME + 1 :] + seen[:MAX_OUTCOME][::-1]
    if np.count_nonzero(degrees) < 2:
        return None
    effect = grading.compare_scores(board.counts)
    if np.isnan(effect.tau):
        return None
    return GradingEffect(tau=effect.tau, moved=int(np.abs(effect.moved).max()))


def compare_tie_model(board: FittedBoard) -> TieEffect | None:
    """Davidson's model of ties: how often equals tie, and the largest change of rank."""
    fit = davidson.fit(board.counts)
    if fit.leader() < 0 or not np.isfinite(fit.log_tie[0]):
        return None
    nu = float(np.exp(fit.log_tie[0]))
    return TieEffect(percent=100.0 * nu / (2.0 + nu), moved=count_rank_changes(board.fit, fit))


def count_rank_changes(one: Rated, other: Rated) -> int:
    """The largest change of rank among the models of the first scale."""
    group = np.flatnonzero(
        np.isfinite(one.strength) & np.isfinite(other.strength) & (one.field.component == 0)
    )
    a, b = (
        (s[group] > s[group, None] + STRENGTH_TOLERANCE).sum(1)
        for s in (one.strength, other.strength)
    )
    return int(np.abs(a - b).max(initial=0))


def compare_prompt_clusters(votes: Votes, board: FittedBoard) -> WidthRatio | None:
    """Relative width of the intervals with votes clustered by prompt."""
    covariance = clustered(votes, board.fit, Method.PROMPT)
    return relative_widths(covariance, board)


def compare_bootstrap(votes: Votes, board: FittedBoard) -> WidthRatio | None:
    """Relative width of the intervals from a bootstrap of contributors in 100 rounds."""
    assert votes.contributor is not None
    # Numbered anew, so that who judged controls alone changes nobody's draw.
    people = np.unique(votes.contributor, return_inverse=True)[1].astype(np.int32)
    if people.max(initial=0) < 1:
        return None
    rounds = bootstrap.reweight_clusters(
        replace(votes, contributor=people),
        board.fit,
        np.random.Generator(np.random.PCG64(SEED)),
        Method.CONTRIBUTOR,
    )
    return relative_widths(rounds.covariance(), board)


def relative_widths(other: Covariance, board: FittedBoard) -> WidthRatio | None:
    """Median, over the models, of the ratio of interval widths to the board's own."""
    error, own = (
        two_sided(0.95, covariance.degrees_of_freedom) * covariance.standard_error
        for covariance in (other, board.covariance)
    )
    known = np.flatnonzero(np.isfinite(own) & (own > 0) & np.isfinite(error))
    if len(known) == 0:
        return None
    ratio = float(np.median(error[known] / own[known]))
    return WidthRatio(ratio=ratio, clusters=other.clusters[0])


def finite_or_none(value: Any) -> float | None:
    """A float for JSON, None where there is none."""
    return float(value) if np.isfinite(value) else None

"""Style control: ratings adjusted for the length and formatting of the responses."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leaderboard.boards.snapshot_details import StyleCoefficient
from leaderboard.ratings import (
    MIN_VOTES,
    Counts,
    Covariance,
    Floats,
    Method,
    NotConverged,
    NotEstimable,
    Ranks,
    RatingError,
    Votes,
    bradley_terry,
    compare,
    covariates,
    effective_votes,
    fold,
    informative,
    interval,
    laplacian,
    rank,
    style,
    tally,
)
from leaderboard.votes.known_contents import STYLE_FIELDS
from leaderboard.votes.matchup_contents import MatchupContents

MIN_UNEXPLAINED = 1e-6
"""Minimum share of a covariate's variation that models and other covariates do not explain."""
MIN_DIFFERING_VOTES = 10
"""Minimum number of votes in which a covariate differs: with fewer its coefficient is mostly
chance, and infinite where all of them went one way."""


class NoStyleError(Exception):
    """There are no style-controlled ratings; `reason` says why, as a key for the page."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, eq=False)
class StyleBoard:
    """One style-controlled board, by competitor index like `fit.FittedBoard`.

    counts, tally: of all votes; used: how many of them were fitted; coefficients: what each
    covariate is worth (see `describe_coefficients`); left_out: names of the covariates that are
    collinear with the competitors or with each other.
    """

    counts: Counts
    fit: style.Fit
    covariance: Covariance
    lower: Floats
    upper: Floats
    places: Ranks
    tally: npt.NDArray[np.int64]
    provisional: npt.NDArray[np.bool_]
    used: int
    coefficients: tuple[StyleCoefficient, ...]
    left_out: tuple[str, ...]

    @property
    def votes(self) -> int:
        """Votes on this board."""
        return int(self.counts.votes.sum())


def fit_style(votes: Votes, contents: MatchupContents) -> StyleBoard:
    """Style-controlled ratings with intervals, ranks and classes. Raises `NoStyleError`."""
    counts = fold(votes)
    votes = contents.sample(votes)  # and no longer all of them, which are many
    x = contents.differences(votes)
    if not x.any():
        raise NoStyleError("no_differences")
    kept = estimable_covariates(votes, x)
    names = [STYLE_FIELDS[a] for a in kept]
    try:
        fit = style.fit(votes, x[:, kept], names)
        found = estimate_style_covariance(votes, x[:, kept], fit)
    except NotEstimable:
        raise NoStyleError("not_estimable") from None
    except NotConverged:
        raise NoStyleError("not_converged") from None
    limits = interval(fit, found.strength)
    spread = found.strength.standard_error > 0  # see `fit.fit_board`
    return StyleBoard(
        counts,
        fit,
        found.strength,
        np.where(spread, limits.lower, np.nan),
        np.where(spread, limits.upper, np.nan),
        rank(fit, compare(fit, found.strength), limits),
        tally(counts),
        np.isfinite(fit.strength) & (effective_votes(fold(votes), fit.same_scale) < MIN_VOTES),
        len(votes),
        describe_coefficients(fit, found),
        tuple(name for a, name in enumerate(STYLE_FIELDS) if name not in names and x[:, a].any()),
    )


def estimable_covariates(votes: Votes, x: Floats) -> list[int]:
    """Indices of the covariates that are not collinear with competitors or earlier covariates.

    Where all responses with headers are one competitor's, say, no votes tell what headers are
    worth. By least squares on the informative votes, and not where hardly any of them
    differ. Raises `NoStyleError`.
    """
    plain = bradley_terry.fit(fold(votes))
    bear = informative(votes, plain)
    if not bear.any():
        raise NoStyleError("too_few")
    votes, x = votes.take(bear), x[bear]
    met = fold(votes).votes.sum(0)
    size, products = votes.competitors, x.T @ x
    sides = (
        np.stack([np.bincount(side, column, size) for column in x.T])
        for side in (votes.first, votes.second)
    )
    ahead = np.subtract(*sides)
    spread = np.linalg.pinv(laplacian(met + met.T), hermitian=True)
    unexplained = products - ahead @ spread @ ahead.T
    kept: list[int] = []
    for a in np.flatnonzero(np.count_nonzero(x, axis=0) >= MIN_DIFFERING_VOTES):
        by_others = np.linalg.solve(unexplained[np.ix_(kept, kept)], unexplained[kept, a])
        if unexplained[a, a] - unexplained[a, kept] @ by_others > MIN_UNEXPLAINED * products[a, a]:
            kept.append(int(a))
    if not kept:
        raise NoStyleError("not_estimable")
    return kept


def estimate_style_covariance(votes: Votes, x: Floats, fit: style.Fit) -> style.StyleCovariance:
    """Clustered both ways; vote by vote where there are too few clusters for any of it."""
    try:
        return style.covariance(votes, x, fit)
    except RatingError:
        return style.covariance(votes, x, fit, Method.INDEPENDENT)


def describe_coefficients(
    fit: style.Fit, found: style.StyleCovariance
) -> tuple[StyleCoefficient, ...]:
    """What twice as much of each covariate is worth; those that never differ are left out."""
    doubling = float(covariates.relative(np.array([2.0]), np.array([1.0]))[0])
    lower, upper = found.limits(fit)
    return tuple(
        StyleCoefficient(
            name=name,
            spread=float(fit.spread[a]),
            doubling=doubling,
            worth=float(fit.coefficient[a] * doubling / fit.spread[a]),
            lower=float(lower[a] * doubling / fit.spread[a]),
            upper=float(upper[a] * doubling / fit.spread[a]),
        )
        for a, name in enumerate(fit.names)
        if fit.spread[a] > 0
    )

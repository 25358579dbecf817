"""From votes to what a board shows of each competitor. Arrays in, a frozen result out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leaderboard.ratings import (
    Counts,
    Covariance,
    Floats,
    Ranks,
    RatingError,
    Status,
    Votes,
    bradley_terry,
    compare,
    elo,
    find_provisional,
    fold,
    independent,
    interval,
    rank,
    tally,
    two_way,
)

CHUNK = 1 << 20
"""Votes per chunk of the sequential Elo loop."""


@dataclass(frozen=True, eq=False)
class FittedBoard:
    """One board: everything by competitor index.

    fit, places, covariance: as the engine gives them; lower, upper: float64 (M,), ends of the 95%
    interval in log-strength, NaN where the votes do not show any spread; tally: int64 (M, 3), won,
    tied and lost; provisional: bool (M,), rated on few votes.
    """

    counts: Counts
    fit: bradley_terry.Fit
    covariance: Covariance
    lower: Floats
    upper: Floats
    places: Ranks
    tally: npt.NDArray[np.int64]
    provisional: npt.NDArray[np.bool_]

    @property
    def votes(self) -> int:
        """Votes on this board, whatever they weigh."""
        return int(self.counts.votes.sum())


def fit_board(votes: Votes) -> FittedBoard:
    """Bradley-Terry with ties as half wins, intervals, ranks and classes."""
    counts = fold(votes)
    fit = bradley_terry.fit(counts)
    covariance = estimate_covariance(votes, counts, fit)
    limits = interval(fit, covariance)
    places = rank(fit, compare(fit, covariance), limits)
    # Votes that all agree with the fit, like a single tie, show no spread at all; that is no
    # certainty.
    spread = covariance.standard_error > 0
    return FittedBoard(
        counts,
        fit,
        covariance,
        np.where(spread, limits.lower, np.nan),
        np.where(spread, limits.upper, np.nan),
        places,
        tally(counts),
        find_provisional(fit),
    )


def estimate_covariance(votes: Votes, counts: Counts, fit: bradley_terry.Fit) -> Covariance:
    """Clustered both ways; vote by vote where there are too few clusters for any of it."""
    try:
        return two_way(votes, counts, fit)
    except RatingError:
        return independent(counts, fit)


def replay_elo(votes: Votes, since: elo.Elo | None = None) -> elo.Elo:
    """Elo after all these votes, the first `since.votes` of which are in the checkpoint."""
    start = since.votes if since else 0
    for begin in range(start, len(votes), CHUNK):
        since = elo.replay(votes.take(np.arange(begin, min(begin + CHUNK, len(votes)))), since)
    return since or elo.replay(votes)


STATUS_NAMES = {
    Status.RATED: "",
    Status.UNDEFEATED: "undefeated",
    Status.WINLESS: "winless",
    Status.SEPARATED: "separated",
    Status.NO_VOTES: "no_votes",
}
"""The engine's statuses as the words of `Rating.Status`."""

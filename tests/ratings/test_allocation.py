"""How much one more vote on a pair is expected to tell."""

import numpy as np
import pytest

from leaderboard.ratings import RatingError, Votes, fold, independent
from leaderboard.ratings.diagnostics.allocation import expected_drops
from leaderboard.ratings.models import bradley_terry as bt

from . import slow
from .make import make_votes, simulate

UNEVEN = {
    "uneven": make_votes(
        4, [(0, 1, 1)] * 9 + [(0, 1, -1)] * 3 + [(1, 2, 0), (2, 3, -1), (3, 0, 1)]
    ),
    "undefeated": make_votes(3, [(0, 1, 1)] * 40 + [(1, 2, 1), (2, 1, 1)]),
    "two components": make_votes(5, [(0, 1, 1), (1, 0, 1), (2, 3, 1), (3, 2, 0)]),
    "one without votes": make_votes(4, [(0, 1, 1), (1, 0, 1), (1, 2, 1)]),
    "no votes": make_votes(3, []),
}


@pytest.mark.parametrize("votes", UNEVEN.values(), ids=UNEVEN)
@pytest.mark.parametrize("prior", [0.5, 1.0])
def test_it_is_the_difference_that_one_more_vote_makes_to_the_inverse(
    votes: Votes, prior: float
) -> None:
    expected = slow.variance_drops(votes, prior)
    assert (expected[~np.eye(len(expected), dtype=bool)] > 0).all()
    assert np.allclose(expected_drops(fold(votes), prior), expected, rtol=1e-8, atol=1e-12)


def test_without_a_prior_to_speak_of_it_follows_from_the_covariance_of_the_board() -> None:
    votes, _ = simulate(3, competitors=6)
    counts = fold(votes)
    fit = bt.fit(counts)
    spread = bt.bread(fit)
    p = bt.win_matrix(fit)
    found = expected_drops(counts, prior=1e-6)
    for i, j in ((0, 1), (2, 5), (4, 3)):
        x = np.eye(6)[i] - np.eye(6)[j]
        v = p[i, j] * (1 - p[i, j])
        assert found[i, j] == pytest.approx(
            v * np.sum((spread @ x) ** 2) / (1 + v * x @ spread @ x), rel=1e-5
        )
    # What is computed from the votes themselves is of the same size.
    assert np.trace(independent(counts, fit).matrix) == pytest.approx(np.trace(spread), rel=0.3)


def test_who_has_met_least_is_worth_most_and_a_foregone_match_little() -> None:
    close = [(i, j, o) for i, j in ((0, 1), (1, 2), (0, 2)) for o in (1, -1)] * 20
    beaten = [(i, 3, 1) for i in range(3)] * 20 + [(3, 0, 1)]
    fresh = [(4, 0, 1), (0, 4, 1)]
    drops = expected_drops(fold(make_votes(5, close + beaten + fresh)))
    assert 4 in np.unravel_index(np.argmax(drops), drops.shape)
    assert drops[4, 1] > 10 * drops[0, 1]
    assert drops[4, 3] < drops[4, 1]


def test_names_and_sides_do_not_matter() -> None:
    votes, _ = simulate(4, competitors=6)
    drops = expected_drops(fold(votes))
    order = np.array([3, 0, 5, 1, 4, 2], dtype=np.int32)
    renamed = Votes(6, order[votes.first], order[votes.second], votes.outcome)
    assert np.allclose(expected_drops(fold(renamed))[np.ix_(order, order)], drops, rtol=1e-9)
    mirrored = Votes(6, votes.second, votes.first, -votes.outcome)
    assert np.allclose(expected_drops(fold(mirrored)), drops, rtol=1e-9)
    assert (drops == drops.T).all()
    assert not np.diag(drops).any()


def test_a_prior_of_nothing_is_refused() -> None:
    with pytest.raises(RatingError):
        expected_drops(fold(make_votes(2, [(0, 1, 1)])), prior=-1.0)
    with pytest.raises(RatingError):
        expected_drops(fold(make_votes(2, [(0, 1, 1)])), prior=0.0)

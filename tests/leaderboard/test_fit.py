"""What a board shows of each competitor, from votes alone."""

import numpy as np

from leaderboard.boards.fit import fit_board
from leaderboard.ratings import Method
from tests.ratings.make import make_votes


def test_votes_that_cancel_in_every_cluster_are_no_certainty() -> None:
    # three people on three matchups, each person and each matchup twice won and once lost
    rows = [(0, 1, -1 if person == matchup else 1) for person in range(3) for matchup in range(3)]
    ids = np.arange(9, dtype=np.int32)
    board = fit_board(make_votes(2, rows, contributor=ids // 3, matchup=ids % 3))
    assert board.covariance.method is Method.LARGEST
    assert (board.upper - board.lower > 1).all()
    assert board.places.rank.tolist() == [1, 2]
    assert board.places.best.tolist() == [1, 1]
    assert board.places.worst.tolist() == [2, 2]


def test_a_single_tie_shows_no_interval() -> None:
    ids = np.zeros(1, dtype=np.int32)
    board = fit_board(make_votes(2, [(0, 1, 0)], contributor=ids, matchup=ids))
    assert np.isnan(board.lower).all()
    assert board.places.rank.tolist() == [1, 1]

"""Folding votes into counts: exact, additive, indifferent to order and sides."""

import numpy as np
import pytest

from leaderboard.ratings import (
    GRADED_SCORES,
    SIGN_SCORES,
    Counts,
    RatingError,
    Votes,
    fold,
    quantise,
)
from leaderboard.ratings.data.counts import (
    count_columns,
    count_rows,
    effective_votes,
    resize,
    tally,
    wins,
)

from . import slow
from .make import make_votes, simulate


def same(a: Counts, b: Counts) -> bool:
    columns = [(a.votes, b.votes), (a.weight, b.weight), (a.square, b.square)]
    return all(np.array_equal(x, y) if x is not None else y is None for x, y in columns)


def weighted(votes: Votes, seed: int = 1) -> Votes:
    weight = quantise(np.random.default_rng(seed).uniform(0, 2, len(votes)))
    return Votes(votes.competitors, votes.first, votes.second, votes.outcome, weight)


def test_counts_equal_a_loop_over_the_rows():
    votes, _ = simulate(1, competitors=5, votes=300, graded=True)
    votes = weighted(votes)
    counts = fold(votes)
    seen = np.zeros((7, 5, 5))
    mass, square = seen.copy(), seen.copy()
    for i, j, outcome, w in slow.rows(votes):
        seen[outcome + 3, i, j] += 1
        mass[outcome + 3, i, j] += w
        square[outcome + 3, i, j] += w * w
    assert np.array_equal(counts.votes, seen)
    assert np.array_equal(counts.mass, mass)
    assert np.array_equal(counts.squared_mass, square)


def test_counting_by_row_equals_counting_by_column():
    votes, _ = simulate(1, competitors=5, votes=300, graded=True)
    by_row, by_column = np.zeros((2, 1, 7 * 5 * 5), dtype=np.int64)
    loop = getattr(count_rows, "__wrapped__", count_rows)
    loop(by_row[0], 5, votes.outcome.astype(int), votes.first, votes.second)
    count_columns(by_column, votes)
    assert np.array_equal(by_row, by_column)


@pytest.mark.parametrize("with_weights", [False, True])
def test_merging_and_subtracting_are_exact(with_weights):
    votes, _ = simulate(2, graded=True)
    votes = weighted(votes) if with_weights else votes
    new = np.arange(len(votes)) % 7 == 0
    old, late = fold(votes.take(~new)), fold(votes.take(new))
    assert same(old + late, fold(votes))
    assert same(fold(votes) - late, old)


def test_what_was_never_counted_cannot_be_subtracted():
    votes, _ = simulate(3)
    with pytest.raises(RatingError, match="never counted"):
        fold(votes.take(np.arange(10))) - fold(votes)
    light, heavy = (
        Votes(8, votes.first, votes.second, votes.outcome, weight=np.full(2000, w))
        for w in (4096, 8192)
    )
    with pytest.raises(RatingError, match="never counted"):
        fold(light) - fold(heavy)


def test_sums_that_overflow_are_refused():
    heavy = fold(make_votes(2, [(0, 1, 1)], weight=np.array([3_000_000_000])))
    with pytest.raises(RatingError, match="too large"):
        heavy + heavy


def test_counts_of_different_kinds_do_not_mix():
    votes, _ = simulate(3)
    with pytest.raises(RatingError, match="do not mix"):
        fold(votes) + fold(weighted(votes))
    with pytest.raises(RatingError, match="different numbers"):
        fold(votes) + resize(fold(votes), 9)


def test_new_competitors_get_room():
    votes, _ = simulate(4)
    larger = Votes(10, votes.first, votes.second, votes.outcome)
    assert same(resize(fold(votes), 10), fold(larger))
    with pytest.raises(RatingError, match="lose"):
        resize(fold(votes), 3)


@pytest.mark.parametrize("scores", [SIGN_SCORES, GRADED_SCORES])
def test_wins_do_not_see_order_or_sides(scores):
    votes, _ = simulate(5, graded=True)
    shuffled = votes.take(np.random.default_rng(0).permutation(len(votes)))
    mirrored = Votes(votes.competitors, votes.second, votes.first, -votes.outcome)
    half = np.arange(len(votes)) % 2 == 0
    for other in (shuffled, mirrored):
        assert np.allclose(wins(fold(other), scores), wins(fold(votes), scores), atol=1e-12)
    mixed = fold(votes.take(half)) + fold(mirrored.take(~half))
    assert np.allclose(wins(mixed, scores), wins(fold(votes), scores), atol=1e-12)


def test_wins_of_a_hand_counted_example():
    votes = make_votes(3, [(0, 1, 1), (1, 0, 2), (1, 0, 0), (2, 1, -3)])
    assert wins(fold(votes)).tolist() == [[0, 1.5, 0], [1.5, 0, 1], [0, 0, 0]]
    assert np.allclose(wins(fold(votes), GRADED_SCORES)[0, 1], 4 / 6 + 1 / 6 + 0.5)
    assert tally(fold(votes)).tolist() == [[1, 1, 1], [2, 1, 1], [0, 0, 1]]


def test_scores_must_be_symmetric():
    counts = fold(make_votes(2, [(0, 1, 1)]))
    for scores in (np.arange(7.0), np.ones(7), np.full(5, 0.5), np.array([2, 1, 1, 0.5, 0, 0, -1])):
        with pytest.raises(RatingError, match="scores"):
            wins(counts, scores)


def test_effective_votes_are_votes_where_weights_are_equal():
    votes, _ = simulate(6)
    assert np.array_equal(effective_votes(fold(votes)), tally(fold(votes)).sum(1))
    half = Votes(8, votes.first, votes.second, votes.outcome, quantise(np.full(len(votes), 0.5)))
    assert np.allclose(effective_votes(fold(half)), tally(fold(votes)).sum(1))
    unequal = make_votes(3, [(0, 1, 1), (0, 1, 1)], weight=quantise(np.array([1.0, 3.0])))
    assert effective_votes(fold(unequal)).tolist() == [16 / 10, 16 / 10, 0]


def test_weights_are_quantised_and_refused():
    assert quantise(np.array([0, 1, 1.5, 1e-9])).tolist() == [0, 4096, 6144, 0]
    assert quantise(np.array([2.0**51 - 1])).tolist() == [2**63 - 2**12]
    for bad in (-1.0, np.nan, np.inf, 1e16, 2.0**51):
        with pytest.raises(RatingError, match="weights"):
            quantise(np.array([bad]))
    with pytest.raises(RatingError, match="too large"):
        fold(make_votes(2, [(0, 1, 1)], weight=np.array([2**40])))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(0, 3, 1)], "index"),
        ([(-1, 1, 1)], "index"),
        ([(1, 1, 1)], "itself"),
        ([(0, 1, 4)], "outcome"),
        ([(0, 1, -4)], "outcome"),
    ],
)
def test_impossible_votes_are_refused(rows, message):
    with pytest.raises(RatingError, match=message):
        fold(make_votes(3, rows))


def test_columns_must_be_integers_of_one_length():
    first, second = np.array([0, 1], np.int32), np.array([1, 0], np.int32)
    with pytest.raises(RatingError, match="outcome must be an array of int8"):
        Votes(2, first, second, np.array([0.5, np.nan]))
    with pytest.raises(RatingError, match="shape"):
        Votes(2, first, second, np.array([1], np.int8))
    with pytest.raises(RatingError, match="negative"):
        make_votes(2, [(0, 1, 1)], weight=np.array([-1]))

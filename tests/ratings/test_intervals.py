"""Sandwich covariances, contrasts, ranks and classes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from leaderboard.ratings import (
    GRADED_SCORES,
    SIGN_SCORES,
    Covariance,
    Method,
    RatingError,
    Votes,
    clustered,
    compare,
    fold,
    independent,
    interval,
    quantise,
    rank,
    two_way,
)
from leaderboard.ratings.compute import chunks as chunk_rows
from leaderboard.ratings.compute import parallel
from leaderboard.ratings.inference import vote_scores
from leaderboard.ratings.inference.contrasts import holm
from leaderboard.ratings.inference.ranks import classes
from leaderboard.ratings.models import bradley_terry as bt

from . import slow
from .make import make_votes, simulate


def votes_and_fit(seed: int, scores=SIGN_SCORES, *, weigh: bool = False, **kwargs):
    votes, truth = simulate(seed, graded=True, **kwargs)
    if weigh:
        weight = quantise(np.random.default_rng(seed).integers(0, 3, len(votes)) / 2)
        votes = Votes(
            votes.competitors, votes.first, votes.second, votes.outcome, weight,
            votes.contributor, votes.matchup, votes.prompt,
        )  # fmt: skip
    return votes, bt.fit(fold(votes), scores), truth


@pytest.mark.parametrize("scores", [SIGN_SCORES, GRADED_SCORES])
@pytest.mark.parametrize("weigh", [False, True])
def test_sandwiches_equal_the_textbook_row_by_row(scores, weigh):
    votes, fit, _ = votes_and_fit(1, scores, weigh=weigh, votes=600)
    plain = slow.sandwich(votes, fit.strength, None, scores)
    assert np.allclose(independent(fold(votes), fit).matrix, plain, rtol=1e-8, atol=1e-12)
    for method in (Method.CONTRIBUTOR, Method.MATCHUP, Method.PROMPT):
        ids = getattr(votes, method)
        expected = slow.sandwich(votes, fit.strength, ids, scores)
        got = clustered(votes, fit, method)
        assert np.allclose(got.matrix, expected, rtol=1e-8, atol=1e-12)
        live = votes.weight > 0 if weigh else slice(None)
        assert got.clusters == (len(set(ids[live].tolist())),)


def test_dense_sparse_and_chunked_tables_agree(monkeypatch):
    votes, fit, _ = votes_and_fit(2)
    dense = clustered(votes, fit, Method.CONTRIBUTOR).matrix
    monkeypatch.setattr(chunk_rows, "CHUNK_ROWS", 97)
    assert np.allclose(clustered(votes, fit, Method.CONTRIBUTOR).matrix, dense, rtol=1e-12)
    monkeypatch.setattr(vote_scores, "MAX_DENSE_CELLS", 1)
    assert np.allclose(clustered(votes, fit, Method.CONTRIBUTOR).matrix, dense, rtol=1e-9)


def test_the_loops_over_votes_add_up_to_what_numpy_adds():
    votes, fit, _ = votes_and_fit(5, weigh=True, votes=700)
    residual = vote_scores.Residuals(votes, fit)[:]
    by_row, by_column = np.zeros((2, 1 + votes.contributor.max(), votes.competitors))
    loop(vote_scores.add_score_rows)(by_row, votes.contributor, votes.first, residual)
    vote_scores.add_score_columns(by_column, votes.contributor, votes.first, residual)
    assert by_row.any()
    assert np.array_equal(by_row, by_column)
    size, found = 1 + votes.matchup.max(), []
    pair = votes.matchup + np.int32(7)
    for add in (loop(vote_scores.total_rows), vote_scores.total_columns):
        total, pair_of = np.zeros(size), np.full(size, vote_scores.NO_PAIR, dtype=np.int32)
        assert add(total, pair_of, votes.matchup, pair, residual)
        assert np.array_equal(pair_of[votes.matchup], pair)
        found.append(total)
    assert found[0].any()
    assert np.array_equal(*found)


@pytest.mark.parametrize("rows", [[3, 4], [3, 160]])
def test_a_cluster_of_two_pairs_is_found_out_wherever_they_stand(monkeypatch, rows):
    monkeypatch.setattr(chunk_rows, "CHUNK_ROWS", 50)
    cluster, pair = np.arange(200, dtype=np.int32), np.ones(200, dtype=np.int32)
    cluster[rows[1]], pair[rows[1]] = rows[0], 2
    for add in (loop(vote_scores.total_rows), vote_scores.total_columns):
        total, pair_of = np.zeros(200), np.full(200, vote_scores.NO_PAIR, dtype=np.int32)
        columns = ((cluster[part], pair[part]) for part in chunk_rows.chunks(200))
        assert not all(add(total, pair_of, c, p, np.ones(len(c))) for c, p in columns)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_move_no_digit(monkeypatch, threads):
    votes, fit, _ = votes_and_fit(5, weigh=True, votes=700)
    expected = two_way(votes, fold(votes), fit).matrix
    monkeypatch.setattr(parallel, "THREADS", threads)
    assert np.array_equal(two_way(votes, fold(votes), fit).matrix, expected)


def loop(function):
    """The loop as it is written, also where it is compiled."""
    return getattr(function, "__wrapped__", function)


def test_ids_far_apart_are_renumbered():
    votes, fit, _ = votes_and_fit(3)
    far = Votes(
        8, votes.first, votes.second, votes.outcome, contributor=votes.contributor * 10_000_019
    )
    near = clustered(votes, fit, Method.CONTRIBUTOR).matrix
    assert np.allclose(clustered(far, fit, Method.CONTRIBUTOR).matrix, near, rtol=1e-12)


def test_who_has_no_vote_moves_no_digit():
    votes, fit, _ = votes_and_fit(11, competitors=20, votes=6000, contributors=1500)
    # The same people, numbered among others who judged elsewhere.
    apart = np.sort(np.random.default_rng(0).permutation(4000)[:1500]).astype(np.int32)
    among = Votes(
        20, votes.first, votes.second, votes.outcome, contributor=apart[votes.contributor]
    )
    alone = clustered(votes, fit, Method.CONTRIBUTOR).matrix
    assert np.array_equal(clustered(among, fit, Method.CONTRIBUTOR).matrix, alone)


def test_two_way_adds_the_sides_and_takes_off_what_they_share():
    votes, fit, _ = votes_and_fit(4)
    counts = fold(votes)
    both = two_way(votes, counts, fit)
    sides = [clustered(votes, fit, m).matrix for m in (Method.CONTRIBUTOR, Method.MATCHUP)]
    assert both.method == Method.TWO_WAY
    assert both.clusters == tuple(len(set(ids)) for ids in (votes.contributor, votes.matchup))
    assert np.allclose(both.matrix, sides[0] + sides[1] - independent(counts, fit).matrix)
    judged = Votes(
        8, votes.first, votes.second, votes.outcome, None, votes.contributor, votes.matchup,
        judgment=np.arange(len(votes), dtype=np.int32),
    )  # fmt: skip
    small = len(votes) / (len(votes) - 1)
    assert np.allclose(two_way(judged, counts, fit).matrix, both.matrix, atol=small * 1e-5)


@pytest.mark.parametrize("contributors", [2, 10])
def test_two_way_falls_back_to_the_largest_variance_and_says_so(contributors):
    votes, fit, _ = votes_and_fit(5, contributors=contributors)
    few = two_way(votes, fold(votes), fit)
    assert (few.method, few.requested) == (Method.LARGEST, Method.TWO_WAY)
    assert few.note == (
        "fewer than 30 clusters on a side: the largest of contributor, matchup, independent"
    )
    threads = [clustered(votes, fit, m) for m in (Method.CONTRIBUTOR, Method.MATCHUP)]
    threads.append(independent(fold(votes), fit))
    expected = np.max([part.standard_error for part in threads], axis=0)
    assert np.array_equal(few.standard_error, expected)
    errors = [compare(fit, part).standard_error for part in threads]
    assert np.array_equal(compare(fit, few).standard_error, np.max(errors, axis=0))
    assert few.degrees_of_freedom == contributors - 1


def test_limits_and_tests_follow_students_t_with_the_clusters_less_one():
    """Quantiles from the tables: t(9) = 2.262, t(29) = 2.045, normal 1.960 at 97.5%."""
    votes, fit, _ = votes_and_fit(12, contributors=30)
    ten = Votes(8, votes.first, votes.second, votes.outcome, contributor=votes.contributor % 10)
    for covariance, table in (
        (clustered(ten, fit, Method.CONTRIBUTOR), 2.262),
        (two_way(votes, fold(votes), fit), 2.045),
        (independent(fold(votes), fit), 1.960),
    ):
        limits = interval(fit, covariance)
        reach = (limits.upper - limits.lower) / 2 / covariance.standard_error
        assert np.allclose(reach, table, atol=5e-4)
        contrast = compare(fit, covariance)
        pair = np.triu_indices(8, 1)
        t = np.abs(contrast.difference[pair] / contrast.standard_error[pair])
        assert np.allclose(contrast.p[pair], 2 * stats.t.sf(t, covariance.degrees_of_freedom))


def test_scores_that_cancel_in_every_cluster_are_no_precision():
    # three people on three matchups, each person and each matchup twice won and once lost
    rows = [(0, 1, -1 if person == matchup else 1) for person in range(3) for matchup in range(3)]
    ids = np.arange(9, dtype=np.int32)
    votes = make_votes(2, rows, contributor=ids // 3, matchup=ids % 3)
    fit = bt.fit(fold(votes))
    for method in (Method.CONTRIBUTOR, Method.MATCHUP):
        idle = clustered(votes, fit, method)
        assert idle.standard_error.tolist() == [0, 0]
        assert not compare(fit, idle).better.any()
    contrast = compare(fit, two_way(votes, fold(votes), fit))
    assert contrast.standard_error[0, 1] == pytest.approx(
        2 * independent(fold(votes), fit).standard_error[0]
    )
    assert not contrast.better.any()


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 1.5, np.nan])
def test_levels_outside_0_to_1_are_refused(level):
    votes, fit, _ = votes_and_fit(13, votes=300)
    covariance = independent(fold(votes), fit)
    with pytest.raises(RatingError, match="level"):
        interval(fit, covariance, level)
    with pytest.raises(RatingError, match="level"):
        compare(fit, covariance, level)


def test_two_way_that_is_not_positive_is_not_used():
    # every contributor judges one matchup first 3 to 0, then 0 to 3: clusters cancel, votes do not
    rows, people, matchups = [], [], []
    for person in range(40):
        for outcome in (1, -1):
            rows.append((person % 3, (person + 1) % 3, outcome))
            people.append(person)
            matchups.append(person)
    rows += [(0, 1, 1), (1, 2, 1), (2, 0, 1)]
    people += [40, 41, 42]
    matchups += [40, 41, 42]
    votes = make_votes(
        3, rows, contributor=np.array(people, np.int32), matchup=np.array(matchups, np.int32)
    )
    result = two_way(votes, fold(votes), bt.fit(fold(votes)))
    assert "not positive definite" in result.note
    assert (np.diag(result.matrix) > 0).all()


def test_one_cluster_is_refused():
    votes, fit, _ = votes_and_fit(6, contributors=1)
    with pytest.raises(RatingError, match="1 contributor clusters"):
        clustered(votes, fit, Method.CONTRIBUTOR)
    with pytest.raises(RatingError, match="no judgment ids"):
        clustered(votes, fit, Method.JUDGMENT)


def test_unrated_competitors_have_no_interval_and_change_none():
    votes, fit, _ = votes_and_fit(7, competitors=5)
    rows = [*zip(votes.first, votes.second, votes.outcome, strict=True), (5, 0, 1), (5, 1, 1)]
    people = np.append(votes.contributor, [3, 4]).astype(np.int32)
    more = make_votes(6, rows, contributor=people)
    refit = bt.fit(fold(more))
    for got, expected in (
        (independent(fold(more), refit), independent(fold(votes), fit)),
        (
            clustered(more, refit, Method.CONTRIBUTOR),
            clustered(votes, fit, Method.CONTRIBUTOR),
        ),
    ):
        assert np.isnan(got.matrix[5]).all()
        assert np.allclose(got.matrix[:5, :5], expected.matrix, rtol=1e-9)
    places = rank(refit, compare(refit, got), interval(refit, got))
    assert places.rank[5] == places.best[5] == places.worst[5] == places.group[5] == 0
    assert sorted(places.rank[:5].tolist()) == [1, 2, 3, 4, 5]


def test_holm_equals_its_definition():
    p = np.random.default_rng(0).uniform(0, 0.2, 40) ** 2
    assert np.allclose(holm(p), slow.holm(p.tolist()))


def test_holm_on_a_worked_example():
    """p = .01, .04, .03, .005 gives .03, .06, .06, .02 (R: p.adjust(p, "holm"))."""
    assert np.allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])


def test_contrasts_are_differences_in_any_gauge():
    _, fit, _ = votes_and_fit(8)
    covariance = independent(fold(votes_and_fit(8)[0]), fit)
    contrast = compare(fit, covariance)
    v = covariance.matrix + 0.7  # another gauge adds a_i + a_j to the covariance
    shifted = compare(fit, Covariance(v, covariance.method, covariance.requested))
    assert np.allclose(contrast.standard_error, shifted.standard_error, atol=1e-7)
    assert np.allclose(contrast.difference, -contrast.difference.T)
    assert not (contrast.better & contrast.better.T).any()
    assert np.allclose(np.diag(contrast.p), 1)


def test_ranks_by_counting():
    votes, fit, _ = votes_and_fit(9, votes=3000)
    covariance = independent(fold(votes), fit)
    contrast, limits = compare(fit, covariance), interval(fit, covariance)
    places = rank(fit, contrast, limits)
    for i in range(8):
        assert places.rank[i] == 1 + sum(fit.strength[j] > fit.strength[i] for j in range(8))
        assert places.best[i] == 1 + sum(contrast.better[j, i] for j in range(8))
        assert places.worst[i] == 8 - sum(contrast.better[i, j] for j in range(8))
        assert places.upper_bound[i] == 1 + sum(limits.lower[j] > limits.upper[i] for j in range(8))
        assert places.best[i] <= places.rank[i] <= places.worst[i]


def test_classes_keep_the_leaders_anchor():
    # b overlaps a, c overlaps b but not a: c opens the second class
    strength = np.array([3.0, 2.0, 1.0, 0.0])
    assert classes(strength, strength - 0.6, strength + 0.6).tolist() == [1, 1, 2, 2]
    assert classes(strength, strength - 0.1, strength + 0.1).tolist() == [1, 2, 3, 4]
    assert classes(strength, strength - 0.1, strength + 0.1, max_classes=2).tolist() == [1, 2, 2, 2]
    assert classes(strength[::-1], strength[::-1] - 0.6, strength[::-1] + 0.6).tolist() == [
        2, 2, 1, 1
    ]  # fmt: skip


def test_level_competitors_share_a_rank():
    # the last two have the same record, but their strengths come out of rounding 2e-15 apart
    rows = [(i, j, o) for i in range(3) for j in range(3, 5) for o in (1, 1, 1, -1)]
    rows += [(0, 1, 1), (1, 2, 1), (2, 0, 1), (0, 2, 1), (3, 4, 0)]
    counts = fold(make_votes(5, rows))
    fit = bt.fit(counts)
    strength = fit.strength.copy()
    strength[4] = strength[3] + 2e-15
    apart = replace(fit, strength=strength)
    covariance = independent(counts, apart)
    places = rank(apart, compare(apart, covariance), interval(apart, covariance))
    assert places.rank.tolist()[3:] == [4, 4]
    strength[3:] = [3.0, 3.0 + 2e-15]
    assert replace(fit, strength=strength).leader() == 3

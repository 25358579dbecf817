"""Influence, robustness, forecast, grading, rankings, weights, scale."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from leaderboard.ratings import (
    GRADED_SCORES,
    Contrasts,
    Method,
    RatingError,
    Votes,
    clustered,
    compare,
    find_provisional,
    fold,
    independent,
    quantise,
)
from leaderboard.ratings.data import scale
from leaderboard.ratings.data.rankings import expand
from leaderboard.ratings.data.weights import inverse_probability
from leaderboard.ratings.diagnostics.forecast import Verdict, forecast
from leaderboard.ratings.diagnostics.grading import compare_scores, kendall
from leaderboard.ratings.diagnostics.influence import leave_one_out
from leaderboard.ratings.diagnostics.robustness import Change, unseat
from leaderboard.ratings.models import bradley_terry as bt

from . import slow
from .make import make_votes, simulate

# --- influence


def test_leaving_one_out_is_exact_for_those_with_the_most_influence():
    votes, _ = simulate(1, contributors=20)
    counts = fold(votes)
    fit = bt.fit(counts)
    found = leave_one_out(votes, counts, fit, exact=4)
    for k, person in enumerate(found.most):
        without = bt.fit(fold(votes.take(votes.contributor != person)))
        assert np.allclose(found.shift[k], without.strength - fit.strength, atol=1e-12)
        assert found.leader[k] == np.argmax(without.strength)


def test_one_newton_step_finds_who_moves_the_board_most():
    votes, _ = simulate(2, contributors=20)
    heavy = (np.arange(len(votes)) % 9 == 0) & (votes.outcome != 0)
    people = np.where(heavy, 20, votes.contributor).astype(np.int32)
    outcome = np.where(heavy, np.where(votes.first < votes.second, 1, -1), votes.outcome)
    votes = Votes(8, votes.first, votes.second, outcome.astype(np.int8), contributor=people)
    fit = bt.fit(fold(votes))
    found = leave_one_out(votes, fold(votes), fit, exact=21)
    exact = np.abs(found.shift).max(1)
    estimate = found.largest[np.searchsorted(found.ids, found.most)]
    assert found.most[0] == 20
    assert np.allclose(estimate[1:], exact[1:], rtol=0.25, atol=0.01)
    with pytest.raises(RatingError, match="no prompt ids"):
        leave_one_out(votes, fold(votes), fit, Method.PROMPT)


# --- robustness


@pytest.mark.parametrize("seed", range(6))
def test_dropping_the_votes_found_is_enough_and_about_the_least(seed):
    rng = np.random.default_rng(seed)
    rows = [(0, 1, 1), (1, 2, 1), (2, 0, 1), (0, 2, 1), (1, 0, 1), (2, 1, 1)]
    rows += [(*rng.permutation(3)[:2], 1) for _ in range(6)]
    votes = make_votes(3, rows)
    fit = bt.fit(fold(votes))
    found = unseat(fold(votes), fit)
    least = slow.fewest_drops(votes, fit.leader(), 4)
    assert least is not None
    assert found.votes is None or least <= found.votes <= least + 1


def test_flips_and_drops_found_really_unseat_the_leader():
    votes, _ = simulate(3, votes=3000, spread=0.3)
    counts = fold(votes)
    fit = bt.fit(counts)
    dropped, flipped = unseat(counts, fit), unseat(counts, fit, Change.FLIP)
    assert dropped.leader == flipped.leader == np.argmax(fit.strength)
    assert 0 < flipped.votes < dropped.votes < 1500
    assert dropped.share == dropped.votes / 3000
    # by hand: turn round that many of the votes in which the leader beat the challenger
    direct = ((votes.first == flipped.leader) & (votes.second == flipped.challenger)) | (
        (votes.second == flipped.leader) & (votes.first == flipped.challenger)
    )
    outcome = votes.outcome.copy()
    for row in np.flatnonzero(direct):
        if (outcome[row] > 0) == (votes.first[row] == flipped.leader) and outcome[row]:
            outcome[row] = -outcome[row]
    if direct.sum() >= flipped.votes:
        changed = bt.fit(fold(Votes(8, votes.first, votes.second, outcome)))
        gap = changed.strength[flipped.challenger] - changed.strength[flipped.leader]
        assert gap > fit.strength[flipped.challenger] - fit.strength[flipped.leader]


def test_a_leader_far_ahead_takes_more_votes_than_one_just_ahead():
    close, _ = simulate(4, competitors=3, votes=900, strength=[0.1, 0.0, -1.0])
    far, _ = simulate(4, competitors=3, votes=900, strength=[1.5, 0.0, -1.0])
    few, many = (unseat(fold(v), bt.fit(fold(v))) for v in (close, far))
    assert few.votes < many.votes


def test_robustness_of_boards_without_a_challenger():
    empty = make_votes(3, [])
    assert unseat(fold(empty), bt.fit(fold(empty))).leader == -1
    level = make_votes(2, [(0, 1, 0)] * 5)
    assert unseat(fold(level), bt.fit(fold(level))).votes == 0
    lone = make_votes(2, [(0, 1, 1)] * 5 + [(1, 0, 1)])
    found = unseat(fold(lone), bt.fit(fold(lone)), Change.FLIP)
    assert found.votes == 2


def test_weighted_votes_count_by_their_weight():
    rows = [(0, 1, 1)] * 6 + [(1, 0, 1)] * 3 + [(1, 2, 1), (2, 1, 1)]
    heavy = make_votes(3, rows, weight=quantise(np.array([3.0] * 6 + [1.0] * 5)))
    assert unseat(fold(heavy), bt.fit(fold(heavy))).votes == 5


# --- forecast


def contrast_of(difference: float, error: float) -> Contrasts:
    d = np.array([[0, difference], [-difference, 0]])
    e = np.array([[0, error], [error, 0]])
    return Contrasts(d, e, d, d, d > 9, 0.05)


def test_separated_tied_and_underpowered_are_told_apart():
    assert forecast(contrast_of(0.5, 0.1), 0, 1, 1000).verdict == Verdict.SEPARATED
    assert forecast(contrast_of(0.001, 0.01), 0, 1, 1000).verdict == Verdict.TIED
    wide = forecast(contrast_of(0.1, 0.2), 0, 1, 1000)
    assert wide.verdict == Verdict.UNDERPOWERED
    # (1.959964 + 0.841621)² · (0.2 / 0.1)² = 31.4 times the votes: a textbook sample size
    assert wide.factor == pytest.approx(31.395, abs=0.001)
    assert wide.more == pytest.approx(30_395, abs=1)
    assert forecast(contrast_of(np.nan, np.nan), 0, 1, 1000).verdict == Verdict.UNRATED
    assert forecast(contrast_of(0.05, 0.2), 0, 1, 9).factor < np.inf
    # at 0 both one-sided tests have to reject: each with 90% for 80% of both
    assert forecast(contrast_of(0.0, 0.2), 0, 1, 9).factor == pytest.approx(
        ((1.644854 + 1.281552) * 0.2 / 0.05) ** 2, rel=1e-5
    )
    with pytest.raises(RatingError, match="level"):
        forecast(contrast_of(0.0, 0.2), 0, 1, 9, power=1.0)


@pytest.mark.parametrize("difference", [0.0, 0.015, -0.03])
def test_the_votes_forecast_do_show_a_tie_with_the_power_asked_for(difference):
    error = 0.5
    factor = forecast(contrast_of(difference, error), 0, 1, 100, margin=0.2).factor
    reached = error / np.sqrt(factor)
    estimates = np.random.default_rng(8).normal(difference, reached, 20_000)
    tied = np.abs(estimates) + 1.644854 * reached < 0.2
    assert tied.mean() == pytest.approx(0.8, abs=0.01)


def test_few_clusters_take_more_votes():
    """Student's t with 4 degrees of freedom: 2.776 at 97.5%, 0.941 at 80%."""
    few = replace(contrast_of(0.1, 0.2), degrees_of_freedom=4.0)
    assert forecast(few, 0, 1, 9).factor == pytest.approx(((2.776 + 0.941) * 2) ** 2, rel=1e-3)
    assert forecast(contrast_of(0.21, 0.1), 0, 1, 9).verdict == Verdict.SEPARATED
    assert forecast(replace(contrast_of(0.21, 0.1), degrees_of_freedom=4.0), 0, 1, 9).factor > 1


def test_the_votes_forecast_do_separate_with_the_power_asked_for():
    truth = [0.1, -0.1, 0.0]
    separated = 0
    for seed in range(60):
        votes, _ = simulate(seed, competitors=3, votes=1570, strength=truth, ties=0)
        counts = fold(votes)
        fit = bt.fit(counts)
        one = forecast(compare(fit, independent(counts, fit)), 0, 1, 1570)
        separated += one.verdict == Verdict.SEPARATED
    # the difference has variance 8/n for n votes spread evenly over three pairs: √(8/1570) = .0714,
    # and .2 = 2.80 of these, 1.96 for the confidence and .84 for 80% power
    assert 0.68 < separated / 60 < 0.92


# --- grading


def test_the_effect_of_graded_scores_is_shown():
    votes, _ = simulate(5, votes=5000, graded=True)
    found = compare_scores(fold(votes))
    assert 0.5 < found.slope < 0.8  # scores of a win average 5/6, so that log-odds shrink
    assert found.tau == pytest.approx(kendall(found.plain.strength, found.graded.strength))
    assert found.moved.sum() == 0
    again = bt.fit(fold(votes), GRADED_SCORES)
    assert np.array_equal(found.graded.strength, again.strength)
    same = compare_scores(fold(simulate(5, votes=500)[0]), scores=found.plain.scores)
    assert (same.slope, same.tau, same.moved.any()) == (pytest.approx(1), 1.0, False)
    assert np.isnan(compare_scores(fold(make_votes(2, []))).tau)


def test_kendalls_tau_on_a_worked_example():
    """τ-b of 1 2 3 4 5 and 1 2 2 5 3 is 7/√(10·9) = .7379."""
    x, y = np.arange(1.0, 6), np.array([1.0, 2, 2, 5, 3])
    assert kendall(x, y) == pytest.approx(7 / np.sqrt(90))


# --- rankings


def test_rankings_expand_into_the_pairs_of_each_judgment():
    rankings = {4: [(0, 1), (3, 2), (1, 2)], 2: [(5, 1)], 9: [(2, 3), (1, 1)]}
    rows = [(j, c, place) for j, placed in rankings.items() for c, place in placed]
    judgment, competitor, place = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    pairs = expand(judgment, competitor, place)
    got = list(zip(pairs.first, pairs.second, pairs.outcome, strict=True))
    expected = [pair for placed in rankings.values() for pair in slow.pairs_of_ranking(placed)]
    assert got == expected
    assert judgment[pairs.row].tolist() == [4, 4, 4, 9]


def test_pairs_of_one_ranking_are_clustered_by_judgment():
    rng = np.random.default_rng(6)
    n, k = 400, 4
    truth = np.array([0.6, 0.2, -0.2, -0.6])
    noisy = truth + rng.gumbel(size=(n, k))
    place = (-noisy).argsort(1).argsort(1) + 1
    judgment = np.repeat(np.arange(n, dtype=np.int32), k)
    pairs = expand(judgment, np.tile(np.arange(k, dtype=np.int32), n), place.ravel())
    votes = Votes(k, pairs.first, pairs.second, pairs.outcome, judgment=judgment[pairs.row])
    fit = bt.fit(fold(votes))
    assert len(votes) == n * 6
    assert np.abs(fit.strength - truth).max() < 0.15
    by_judgment = clustered(votes, fit, Method.JUDGMENT)
    expected = slow.sandwich(votes, fit.strength, votes.judgment)
    assert np.allclose(by_judgment.matrix, expected, rtol=1e-8)


def test_no_rankings_give_no_pairs_and_bad_ones_are_refused():
    none = np.zeros(0, np.int32)
    assert len(expand(none, none, none).first) == 0
    ids = np.array([1, 2, 1], np.int32)
    with pytest.raises(RatingError, match="next to each other"):
        expand(ids, np.arange(3, dtype=np.int32), np.ones(3, np.int32))
    with pytest.raises(RatingError, match="twice"):
        expand(np.ones(2, np.int32), np.ones(2, np.int32), np.array([1, 2]))
    with pytest.raises(RatingError, match="length"):
        expand(ids, ids[:2], ids)


# --- weights


def test_inverse_probability_weights_undo_active_sampling():
    rng = np.random.default_rng(7)
    truth = np.array([0.8, 0.0, -0.8])
    # responses differ by prompt: on hard prompts the order is turned round, and they are shown more
    hard = rng.random(200_000) < 0.5
    chosen = rng.random(len(hard)) < np.where(hard, 0.8, 0.2)
    first, second = np.array([(0, 1), (0, 2), (1, 2)])[rng.integers(0, 3, len(hard))].T
    gap = (truth[first] - truth[second]) * np.where(hard, -0.5, 1.0)
    outcome = np.where(rng.random(len(hard)) < 1 / (1 + np.exp(-gap)), 1, -1).astype(np.int8)
    everything = Votes(3, first.astype(np.int32), second.astype(np.int32), outcome)
    seen = everything.take(chosen)
    weight = inverse_probability(np.where(hard, 0.8, 0.2)[chosen])
    undone = Votes(3, seen.first, seen.second, seen.outcome, weight)
    uniform, biased, corrected = (bt.fit(fold(v)).strength for v in (everything, seen, undone))
    assert np.abs(biased - uniform).max() > 0.1
    assert np.abs(corrected - uniform).max() < 0.03


def test_inverse_probabilities_average_one_and_are_capped():
    weight = inverse_probability(np.array([0.5, 0.25, 0.25])) / 4096
    assert weight == pytest.approx([0.6, 1.2, 1.2], abs=1e-3)
    assert inverse_probability(np.append(np.ones(9999), 1e-6)).max() == 20 * 4096
    assert len(inverse_probability(np.zeros(0))) == 0
    for bad in (0.0, -1.0, 1.5, np.nan):
        with pytest.raises(RatingError, match="probability"):
            inverse_probability(np.array([0.5, bad]))


# --- ranks and scale


def test_competitors_with_few_effective_votes_are_provisional():
    rows = [(0, 1, 1), (1, 0, 1)] * 20 + [(0, 2, 1), (2, 0, 1)] * 3 + [(3, 0, 1)] * 40
    fit = bt.fit(fold(make_votes(4, rows)))
    assert find_provisional(fit).tolist() == [False, False, True, False]
    # The votes against 3, who never lost, say nothing of 0.
    assert find_provisional(fit, min_votes=50).tolist() == [True, True, True, False]


def test_votes_that_bear_on_nothing_make_nobody_less_provisional():
    rows = [(0, 1, 1)] * 200 + [(0, 2, 1)] * 200 + [(1, 2, 1), (2, 1, 1), (1, 2, 0)]
    fit = bt.fit(fold(make_votes(3, rows)))
    assert fit.effective_votes.tolist() == [0, 3, 3]
    assert find_provisional(fit).tolist() == [False, True, True]


def test_a_forecast_says_when_two_are_told_apart_though_they_may_be_level_sooner():
    near = compare_two(0.01, 0.03)
    seen = forecast(near, 0, 1, 10_000)
    assert seen.verdict is Verdict.UNDERPOWERED
    assert seen.factor < 5
    reach = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * 0.03 / 0.01
    assert seen.apart == pytest.approx(reach**2)
    with pytest.raises(RatingError, match="margin"):
        forecast(near, 0, 1, 10_000, margin=np.nan)


def compare_two(difference: float, error: float) -> Contrasts:
    gap = np.array([[0.0, difference], [-difference, 0.0]])
    p = np.full((2, 2), 2 * stats.norm.sf(difference / error))
    return Contrasts(gap, np.full((2, 2), error), p, p, p < 0, 0.05)


@pytest.mark.parametrize("kind", [np.uint8, np.uint32, np.int64, float])
def test_places_may_be_of_any_type_of_number(kind):
    judgment, competitor = np.zeros(3, dtype=np.int32), np.arange(3, dtype=np.int32)
    pairs = expand(judgment, competitor, np.array([3, 1, 2], dtype=kind))
    assert pairs.outcome.tolist() == [-1, -1, 1]
    assert pairs.outcome.dtype == np.int8
    with pytest.raises(RatingError, match="finite"):
        expand(judgment, competitor, np.array([1.0, np.nan, 2.0]))


@pytest.mark.parametrize("method", [Method.INDEPENDENT, Method.TWO_WAY, Method.BOOTSTRAP])
def test_what_names_no_column_clusters_nothing(method):
    votes, _ = simulate(3)
    with pytest.raises(RatingError, match="ids"):
        clustered(votes, bt.fit(fold(votes)), method)


def test_400_points_are_odds_of_ten_to_one():
    strength = np.array([0.0, np.log(10), -1.0])
    points = scale.to_points(strength)
    assert points[:2].tolist() == [1000, 1400]
    assert np.allclose(scale.to_strength(points), strength)
    assert scale.spread_to_points(np.log(10)) == pytest.approx(400)
    assert scale.step_from_points(4.0) == pytest.approx(4 * np.log(10) / 400)

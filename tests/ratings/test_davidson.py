"""Ties as a parameter of their own."""

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from leaderboard.ratings import compare, fold
from leaderboard.ratings.extended import davidson
from leaderboard.ratings.models import bradley_terry

from . import slow
from .make import golden, make_votes, simulate


def pudding():
    rows = []
    for i, j, _, i_won, j_won, tied in golden("pudding_1970")["pairs"]:
        for outcome, times in ((1, i_won), (-1, j_won), (0, tied)):
            rows += [(i - 1, j - 1, outcome)] * times
    return make_votes(6, rows)


def test_the_chocolate_puddings_as_published():
    table = golden("pudding_1970")
    fit = davidson.fit(fold(pudding()))
    share = np.exp(fit.strength)
    assert np.round(share / share.sum(), 4).tolist() == table["strength"]
    assert np.round(np.exp(fit.log_tie), 4).tolist() == [table["nu"]]


def test_the_likelihood_of_the_rows_has_no_better_point():
    votes, _ = simulate(1, competitors=4, votes=300, ties=0.3)
    fit = davidson.fit(fold(votes))

    def loss(x):
        return -slow.davidson_log_likelihood(votes, x[:4] - x[:4].mean(), x[4])

    best = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-6})
    assert np.allclose(fit.strength, best.x[:4] - best.x[:4].mean(), atol=1e-5)
    assert fit.log_tie[0] == pytest.approx(best.x[4], abs=1e-5)


def test_gradient_and_hessian_against_finite_differences():
    votes, _ = simulate(2, competitors=4, votes=200, ties=0.3)
    fit = davidson.fit(fold(votes))
    at = np.append(np.random.default_rng(2).normal(size=4), -0.4)
    gradient, information = davidson.derivatives(at[:4], at[4], fit.wins, fit.ties)
    for k in range(5):
        h = np.eye(5)[k] * 1e-5
        up, down = (slow.davidson_log_likelihood(votes, x[:4], x[4]) for x in (at + h, at - h))
        assert (up - down) / 2e-5 == pytest.approx(gradient[k], rel=1e-5)
        high, low = (
            davidson.derivatives(x[:4], x[4], fit.wins, fit.ties)[0] for x in (at + h, at - h)
        )
        assert np.allclose((low - high) / 2e-5, information[k], rtol=1e-5, atol=1e-5)


def test_the_covariance_equals_the_one_summed_over_rows():
    votes, _ = simulate(3, competitors=4, votes=400, ties=0.3)
    fit = davidson.fit(fold(votes))
    at = np.append(fit.strength, fit.log_tie)
    _, information = davidson.derivatives(at[:4], at[4], fit.wins, fit.ties)
    scores = []
    for i, j, outcome, _ in slow.rows(votes):
        one = make_votes(4, [(i, j, outcome)])
        gradient = [
            (
                slow.davidson_log_likelihood(one, (at + h)[:4], (at + h)[4])
                - slow.davidson_log_likelihood(one, (at - h)[:4], (at - h)[4])
            )
            / 2e-5
            for h in np.eye(5) * 1e-5
        ]
        scores.append(gradient)
    bread = np.linalg.pinv(information)
    expected = (bread @ np.array(scores).T @ np.array(scores) @ bread)[:4, :4]
    assert np.allclose(davidson.covariance(fold(votes), fit).matrix, expected, atol=1e-6)


def test_probabilities_add_up_and_tell_the_share_of_ties():
    votes, _ = simulate(4, votes=5000, ties=0.25)
    fit = davidson.fit(fold(votes))
    win, tie = davidson.probabilities(fit)
    assert np.allclose(win + win.T + tie, 1)
    expected = tie[votes.first, votes.second].sum()
    assert expected == pytest.approx((votes.outcome == 0).sum(), rel=1e-9)


def test_without_ties_it_is_bradley_terry():
    votes, _ = simulate(5, ties=0)
    fit, plain = davidson.fit(fold(votes)), bradley_terry.fit(fold(votes))
    assert fit.log_tie.tolist() == [-np.inf]
    assert np.allclose(fit.strength, plain.strength, atol=1e-12)
    contrast = compare(fit, davidson.covariance(fold(votes), fit))
    assert np.isfinite(contrast.standard_error).all()


def test_all_ties_and_ties_without_a_cycle_of_wins_are_not_rated():
    ties = davidson.fit(fold(make_votes(3, [(0, 1, 0), (1, 2, 0)])))
    assert ties.log_tie.tolist() == [np.inf]
    assert np.isnan(ties.strength).all()
    # 0 beats 1 and ties with it: both the difference and ν may grow for ever
    growing = davidson.fit(fold(make_votes(2, [(0, 1, 1), (0, 1, 0)])))
    assert np.isnan(growing.log_tie).all()
    assert np.isnan(growing.strength).all()


def test_more_wins_than_ties_around_a_cycle_are_enough():
    """Nobody is beaten in a circle, but two wins outweigh the one tie that closes it."""
    rows = [(0, 1, 1)] * 5 + [(1, 2, 1)] * 5 + [(0, 2, 0)] * 3
    votes = make_votes(3, rows)
    fit = davidson.fit(fold(votes))
    assert fit.strength == pytest.approx([1.722, 0, -1.722], abs=5e-4)
    assert fit.log_tie == pytest.approx([-0.036], abs=5e-4)
    best = slow.davidson_log_likelihood(votes, fit.strength, fit.log_tie[0])
    for step in np.random.default_rng(0).normal(0, 0.1, (50, 4)):
        other = slow.davidson_log_likelihood(
            votes, fit.strength + step[:3], fit.log_tie[0] + step[3]
        )
        assert other < best


@pytest.mark.parametrize("seed", range(40))
def test_a_fit_is_given_where_no_direction_raises_the_likelihood_for_ever(seed):
    """The directions (δ, τ) that never lower it, by linear programming."""
    rng = np.random.default_rng(seed)
    rows = [(*rng.permutation(4)[:2], int(rng.random() < 0.5)) for _ in range(7)]
    fit = davidson.fit(fold(make_votes(4, rows)))
    if fit.field.components != 1 or not fit.field.rated.all() or all(row[2] for row in rows):
        return
    bounds = []
    for i, j, won in rows:
        arc = np.zeros(4)
        arc[i], arc[j] = 1, -1
        bounds += [[*-arc, 2.0]] if won else [[*arc, -2.0], [*-arc, -2.0]]
    found = linprog(
        [0, 0, 0, 0, -1], bounds, np.zeros(len(bounds)), bounds=[(-9, 9)] * 4 + [(0, 1)]
    )
    for_ever = found.x[4] > 1e-6
    assert np.isnan(fit.strength).all() == for_ever


def test_components_have_their_own_ties():
    few, _ = simulate(6, competitors=4, ties=0.1)
    many, _ = simulate(7, competitors=4, ties=0.5, votes=1500)
    rows = [
        *zip(few.first, few.second, few.outcome, strict=True),
        *zip(many.first + 4, many.second + 4, many.outcome, strict=True),
    ]
    fit = davidson.fit(fold(make_votes(8, rows)))
    alone = davidson.fit(fold(many))
    assert fit.log_tie[1] == pytest.approx(alone.log_tie[0], abs=1e-12)
    assert fit.log_tie[0] < fit.log_tie[1]
    assert np.allclose(fit.strength[4:], alone.strength, atol=1e-12)

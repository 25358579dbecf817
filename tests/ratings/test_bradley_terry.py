"""Bradley-Terry: published figures, peers, a second implementation, derivatives, invariances."""

import numpy as np
import pytest

from leaderboard.ratings import (
    GRADED_SCORES,
    SIGN_SCORES,
    NotConverged,
    Status,
    Votes,
    fold,
    quantise,
)
from leaderboard.ratings.compute import newton
from leaderboard.ratings.inference.intervals import hessian
from leaderboard.ratings.models import bradley_terry as bt

from . import slow
from .make import golden, make_votes, simulate


def fitted(votes: Votes, **kwargs) -> bt.Fit:
    return bt.fit(fold(votes), **kwargs)


def baseball() -> Votes:
    table = golden("baseball_1987")
    index = {team: i for i, team in enumerate(table["teams"])}
    rows = [
        (index[home], index[away], outcome)
        for home, away, won, lost in table["games"]
        for outcome in [1] * won + [-1] * lost
    ]
    return make_votes(len(index), rows)


def test_the_1987_american_league_as_published():
    table = golden("baseball_1987")
    strength = fitted(baseball()).strength
    published = table["log_strength_against_baltimore"]
    assert np.round(strength - strength[-1], 2).tolist() == published
    variance = variance_against_the_last(baseball())
    assert (np.round(np.sqrt(variance), 1) == table["standard_error_to_one_decimal"]).all()


def variance_against_the_last(votes: Votes) -> np.ndarray:
    v = hessian(fitted(votes))
    return np.diag(v)[:-1] + v[-1, -1] - 2 * v[:-1, -1]


@pytest.mark.parametrize("scores", [SIGN_SCORES, GRADED_SCORES])
@pytest.mark.parametrize("weighted", [False, True])
def test_newton_equals_zermelo(scores, weighted):
    votes, _ = simulate(1, competitors=6, votes=500, graded=True)
    if weighted:
        weight = quantise(np.random.default_rng(0).uniform(0, 3, len(votes)))
        votes = Votes(6, votes.first, votes.second, votes.outcome, weight)
    fit = fitted(votes, scores=scores)
    assert fit.converged
    assert fit.iterations < 10
    assert np.allclose(fit.strength, slow.bradley_terry(votes, scores), atol=1e-10)
    assert abs(fit.strength.mean()) < 1e-12


def test_strengths_are_recovered():
    votes, truth = simulate(2, votes=200_000, ties=0)
    assert np.abs(fitted(votes).strength - truth).max() < 0.05


def test_gradient_and_hessian_against_finite_differences():
    votes, _ = simulate(3, competitors=5, votes=200)
    rng = np.random.default_rng(3)
    won = fitted(votes).wins
    s, n, target = rng.normal(size=5), won + won.T, won.sum(1)

    def log_likelihood(s: np.ndarray, prior: float) -> float:
        data = -(won * np.logaddexp(0, s - s[:, None])).sum()
        return data - prior / 2 * (np.logaddexp(0, -s) + np.logaddexp(0, s)).sum()

    for prior in (0.0, 2.0):
        gradient, information = bt.derivatives(s, n, target, prior)
        for k in range(5):
            h = np.eye(5)[k] * 1e-5
            slope = (log_likelihood(s + h, prior) - log_likelihood(s - h, prior)) / 2e-5
            assert slope == pytest.approx(gradient[k], rel=1e-6)
            change = (
                bt.derivatives(s + h, n, target, prior)[0]
                - bt.derivatives(s - h, n, target, prior)[0]
            ) / 2e-5
            assert np.allclose(-change, information[k], rtol=1e-6, atol=1e-6)


def test_log_likelihood_is_that_of_the_rows():
    votes, _ = simulate(4, competitors=4, votes=100)
    fit = fitted(votes)
    p = bt.win_matrix(fit)
    by_row = sum(
        w * (SIGN_SCORES[o + 3] * np.log(p[i, j]) + (1 - SIGN_SCORES[o + 3]) * np.log(p[j, i]))
        for i, j, o, w in slow.rows(votes)
    )
    assert bt.log_likelihood(fit) == pytest.approx(by_row, rel=1e-12)
    assert np.allclose(p + p.T, 1)


def test_relabelled_mirrored_reordered_and_tripled_votes_give_the_same():
    votes, _ = simulate(5)
    strength = fitted(votes).strength
    label = np.random.default_rng(5).permutation(8).astype(np.int32)
    relabelled = Votes(8, label[votes.first], label[votes.second], votes.outcome)
    assert np.allclose(fitted(relabelled).strength[label], strength, atol=1e-12)
    mirrored = Votes(8, votes.second, votes.first, -votes.outcome)
    assert np.array_equal(fitted(mirrored).strength, strength)
    reordered = votes.take(np.random.default_rng(6).permutation(len(votes)))
    assert np.array_equal(fitted(reordered).strength, strength)
    three = 1 + 2 * (np.arange(len(votes)) % 3 == 0)
    thrice = Votes(8, votes.first, votes.second, votes.outcome, quantise(three.astype(float)))
    repeated = votes.take(np.repeat(np.arange(len(votes)), three))
    assert np.array_equal(fitted(thrice).strength, fitted(repeated).strength)


def test_the_undefeated_and_the_winless_are_not_ranked():
    votes, _ = simulate(6, competitors=5)
    extra = [(5, k, 1) for k in range(5)] + [(k, 6, 2) for k in range(5)]
    rows = [*zip(votes.first, votes.second, votes.outcome, strict=True), *extra]
    fit = fitted(make_votes(8, rows))
    status = [Status.UNDEFEATED, Status.WINLESS, Status.NO_VOTES]
    assert fit.field.status[5:].tolist() == status
    assert np.isnan(fit.strength[5:]).all()
    assert np.allclose(fit.strength[:5], fitted(votes).strength, atol=1e-12)
    assert fit.field.component.tolist() == [0] * 7 + [-1]


def test_a_prior_makes_everybody_finite_and_shrinks():
    rows = [(0, 1, 1)] * 10 + [(1, 2, 1), (2, 1, 1)]
    fit = fitted(make_votes(4, rows), prior=1.0)
    assert fit.field.status[0] == Status.UNDEFEATED
    assert np.isfinite(fit.strength[:3]).all()
    assert np.isnan(fit.strength[3])
    stronger = fitted(make_votes(4, rows), prior=10.0)
    assert 0 < np.ptp(stronger.strength[:3]) < np.ptp(fit.strength[:3])
    # the pseudo-votes are what the docstring says: ties with one extra competitor
    with_opponent = make_votes(4, [*rows, (0, 3, 0), (1, 3, 0), (2, 3, 0)])
    explicit = fitted(with_opponent).strength
    assert np.allclose(fit.strength[:3], explicit[:3] - explicit[3], atol=1e-9)


def test_components_never_share_a_scale():
    left, _ = simulate(7, competitors=4)
    right, _ = simulate(8, competitors=4, votes=900)
    rows = [
        *zip(left.first, left.second, left.outcome, strict=True),
        *zip(right.first + 4, right.second + 4, right.outcome, strict=True),
    ]
    fit = fitted(make_votes(8, rows))
    assert fit.field.components == 2
    assert np.allclose(fit.strength[:4], fitted(left).strength, atol=1e-12)
    assert np.allclose(fit.strength[4:], fitted(right).strength, atol=1e-12)
    assert np.isnan(bt.win_matrix(fit)[0, 4])


def test_a_core_is_cut_from_those_above_and_below():
    cycle = [(0, 1, 1), (1, 2, 1), (2, 0, 1)]
    others = [(3, 0, 1), (3, 4, 1), (4, 3, 1), (2, 5, 1), (5, 6, 1)]
    status = fitted(make_votes(7, cycle + others)).field.status
    separated, winless = Status.SEPARATED, Status.WINLESS
    assert status.tolist() == [0, 0, 0, separated, separated, separated, winless]


def test_a_chain_is_nowhere_rated():
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        a, b, c = order
        status = fitted(make_votes(3, [(a, b, 1), (b, c, 1)])).field.status
        assert status[[a, b, c]].tolist() == [
            Status.UNDEFEATED, Status.SEPARATED, Status.WINLESS
        ]  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_who_is_rated_agrees_with_fords_condition(seed):
    rng = np.random.default_rng(seed)
    m = int(rng.integers(2, 6))
    pairs = rng.integers(0, m, (int(rng.integers(1, 9)), 2))
    votes = make_votes(
        m,
        [(i, j, int(rng.integers(-1, 2)) if rng.random() < 0.5 else 1) for i, j in pairs if i != j],
    )
    field = fitted(votes).field
    for group in field.groups(field.rated):
        assert slow.has_finite_fit(votes, group.tolist())
    for group in field.groups(field.component >= 0):
        whole = slow.has_finite_fit(votes, group.tolist())
        assert whole == bool(field.rated[group].all())


def test_extreme_but_finite_strengths_converge():
    lopsided = [1_000_000, 1_000_000, 1_000_000]
    rows, weight = [], []
    for k, times in enumerate(lopsided):
        rows += [(k, k + 1, 1), (k, k + 1, -1)]
        weight += [float(times), 1.0]
    fit = fitted(make_votes(4, rows, weight=quantise(np.array(weight) / 1024)))
    assert np.allclose(-np.diff(fit.strength), np.log(1e6), atol=1e-3)


def test_strengths_beyond_the_range_of_exp_converge():
    m = 80
    rows = [row for k in range(m - 1) for row in ((k, k + 1, 1), (k, k + 1, -1))]
    weight = quantise(np.tile([2.0**10, 2.0**-6], m - 1))
    fit = fitted(make_votes(m, rows, weight=weight))
    assert np.allclose(-np.diff(fit.strength), 16 * np.log(2), atol=1e-6)


def test_non_convergence_raises(monkeypatch):
    monkeypatch.setattr(newton, "MAX_ITERATIONS", 1)
    with pytest.raises(NotConverged):
        fitted(simulate(9)[0])

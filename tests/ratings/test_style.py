"""Style control and the covariates it reads."""

import numpy as np
import pytest

from leaderboard.ratings import (
    GRADED_SCORES,
    SIGN_SCORES,
    Method,
    NotEstimable,
    RatingError,
    Votes,
    fold,
    quantise,
)
from leaderboard.ratings.compute import chunks, parallel
from leaderboard.ratings.data import covariates
from leaderboard.ratings.extended import style, style_rows
from leaderboard.ratings.extended.style_rows import StyleRows
from leaderboard.ratings.models import bradley_terry

from . import slow
from .make import golden, make_votes, simulate

NAMES = ("length", "lists")


def styled(seed: int, *, weigh: bool = False, pull=(0.8, -0.4), votes: int = 3000):
    """Votes that follow strengths and two covariates."""
    rng = np.random.default_rng(seed)
    plain, _ = simulate(seed, votes=votes, graded=True)
    x = rng.uniform(-1, 1, (votes, 2)) * [1, 0.5]
    against = rng.random(votes) < 1 / (1 + np.exp(x @ pull))
    outcome = np.where(rng.random(votes) < 0.5, plain.outcome, np.where(against, -1, 1))
    weight = quantise(rng.integers(0, 3, votes) / 2) if weigh else None
    return Votes(
        8, plain.first, plain.second, outcome.astype(np.int8), weight,
        plain.contributor, plain.matchup, plain.prompt,
    ), x  # fmt: skip


def stacked(votes: Votes, x: np.ndarray, fit: style.Fit):
    w = np.array([row[3] for row in slow.rows(votes)])
    return np.hstack([slow.design(votes), x / fit.spread]), w


def test_a_weight_of_3_equals_three_rows_and_one_of_0_none():
    votes, x = styled(13, votes=900)
    times = np.random.default_rng(13).integers(0, 4, 900)
    weighted = Votes(8, votes.first, votes.second, votes.outcome, quantise(times.astype(float)))
    style_rows = np.repeat(np.arange(900), times)
    by_weight = style.fit(weighted, x, NAMES)
    by_row = style.fit(votes.take(style_rows), x[style_rows], NAMES)
    for name in ("strength", "coefficient", "spread"):
        assert np.allclose(getattr(by_weight, name), getattr(by_row, name), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("weigh", [False, True])
def test_the_loop_fits_what_the_columns_fit(monkeypatch, weigh):
    votes, x = styled(15, weigh=weigh)
    fits, errors = [], []
    for by_loop in (False, True):
        monkeypatch.setattr(style_rows, "COMPILED", by_loop)
        fits.append(style.fit(votes, x, NAMES))
        covariance = style.covariance(votes, x, fits[-1])
        errors.append((covariance.strength.matrix, covariance.coefficient.matrix))
    assert np.allclose(fits[0].strength, fits[1].strength, rtol=0, atol=1e-12)
    assert np.allclose(fits[0].coefficient, fits[1].coefficient, rtol=0, atol=1e-12)
    assert all(np.allclose(a, b, rtol=0, atol=1e-12) for a, b in zip(*errors, strict=True))


@pytest.mark.parametrize("weigh", [False, True])
def test_threads_change_no_digit(monkeypatch, weigh):
    votes, x = styled(17, weigh=weigh)
    monkeypatch.setattr(style_rows, "COMPILED", True)
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 200)
    monkeypatch.setattr(style_rows, "CHUNK_ROWS", 200)
    monkeypatch.setattr(parallel, "MIN_ROWS_PER_PART", 500)
    results = []
    for threads in (1, 2, 3, 3):
        monkeypatch.setattr(parallel, "THREADS", threads)
        fit = style.fit(votes, x, NAMES)
        covariance = style.covariance(votes, x, fit)
        matrices = covariance.strength.matrix, covariance.coefficient.matrix
        results.append((fit.strength, fit.coefficient, fit.spread, *matrices))
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("scores", [SIGN_SCORES, GRADED_SCORES])
@pytest.mark.parametrize("weigh", [False, True])
def test_the_fit_equals_row_wise_logistic_regression(scores, weigh):
    votes, x = styled(1, weigh=weigh, votes=800)
    fit = style.fit(votes, x, NAMES, scores)
    z, w = stacked(votes, x, fit)
    beta = slow.logistic(z, scores[votes.outcome + 3], w)
    assert np.allclose(fit.strength, beta[:8] - beta[:8].mean(), atol=1e-9)
    assert np.allclose(fit.coefficient, beta[8:], atol=1e-9)
    assert np.allclose(fit.spread, np.sqrt(np.average(x**2, axis=0, weights=w)))


@pytest.mark.parametrize("weigh", [False, True])
@pytest.mark.parametrize("method", ["independent", "contributor", "matchup", "prompt"])
def test_the_covariance_equals_the_textbook_row_by_row(method, weigh):
    votes, x = styled(2, weigh=weigh, votes=700)
    fit = style.fit(votes, x, NAMES)
    z, w = stacked(votes, x, fit)
    p = 1 / (1 + np.exp(-z @ np.append(fit.strength, fit.coefficient)))
    bread = np.linalg.pinv((z * (w * p * (1 - p))[:, None]).T @ z)
    score = z * (w * (SIGN_SCORES[votes.outcome + 3] - p))[:, None]
    if method != "independent":
        live = w > 0
        ids, cluster = np.unique(getattr(votes, method)[live], return_inverse=True)
        sum_terms = np.zeros((len(ids), z.shape[1]))
        np.add.at(sum_terms, cluster, score[live])
        score = sum_terms * np.sqrt(len(ids) / (len(ids) - 1))
    expected = bread @ score.T @ score @ bread
    got = style.covariance(votes, x, fit, Method(method))
    assert np.allclose(got.strength.matrix, expected[:8, :8], atol=1e-9)
    assert np.allclose(got.coefficient.matrix, expected[8:, 8:], atol=1e-9)


def test_two_way_and_its_fallback_are_those_of_the_plain_board():
    votes, x = styled(3)
    fit = style.fit(votes, x, NAMES)
    both = style.covariance(votes, x, fit)
    threads = [style.covariance(votes, x, fit, Method(m)) for m in ("contributor", "matchup")]
    own = style.covariance(votes, x, fit, Method.INDEPENDENT)
    assert both.strength.method == Method.TWO_WAY
    expected = [part.coefficient.matrix for part in (*threads, own)]
    assert np.allclose(both.coefficient.matrix, expected[0] + expected[1] - expected[2])
    few = Votes(
        8, votes.first, votes.second, votes.outcome, None, votes.contributor % 5, votes.matchup
    )
    largest = style.covariance(few, x, fit)
    assert "fewer than 30" in largest.strength.note
    assert largest.strength.method == largest.coefficient.method == Method.LARGEST
    one = [style.covariance(few, x, fit, Method(m)) for m in ("contributor", "matchup")]
    errors = [part.coefficient.standard_error for part in (*one, own)]
    assert np.allclose(largest.coefficient.standard_error, np.max(errors, axis=0))
    lower, upper = largest.limits(fit)
    reach = (upper - lower) / 2 / largest.coefficient.standard_error
    assert np.allclose(reach, 2.776, atol=5e-4)  # Student's t with 4 degrees of freedom


def test_gradient_and_hessian_against_finite_differences():
    votes, x = styled(5, votes=300, weigh=True)
    votes = votes.take(votes.weight > 0)
    x = x[: len(votes)]
    read = StyleRows.from_votes(votes, np.ascontiguousarray(x.T), SIGN_SCORES)
    w = np.array([row[3] for row in slow.rows(votes)])
    at, unit = np.random.default_rng(5).normal(size=(2, 10))
    z = np.hstack([slow.design(votes), x])

    def log_likelihood(at):
        logit = z @ (at * unit)
        return float((w * (read.y * logit - np.logaddexp(0, logit))).sum())

    gradient, information = style.derivatives(at, read, unit)
    for k in range(10):
        h = np.eye(10)[k] * 1e-5
        slope = (log_likelihood(at + h) - log_likelihood(at - h)) / 2e-5
        assert slope == pytest.approx(gradient[k], rel=1e-5)
        change = style.derivatives(at - h, read, unit)[0]
        change -= style.derivatives(at + h, read, unit)[0]
        assert np.allclose(change / 2e-5, information[k], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("unit", [1e-9, 1e-4, 30.0, 1e6])
def test_the_unit_of_a_covariate_moves_no_rating(unit):
    votes, x = styled(18)
    mirrored = Votes(
        votes.competitors,
        np.append(votes.first, votes.second),
        np.append(votes.second, votes.first),
        np.append(votes.outcome, -votes.outcome),
    )
    votes, x = mirrored, np.concatenate([x, -x])
    plain, other = style.fit(votes, x, NAMES), style.fit(votes, x * unit, NAMES)
    assert np.allclose(plain.strength, other.strength, rtol=0, atol=1e-9)
    assert np.allclose(plain.coefficient, other.coefficient, rtol=1e-9)
    assert np.allclose(plain.spread * unit, other.spread)
    errors = [
        style.covariance(votes, x * k, fit, Method.INDEPENDENT).coefficient.standard_error
        for k, fit in ((1.0, plain), (unit, other))
    ]
    assert np.allclose(*errors, rtol=1e-6)


def test_covariates_may_be_integers():
    votes, x = styled(19)
    whole = np.rint(x * 20)
    fits = [style.fit(votes, whole.astype(kind), NAMES) for kind in (float, np.int8)]
    assert np.array_equal(fits[0].coefficient, fits[1].coefficient)


def test_home_advantage_of_the_1987_american_league_as_published():
    """Playing at home as the one covariate: Agresti's second model of these games."""
    table = golden("baseball_1987")
    index = {team: i for i, team in enumerate(table["teams"])}
    style_rows = [
        (index[home], index[away], outcome)
        for home, away, won, lost in table["games"]
        for outcome in [1] * won + [-1] * lost
    ]
    fit = style.fit(make_votes(7, style_rows), np.ones((len(style_rows), 1)), ["home"])
    assert np.round(fit.coefficient, 3).tolist() == [table["home_advantage"]]
    share = np.sort(np.exp(fit.strength))
    assert (
        np.round(share / share.sum(), 3).tolist()
        == table["strengths_with_home_advantage_ascending"]
    )


def test_mirrored_votes_give_the_same():
    votes, x = styled(6)
    fit = style.fit(votes, x, NAMES)
    swap = np.random.default_rng(6).random(len(votes)) < 0.5
    mirrored = Votes(
        8,
        np.where(swap, votes.second, votes.first),
        np.where(swap, votes.first, votes.second),
        np.where(swap, -votes.outcome, votes.outcome).astype(np.int8),
    )
    other = style.fit(mirrored, np.where(swap[:, None], -x, x), NAMES)
    assert np.allclose(other.strength, fit.strength, atol=1e-10)
    assert np.allclose(other.coefficient, fit.coefficient, atol=1e-10)


def test_intervals_hold_the_coefficients_of_the_simulation():
    votes, x = styled(7, votes=40_000)
    fit = style.fit(votes, x, NAMES)
    lower, upper = style.covariance(votes, x, fit).limits(fit)
    assert (lower < fit.coefficient).all()
    assert (fit.coefficient < upper).all()
    assert lower[0] > 0 > upper[1]


def test_a_covariate_that_never_differs_has_no_coefficient():
    votes, x = styled(8)
    idle = np.column_stack([x, np.zeros(len(x))])
    fit = style.fit(votes, idle, [*NAMES, "code"])
    plain = style.fit(votes, x, NAMES)
    assert np.isnan(fit.coefficient[2])
    assert np.allclose(fit.strength, plain.strength, atol=1e-12)
    assert np.isnan(style.covariance(votes, idle, fit).coefficient.matrix[2]).all()


def test_without_covariates_it_is_bradley_terry():
    votes, x = styled(9)
    fit = style.fit(votes, x[:, :0], [])
    assert np.allclose(fit.strength, bradley_terry.fit(fold(votes)).strength, atol=1e-10)
    assert style.covariance(votes, x[:, :0], fit).coefficient.matrix.shape == (0, 0)


def test_covariates_that_cannot_be_told_apart_are_refused():
    votes, x = styled(10)
    with pytest.raises(NotEstimable, match="length, twice"):
        style.fit(votes, np.column_stack([x[:, 0], 2 * x[:, 0]]), ["length", "twice"])
    always = np.where(votes.first == 0, 1.0, 0.0) - np.where(votes.second == 0, 1.0, 0.0)
    with pytest.raises(NotEstimable, match="competitors"):
        style.fit(votes, always[:, None], ["length"])
    with pytest.raises(RatingError, match="finite"):
        style.fit(votes, x * np.nan, NAMES)
    with pytest.raises(RatingError, match="3000 by 1"):
        style.fit(votes, x, ["length"])


def test_unrated_competitors_stay_unrated():
    votes, x = styled(11)
    style_rows = [*zip(votes.first, votes.second, votes.outcome, strict=True), (8, 0, 1)]
    more = make_votes(9, style_rows)
    fit = style.fit(more, np.vstack([x, [[0.3, 0.3]]]), NAMES)
    assert np.isnan(fit.strength[8])
    same = style.fit(votes, x, NAMES)
    assert np.allclose(fit.strength[:8], same.strength, atol=1e-9)
    assert np.allclose(fit.spread, same.spread)
    assert np.allclose(fit.coefficient, same.coefficient, atol=1e-9)
    covariance = style.covariance(more, np.vstack([x, [[0.3, 0.3]]]), fit, Method.INDEPENDENT)
    assert np.isnan(covariance.strength.matrix[8]).all()
    assert np.isfinite(covariance.coefficient.matrix).all()


def test_differences_are_normalised_and_bounded():
    first, second = np.array([[100, 0], [0, 3]]), np.array([[300, 0], [0, 1]])
    x = covariates.differences(first, second)
    assert x.tolist() == [[-0.5, 0], [0, 0.5]]
    with pytest.raises(RatingError, match="the same covariates"):
        covariates.differences(first[:, :1], second)
    for bad in (-1.0, np.nan):
        with pytest.raises(RatingError, match="must"):
            covariates.differences(np.array([[bad]]), np.array([[1.0]]))


def test_each_covariate_can_have_a_difference_of_its_own():
    first, second = np.array([[3.0, -0.5]]), np.array([[1.0, 0.25]])
    ways = [covariates.relative, covariates.plain]
    assert covariates.differences(first, second, ways).tolist() == [[0.5, -0.75]]
    with pytest.raises(RatingError, match="1 columns"):
        covariates.differences(first, second, ways[:1])


def test_style_that_explains_every_vote_has_no_finite_coefficient():
    votes, _ = simulate(12, competitors=3, votes=60, ties=0)
    x = np.where(votes.outcome > 0, 0.5, -0.5)[:, None]
    with pytest.raises(RatingError):
        style.fit(votes, x, ["length"])


@pytest.mark.parametrize("weigh", [False, True])
def test_a_first_fit_of_few_votes_changes_nothing_but_the_way(monkeypatch, weigh):
    votes, x = styled(16, weigh=weigh)
    run = np.arange(len(votes)) // style_rows.RUN_ROWS
    rare = np.where(run % 26 == 1, 1.0, 0.0)  # unweighted, no 13th run has it
    x = np.column_stack([x, rare])
    names = [*NAMES, "rare"]
    monkeypatch.setattr(style, "SAMPLE_VOTES_PER_PARAMETER", 10**9)
    straight = style.fit(votes, x, names)
    monkeypatch.setattr(style, "SAMPLE_VOTES_PER_PARAMETER", 20)
    other = style.fit(votes, x, names)
    assert np.allclose(other.strength, straight.strength, rtol=0, atol=1e-9)
    assert np.allclose(other.coefficient, straight.coefficient, rtol=0, atol=1e-9)

"""Degenerate input: a named outcome each time, and never a warning (they are errors here)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.ratings import (
    GRADED_SCORES,
    SIGN_SCORES,
    Method,
    RatingError,
    Status,
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
from leaderboard.ratings.diagnostics.forecast import Verdict, forecast
from leaderboard.ratings.diagnostics.grading import compare_scores
from leaderboard.ratings.diagnostics.influence import leave_one_out
from leaderboard.ratings.diagnostics.robustness import Change, unseat
from leaderboard.ratings.extended import davidson, style
from leaderboard.ratings.inference.bootstrap import reweight_clusters, reweight_votes
from leaderboard.ratings.models import bradley_terry as bt
from leaderboard.ratings.models import elo

from . import slow
from .make import make_votes

pytestmark = pytest.mark.filterwarnings("error")


@st.composite
def any_votes(draw: st.DrawFn) -> Votes:
    """From no votes at all to a few dozen, any graph, any outcomes, zero weights included."""
    m = draw(st.integers(0, 6))
    pair = st.tuples(st.integers(0, max(m - 1, 0)), st.integers(0, max(m - 1, 0)))
    pairs = draw(st.lists(pair.filter(lambda p: p[0] != p[1]), max_size=25)) if m > 1 else []
    outcome = draw(st.sampled_from([[1], [0], [-1, 1], [-3, -2, -1, 0, 1, 2, 3]]))
    rows = [(i, j, draw(st.sampled_from(outcome))) for i, j in pairs]
    ids = [draw(st.integers(0, 4)) for _ in rows]
    weight = None
    if draw(st.booleans()):
        weight = np.array([draw(st.sampled_from([0, 1, 4096, 9999])) for _ in rows], np.int64)
    return make_votes(
        m,
        rows,
        weight=weight,
        contributor=np.array(ids, np.int32),
        matchup=np.arange(len(rows), dtype=np.int32) // 2,
        prompt=np.zeros(len(rows), np.int32),
    )


@given(
    votes=any_votes(),
    scores=st.sampled_from([SIGN_SCORES, GRADED_SCORES]),
    prior=st.sampled_from([0.0, 0.5]),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_board_can_always_be_made_or_says_why_not(votes, scores, prior):
    counts = fold(votes)
    fit = bt.fit(counts, scores, prior)
    m = votes.competitors
    status = fit.field.status
    rated = np.isfinite(fit.strength)
    assert fit.converged
    assert (rated == (status == Status.RATED)).all() or prior > 0
    assert ((status == Status.NO_VOTES) == (fit.field.component == -1)).all()
    for group in fit.groups():
        if prior == 0:
            assert abs(fit.strength[group].mean()) < 1e-9
            # a graded win leaves the loser a share, so that even the undefeated may be finite
            assert scores is GRADED_SCORES or slow.has_finite_fit(votes, group.tolist())

    covariance = independent(counts, fit)
    assert (np.isnan(covariance.matrix) == ~fit.same_scale).all()
    contrast, limits = compare(fit, covariance), interval(fit, covariance)
    places = rank(fit, contrast, limits)
    assert ((places.rank == 0) == ~rated).all()
    assert ((places.best <= places.rank) & (places.rank <= places.worst)).all()
    for method in (Method.CONTRIBUTOR, Method.MATCHUP, Method.PROMPT, Method.TWO_WAY):
        try:
            if method is Method.TWO_WAY:
                result = two_way(votes, counts, fit)
                assert result.method == Method.TWO_WAY or result.note
            else:
                result = clustered(votes, fit, method)
        except RatingError as error:
            refusal = str(error)
            assert refusal.endswith("clusters: no variance can be estimated")
        else:
            assert not (np.diag(result.matrix)[rated] < -1e-12).any()
    if m >= 2:
        assert forecast(contrast, 0, 1, len(votes)).verdict in Verdict


@given(votes=any_votes())
@settings(max_examples=100, deadline=None, derandomize=True)
def test_everything_beside_the_board_copes_too(votes):
    counts = fold(votes)
    fit = bt.fit(counts)
    ties = davidson.fit(counts)
    assert len(ties.log_tie) == ties.field.components
    matrix = davidson.covariance(counts, ties).matrix
    assert (np.isnan(matrix) == ~ties.same_scale).all()
    rounds = reweight_votes(counts, fit, np.random.default_rng(0), 5)
    assert (np.isfinite(rounds.strengths) == np.isfinite(fit.strength)).all()
    try:
        reweight_clusters(votes, fit, np.random.default_rng(0), Method.CONTRIBUTOR, 5)
    except RatingError as error:
        assert str(error).endswith("clusters: no variance can be estimated")  # noqa: PT017
    for change in Change:
        assert unseat(counts, fit, change).leader == fit.leader()
    found = leave_one_out(votes, counts, fit, exact=2)
    assert len(found.most) == min(2, len(found.ids))
    assert compare_scores(counts).plain.strength.shape == fit.strength.shape
    assert np.isfinite(elo.replay(votes).strength).all()


@given(votes=any_votes(), seed=st.integers(0, 9))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_style_is_fitted_or_refused_by_name(votes, seed):
    x = np.random.default_rng(seed).integers(-1, 2, (len(votes), 2)) / 2
    try:
        fit = style.fit(votes, x, ["length", "lists"])
    except RatingError:
        return  # collinear, or style alone explains every vote
    assert fit.converged
    assert (np.isnan(fit.strength) == np.isnan(bt.fit(fold(votes)).strength)).all()
    style.covariance(votes, x, fit, Method.INDEPENDENT)


NAMED = {
    "empty": (make_votes(3, []), [4, 4, 4]),
    "nobody": (make_votes(0, []), []),
    "one vote": (make_votes(2, [(0, 1, 1)]), [1, 2]),
    "one tie": (make_votes(2, [(0, 1, 0)]), [0, 0]),
    "one competitor": (make_votes(1, []), [4]),
    "all ties": (make_votes(3, [(0, 1, 0), (1, 2, 0), (2, 0, 0)] * 3), [0, 0, 0]),
    "all wins": (make_votes(3, [(0, 1, 1), (1, 2, 1), (0, 2, 1)]), [1, 3, 2]),
    "disconnected": (make_votes(4, [(0, 1, 0), (2, 3, 0)]), [0, 0, 0, 0]),
    "zero weights": (
        make_votes(2, [(0, 1, 1), (1, 0, 1)], weight=quantise(np.zeros(2))),
        [4, 4],
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_named_outcomes(name):
    votes, status = NAMED[name]
    fit = bt.fit(fold(votes))
    assert fit.field.status.tolist() == status
    expected = [np.isfinite(s) for s in fit.strength]
    assert expected == [s == Status.RATED for s in status]
    if name == "all ties":
        assert fit.strength.tolist() == [0, 0, 0]


def test_nan_is_refused_everywhere():
    votes = make_votes(2, [(0, 1, 1), (1, 0, 1)])
    with pytest.raises(RatingError):
        quantise(np.array([np.nan]))
    with pytest.raises(RatingError):
        style.fit(votes, np.array([[np.nan], [1.0]]), ["length"])
    with pytest.raises(RatingError):
        bt.fit(fold(votes), np.full(7, np.nan))
    for prior in (-1.0, np.nan, np.inf):
        with pytest.raises(RatingError, match="prior"):
            bt.fit(fold(votes), prior=prior)
    with pytest.raises(RatingError):
        Votes(2, np.array([np.nan]), np.array([1.0]), np.array([1], np.int8))

"""Twins: who copies is found, and nobody who answers for themselves."""

from dataclasses import replace

import numpy as np
import pytest

from bench.trust_world import HONEST, LEFT, RANDOM, World, draw_crowd
from leaderboard.trust.gaps import UNKEYED, Matchups
from leaderboard.trust.reliability import Answers, estimate_reliability
from leaderboard.trust.rigging import screen_models
from leaderboard.trust.scoring import find_open_questions
from leaderboard.trust.twins import MIN_SHARED, screen_twins
from tests.trust.test_reliability import some_answers

COPIED, LEAST = 0.9, 80


def add_copies(answers, owners, seed):
    """An account for each of these contributors, with nine of ten of their answers and other sides;
    the tenth is clicked."""
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(np.isin(answers.contributor, owners))
    who = answers.people + np.searchsorted(owners, answers.contributor[rows])
    copied = rng.random(len(rows)) < COPIED
    outcome = np.where(copied, answers.outcome[rows], rng.integers(-2, 3, len(rows)))
    more = (who, answers.matchup[rows], outcome, rng.choice([-1, 1], len(rows)))
    columns = (answers.contributor, answers.matchup, answers.outcome, answers.left)
    both = [np.concatenate(pair) for pair in zip(columns, more, strict=True)]
    return Answers(*both, answers.matchups, answers.people + len(owners), 5)


def screen(answers):
    return screen_twins(answers, estimate_reliability(answers).expected)


def test_who_copies_is_found_and_nobody_among_three_thousand():
    crowd = draw_crowd(World(people=3_000, models=20), 0)
    busy = np.bincount(crowd.answers.contributor, minlength=3_000) >= LEAST
    owners = np.flatnonzero(busy & (crowd.kind == HONEST))[:8]
    answers = add_copies(crowd.answers, owners, 0)
    found = screen(answers)
    named = found.flagged
    assert sorted(found.one[named].tolist()) == owners.tolist()
    assert sorted(found.other[named].tolist()) == list(range(3_000, 3_008))
    assert (found.shared[named] >= LEAST).all()
    assert np.flatnonzero(found.who(answers.people)).tolist() == [*owners, *range(3_000, 3_008)]
    assert not screen(crowd.answers).flagged.any()


def test_a_pair_of_twins_is_an_open_question():
    answers = draw_crowd(World(people=300, models=10), 3).answers
    owner = np.array([np.argmax(np.bincount(answers.contributor))])
    answers = add_copies(answers, owner, 0)
    reliability = estimate_reliability(answers)
    rigging = screen_models(answers, reliability.expected)
    twins = screen_twins(answers, reliability.expected)
    assert twins.who(answers.people).sum() == 2
    before, after = (find_open_questions(reliability, rigging, each) for each in (None, twins))
    assert (after == before | twins.who(answers.people)).all()
    assert after.sum() > before.sum()


@pytest.mark.parametrize("seed", range(3))
def test_many_who_judge_the_same_are_not_twins(seed):
    """Thousands of pairs with up to 150 matchups in common; some read, click or take the left."""
    kinds = {HONEST: 0.7, LEFT: 0.15, RANDOM: 0.15}
    found = screen(draw_crowd(World(people=400, models=8, overlap=60, kinds=kinds), seed).answers)
    assert len(found.one) > 1_000
    assert found.shared.max() > 100
    assert not found.flagged.any()


def test_two_careful_readers_of_plain_matchups_are_not_twins(monkeypatch):
    """What no gap tells: two of five matchups are a tie to whoever looks."""
    rng = np.random.default_rng(0)
    who = rng.permuted(np.tile(np.arange(8), (400, 1)), axis=1)[:, :4].ravel()
    matchup = np.repeat(np.arange(400), 4)
    first = rng.integers(0, 5, 400)
    matchups = Matchups(first, (first + 1) % 5, np.full(400, UNKEYED), 5)
    lead = rng.normal(0.0, 1.0, 400)[matchup] + rng.logistic(size=1_600)
    plain = (rng.random(400) < 0.4)[matchup]
    outcome = np.where(plain | (np.abs(lead) < 0.4), 0, np.sign(lead)).astype(np.int64)
    answers = Answers(who, matchup, outcome, rng.choice([-1, 1], 1_600), matchups, 8, 3)
    found = screen(answers)
    assert found.shared.min() > 60
    assert not found.flagged.any()
    monkeypatch.setattr("leaderboard.trust.twins.IN_COMMON", (0.0,))
    assert screen(answers).flagged.any()


def test_evidence_against_who_answers_for_themselves_is_one_on_average():
    """An e-value: with a mean of more than 1 over pairs, too many would be named."""
    answers = draw_crowd(World(people=400, models=8, overlap=60, kinds={HONEST: 1.0}), 5).answers
    found = screen(answers)
    assert len(found.one) > 1_000
    assert np.exp(found.evidence).mean() < 1.0


def test_order_and_names_change_nothing():
    crowd = draw_crowd(World(people=300, models=10, overlap=30), 2)
    answers = add_copies(crowd.answers, np.array([0, 5]), 1)
    expected = estimate_reliability(answers).expected
    found = screen_twins(answers, expected)
    rows = np.random.default_rng(0).permutation(len(answers.outcome))
    shuffled = screen_twins(answers.take(rows), expected[rows])
    assert shuffled.evidence.tobytes() == found.evidence.tobytes()
    renamed = replace(answers, contributor=answers.people - 1 - answers.contributor)
    other = screen_twins(renamed, expected)
    assert np.allclose(np.sort(other.evidence), np.sort(found.evidence))
    assert sorted(answers.people - 1 - other.one) == sorted(found.other)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "answers",
    [
        some_answers([]),
        some_answers([], keys=(), people=0, models=0),
        some_answers([(0, 0, 1, 1), (1, 0, 1, 1)], people=2),
        some_answers(
            [(who, at, 0, 1) for who in (0, 1) for at in range(9)],
            keys=[UNKEYED] * 9,
            people=2,
            categories=2,
        ),
        some_answers(
            [(who, at, 1, 0) for who in (0, 1) for at in range(MIN_SHARED)],
            keys=[1] * MIN_SHARED,
            people=2,
            categories=3,
        ),
    ],
    ids=["nothing", "nobody", "one matchup", "ties without ties", "controls answered right"],
)
def test_little_is_no_twin(answers):
    found = screen(answers)
    assert not found.flagged.any()
    assert not found.who(answers.people).any()
    assert np.isfinite(found.evidence).all()

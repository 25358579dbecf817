"""Screens for rigging, one-sidedness and care for controls alone: whom they name, and whom not."""

from dataclasses import replace

import numpy as np
import pytest

from bench.trust_world import AWARE, HONEST, KINDS, LEFT, RIGGER, TARGET, World, draw_crowd
from leaderboard.trust.reliability import estimate_reliability
from leaderboard.trust.rigging import (
    find_discoveries,
    find_gaps,
    screen_models,
    screen_sides,
)
from leaderboard.trust.scoring import find_open_questions, limit_quality
from tests.trust.test_reliability import UNKEYED, some_answers

WORLD = World(people=800, models=12)


@pytest.fixture(scope="module")
def seen():
    """A crowd, its fit, and the screen of models."""
    crowd = draw_crowd(WORLD, 0)
    found = estimate_reliability(crowd.answers)
    return crowd, found, screen_models(crowd.answers, found.expected)


def test_riggers_are_named_with_their_model_and_nobody_honest(seen):
    crowd, found, rigging = seen
    busy = (crowd.kind == RIGGER) & (found.answers >= 80)
    assert busy.sum() >= 2
    assert rigging.flagged[busy].all()
    assert set(rigging.model[busy]) == {TARGET}
    assert rigging.lifts[busy].all()
    assert not rigging.flagged[crowd.kind == HONEST].any()


def test_answers_that_show_the_model_lose_their_weight_and_others_keep_it(seen):
    crowd, found, rigging = seen
    answers, matchups = crowd.answers, crowd.answers.matchups
    shows = (matchups.first == TARGET) | (matchups.second == TARGET)
    busy = ((crowd.kind == RIGGER) & (found.answers >= 80))[answers.contributor]
    theirs = busy & shows[answers.matchup]
    assert rigging.of_answer[theirs].min() > 0.9
    assert rigging.of_answer[busy & ~shows[answers.matchup]].max() < 0.5
    honest = (crowd.kind == HONEST)[answers.contributor]
    assert rigging.of_answer[honest].mean() < 0.01
    assert not rigging.of_answer[matchups.key[answers.matchup] != UNKEYED].any()


def test_lowering_is_lifting_seen_from_the_other_side(seen):
    crowd, found, rigging = seen
    answers = crowd.answers
    turned = replace(answers, outcome=-answers.outcome)
    other = screen_models(turned, found.expected[:, ::-1])
    busy = (crowd.kind == RIGGER) & (found.answers >= 80)
    assert not other.lifts[busy].any()
    assert np.allclose(other.evidence, rigging.evidence)


def test_the_order_of_rows_does_not_matter_to_models(seen):
    crowd, found, rigging = seen
    answers = crowd.answers
    rows = np.random.default_rng(0).permutation(len(answers.outcome))
    shuffled = answers.take(rows)
    other = screen_models(shuffled, found.expected[rows])
    assert np.allclose(other.of_answer, rigging.of_answer[rows])


def test_sides_name_whoever_takes_the_left_and_nobody_honest(seen):
    crowd, found, _rigging = seen
    evidence = screen_sides(crowd.answers, found.expected)
    assert (evidence >= 0.0).all()
    named = find_discoveries(evidence, 0.01)
    assert named[(crowd.kind == LEFT) & (found.answers >= 50)].all()
    assert not named[crowd.kind == HONEST].any()
    unknown = replace(crowd.answers, left=np.zeros_like(crowd.answers.left))
    assert not screen_sides(unknown, found.expected).any()


def test_discoveries_are_as_many_as_the_evidence_bears():
    assert find_discoveries(np.log([1.0, 500.0, 90.0]), 0.01).tolist() == [False, True, False]
    assert find_discoveries(np.log([160.0, 500.0, 90.0]), 0.01).tolist() == [True, True, False]
    assert not find_discoveries(np.zeros(4), 0.05).any()
    assert find_discoveries(np.empty(0), 0.05).tolist() == []


def test_care_for_controls_alone_leaves_a_gap_and_no_quality():
    kinds = KINDS | {HONEST: 0.72, AWARE: 0.08}
    crowd = draw_crowd(World(people=1_500, models=12, kinds=kinds, interval=12), 0)
    found = estimate_reliability(crowd.answers)
    gaps, quality = find_gaps(found), limit_quality(found)
    rated = found.controls >= 10
    aware, honest = rated & (crowd.kind == AWARE), rated & (crowd.kind == HONEST)
    assert gaps[aware].mean() > 0.5
    assert not gaps[honest].any()
    assert np.isnan(quality[~rated]).all()
    assert quality[aware].max() < 0.2 < quality[honest].mean()
    rigging = screen_models(crowd.answers, found.expected)
    assert (find_open_questions(found, rigging) >= gaps).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "answers",
    [
        some_answers([]),
        some_answers([], keys=(), people=0, models=0),
        some_answers([(0, 0, 1, 1)]),
        some_answers([(0, at, 1, 1) for at in range(9)], keys=[1] * 9, models=0),
        some_answers([(0, at, 0, 0) for at in range(9)], keys=[UNKEYED] * 9, categories=3),
        some_answers([(0, at, 1, 1) for at in range(9)], keys=[UNKEYED] * 9, categories=2),
    ],
    ids=["nothing", "nobody", "one", "only controls", "only ties", "no tie"],
)
def test_little_is_no_evidence(answers):
    expected = estimate_reliability(answers).expected
    rigging = screen_models(answers, expected)
    assert not rigging.flagged.any()
    assert (screen_sides(answers, expected) < 3.0).all()
    assert np.isfinite(rigging.evidence).all()

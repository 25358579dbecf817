"""The kinds of the simulated crowd: models at the keyboard, and care for controls alone."""

import numpy as np
import pytest

from bench.trust_figures import separate
from bench.trust_world import AGENT, AWARE, HONEST, PASTER, World, draw_crowd
from leaderboard.trust.gaps import UNKEYED
from leaderboard.trust.reliability import estimate_reliability

KINDS = {HONEST: 0.6, AGENT: 0.15, PASTER: 0.15, AWARE: 0.1}


@pytest.fixture(scope="module")
def crowd():
    return draw_crowd(World(people=600, models=12, kinds=KINDS), 0)


def share_right(crowd, kind, *, controls):
    """How often a kind of people says which is better, of those who say so."""
    answers = crowd.answers
    keyed = answers.matchups.key[answers.matchup] != UNKEYED
    rows = (crowd.kind[answers.contributor] == kind) & (keyed == controls) & (answers.outcome != 0)
    return np.mean(np.sign(answers.outcome[rows]) == np.sign(crowd.gaps[answers.matchup[rows]]))


def test_models_read_better_than_people(crowd):
    reliability = estimate_reliability(crowd.answers).overall.value
    agent, honest = crowd.kind == AGENT, crowd.kind == HONEST
    assert separate(reliability[agent | honest], agent[agent | honest]) < 0.3
    assert share_right(crowd, AGENT, controls=False) > share_right(crowd, HONEST, controls=False)
    said = {
        kind: crowd.answers.outcome[crowd.kind[crowd.answers.contributor] == kind]
        for kind in (AGENT, HONEST)
    }
    assert np.mean(said[AGENT] == 0) < np.mean(said[HONEST] == 0)


def test_pasted_answers_to_a_matchup_are_all_alike(crowd):
    answers = crowd.answers
    pasted = crowd.kind[answers.contributor] == PASTER
    matchup, outcome = answers.matchup[pasted], answers.outcome[pasted]
    assert len(np.unique(matchup)) < len(matchup)
    assert len(np.unique(matchup)) == len(np.unique(np.stack([matchup, outcome]), axis=1).T)


def test_the_control_aware_take_care_with_controls_alone(crowd):
    assert (crowd.people.careless[crowd.kind == AWARE] == 0.0).all()
    assert share_right(crowd, AWARE, controls=True) > 0.85
    assert share_right(crowd, AWARE, controls=False) == pytest.approx(0.5, abs=0.04)


def test_an_auc_counts_a_tie_as_half():
    assert separate(np.array([1.0, 2.0, 2.0]), np.array([True, False, True])) == 0.75

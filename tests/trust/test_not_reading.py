"""Who seems not to read: nobody honest, nobody of few judgments, nobody who passes controls."""

import numpy as np

from bench.trust_world import HONEST, LEFT, RANDOM, World, draw_crowd
from leaderboard.trust.not_reading import MIN_JUDGMENTS, find_not_reading
from leaderboard.trust.reliability import estimate_reliability


def test_each_condition_keeps_somebody():
    value, error = np.array([0.1, 0.1, 0.1, 0.4, 0.1]), np.full(5, 0.1)
    on_controls = np.array([0.2, 0.9, 0.2, 0.2, 0.9])
    controls, judgments = np.array([5, 5, 5, 5, 0]), np.array([30, 30, 29, 30, 30])
    found = find_not_reading((value, error), on_controls, controls, judgments)
    assert found.tolist() == [True, False, False, False, True]
    assert not len(find_not_reading((value[:0], error[:0]), error[:0], controls[:0], judgments[:0]))


def test_it_names_clickers_and_hardly_anybody_honest():
    crowd = draw_crowd(World(), 0)
    found = estimate_reliability(crowd.answers)
    judgments = np.bincount(crowd.answers.contributor, minlength=crowd.answers.people)
    named = find_not_reading(
        (found.overall.value, found.overall.error),
        found.on_controls.value,
        found.controls,
        judgments,
    )
    enough = judgments >= MIN_JUDGMENTS
    assert named[enough & (crowd.kind == RANDOM)].mean() > 0.5
    assert named[enough & (crowd.kind == LEFT)].mean() > 0.8
    assert named[enough & (crowd.kind == HONEST)].mean() <= 0.01
    assert not named[~enough].any()

"""The fit of reliability: held against a slow one, and against what must not matter."""

from dataclasses import replace

import numpy as np
import pytest

from bench.trust_world import DISSENTER, HONEST, RANDOM, World, draw_crowd
from leaderboard.trust.gaps import UNKEYED, Matchups
from leaderboard.trust.reliability import Answers, estimate_reliability
from tests.trust.slow_fit import fit_slowly

SMALL = World(people=120, models=12, controls=40)


def figures(found):
    """What a fit says of each person: float64 (U, 5)."""
    parts = [found.reads, found.overall.value, found.overall.error]
    return np.stack([*parts, found.on_controls.value, found.on_others.value], 1)


def some_answers(rows, *, keys=(UNKEYED,), people=1, categories=5, models=2):
    """Answers by rows of (person, matchup, outcome, left); matchups of models 0 and 1."""
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    size, keys = len(keys), np.array(keys)
    owned = keys == UNKEYED
    first, second = np.where(owned, 0, -1), np.where(owned, 1, -1)
    assert size == len(first)
    return Answers(*columns, Matchups(first, second, keys, models), people, categories)


def test_a_slow_fit_agrees():
    crowd = draw_crowd(SMALL, 0)
    answers, _rows = crowd.answers.in_order()
    votes = list(
        zip(answers.contributor, answers.matchup, answers.displayed(), answers.left, strict=True)
    )
    matchups = answers.matchups
    reads, value = fit_slowly(
        votes, matchups.first, matchups.second, matchups.key, 12, answers.people, 5
    )
    found = estimate_reliability(crowd.answers)
    for ours, theirs in ((found.reads, reads), (found.overall.value, value)):
        assert np.abs(ours - theirs).mean() < 0.01
        assert np.abs(ours - theirs).max() < 0.08


def test_rows_in_any_order_give_the_same_bytes():
    answers = draw_crowd(SMALL, 1).answers
    rows = np.random.default_rng(0).permutation(len(answers.outcome))
    shuffled = answers.take(rows)
    one, other = (figures(estimate_reliability(each)) for each in (answers, shuffled))
    assert one.tobytes() == other.tobytes()


def test_mirrored_sides_and_renamed_people_change_nothing():
    answers = draw_crowd(SMALL, 2).answers
    found = figures(estimate_reliability(answers))
    mirrored = replace(answers, left=-answers.left, outcome=-answers.outcome)
    mirrored = replace(
        mirrored,
        matchups=replace(
            answers.matchups,
            key=np.where(answers.matchups.key == UNKEYED, UNKEYED, -answers.matchups.key),
            first=answers.matchups.second,
            second=answers.matchups.first,
        ),
    )
    assert np.abs(figures(estimate_reliability(mirrored)) - found).max() < 1e-9
    renamed = replace(answers, contributor=answers.people - 1 - answers.contributor)
    assert np.abs(figures(estimate_reliability(renamed))[::-1] - found).max() < 1e-9


def test_whoever_is_seen_to_read_is_told_from_whoever_clicks():
    crowd = draw_crowd(World(people=400, models=12), 3)
    found = estimate_reliability(crowd.answers)
    long = found.answers >= 40
    honest, bad = long & (crowd.kind == HONEST), long & crowd.people.is_blind
    assert found.reads[honest].mean() > 0.95
    assert found.reads[bad].mean() < 0.3
    assert (found.on_controls.value[honest].mean(), found.on_controls.value[bad].mean()) == (
        pytest.approx(1.0, abs=0.15),
        pytest.approx(0.1, abs=0.2),
    )


def test_a_taste_of_ones_own_keeps_its_weight():
    """Who agrees with nobody and passes the controls reads all the same; who clicks does not."""
    kinds = {HONEST: 0.65, DISSENTER: 0.20, RANDOM: 0.15}
    reads = {DISSENTER: [], RANDOM: []}
    for seed in range(4):
        crowd = draw_crowd(World(people=1_500, models=25, kinds=kinds), seed)
        found = estimate_reliability(crowd.answers)
        for kind, seen in reads.items():
            seen.extend(found.reads[(found.controls >= 10) & (crowd.kind == kind)])
    assert min(len(seen) for seen in reads.values()) >= 20
    assert np.mean(reads[DISSENTER]) > 0.55
    assert np.mean(reads[RANDOM]) < 0.35


@pytest.mark.parametrize("categories", [2, 3, 5])
def test_each_scale_tells_readers(categories):
    crowd = draw_crowd(World(people=300, models=8), 4)
    answers = replace(crowd.answers, categories=categories)
    found = estimate_reliability(answers)
    long = found.answers >= 30
    assert found.reads[long & (crowd.kind == HONEST)].mean() > 0.9
    assert found.reads[long & crowd.people.is_blind].mean() < 0.5


def test_seven_points_are_folded_into_five():
    crowd = draw_crowd(SMALL, 5)
    outcome = crowd.answers.outcome
    wider = replace(
        crowd.answers, outcome=np.where(np.abs(outcome) == 2, outcome * 3 // 2, outcome)
    )
    assert set(np.unique(wider.outcome)) == {-3, -1, 0, 1, 3}
    one, other = (figures(estimate_reliability(each)) for each in (crowd.answers, wider))
    assert one.tobytes() == other.tobytes()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "answers",
    [
        some_answers([]),
        some_answers([], keys=(), people=0, models=0),
        some_answers([(0, 0, 1, 1)]),
        some_answers([(0, 0, 1, 0)]),
        some_answers([(0, 0, 0, 1)], categories=2),
        some_answers([(0, at, 0, 1) for at in range(9)], keys=[UNKEYED] * 9),
        some_answers([(0, at, 1, 1) for at in range(9)], keys=[1] * 9, models=0),
        some_answers([(0, at, 0, 1) for at in range(9)], keys=[0] * 9, models=0),
        some_answers([(who, 0, 2, 1) for who in range(3)], people=4, categories=3),
    ],
    ids=["nothing", "nobody", "one", "no side", "a tie without ties", "only ties",
         "only controls", "only identical", "one of four says nothing"],
)  # fmt: skip
def test_little_is_no_trouble(answers):
    found = estimate_reliability(answers)
    assert np.isfinite(figures(found)).all()
    assert len(found.reads) == answers.people
    quiet = found.answers == 0
    assert np.allclose(found.reads[quiet], 0.85, atol=0.05)
    assert np.allclose(found.overall.value[quiet], found.reads[quiet], atol=1e-9)


def test_unknown_sides_are_no_lean():
    """Whoever seems to take the first always may have taken anything."""
    rows = [(0, at, 1, 1) for at in range(40)] + [(1, at, 1, 0) for at in range(40)]
    found = estimate_reliability(some_answers(rows, keys=[UNKEYED] * 40, people=2))
    assert found.reads[0] < found.reads[1]


def test_disconnected_models_are_fitted_side_by_side():
    crowd = draw_crowd(SMALL, 6)
    apart = replace(crowd.answers.matchups, competitors=14)
    found = estimate_reliability(replace(crowd.answers, matchups=apart))
    alone = estimate_reliability(crowd.answers)
    assert np.abs(figures(found) - figures(alone)).max() < 1e-9
    assert found.strengths[12:].tolist() == [0.0, 0.0]


def test_whoever_does_not_count_changes_nobody_else_and_is_held_against_them():
    crowd = draw_crowd(SMALL, 4)
    answers = crowd.answers
    out = np.isin(np.arange(answers.people), (3, 17, 60))
    found = estimate_reliability(replace(answers, counted=~out))
    rows = np.flatnonzero(~out[answers.contributor])
    without = estimate_reliability(replace(answers.take(rows), counted=~out))
    assert np.abs(figures(found)[~out] - figures(without)[~out]).max() < 1e-12
    everybody = estimate_reliability(answers)
    assert np.abs(figures(found)[out] - figures(everybody)[out]).max() < 0.1
    assert found.answers[out].min() > 0


def test_the_figures_so_far_rest_on_the_marked_answers_alone():
    answers = draw_crowd(SMALL, 5).answers
    early = np.arange(len(answers.outcome)) % 2 == 0
    found = estimate_reliability(answers, early)
    keyed = answers.matchups.key[answers.matchup] != UNKEYED
    controls = np.bincount(answers.contributor[early & keyed], minlength=answers.people)
    assert found.so_far.controls.tolist() == controls.tolist()
    assert found.so_far.on_others.error.mean() > found.on_others.error.mean()
    everything = estimate_reliability(answers)
    assert everything.so_far.on_controls is everything.on_controls
    assert figures(everything).tobytes() == figures(found).tobytes()


def test_what_answers_say_adds_up_to_what_is_said_of_a_person():
    crowd = draw_crowd(World(people=300, models=10), 6)
    found = estimate_reliability(crowd.answers)
    sums = np.bincount(crowd.answers.contributor, found.evidence, crowd.answers.people)
    prior = np.log(found.newcomer / (1.0 - found.newcomer))
    sure = 1.0 / (1.0 + np.exp(-(sums + prior)))
    assert np.corrcoef(sure, found.reads)[0, 1] > 0.9
    assert np.isfinite(found.evidence).all()

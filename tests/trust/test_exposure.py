"""The attack on controls, and the draw as it is simulated: what is found, and that it is found."""

from dataclasses import replace
from functools import partial
from itertools import groupby
from random import Random

import numpy as np
import pytest

from arena.judging.serving.schedule import get_run
from leaderboard.trust.exposure import (
    ANCHOR,
    CONTROL,
    ORDINARY,
    Account,
    Draw,
    Findings,
    Meetings,
    Pool,
    attack,
    estimate_exposure,
    simulate_meetings,
)

DRAW = Draw(ordinary=600, controls=78, overlap=3, get_run=partial(get_run, interval=20))


def meetings(*rows: tuple[int, int, int, int, int]) -> Meetings:
    """(person, ordinal, matchup, record, role); a record has a control where one of them is one."""
    columns = np.array(rows, dtype=np.int64).T
    keyed = {record for *_, record, role in rows if role == CONTROL}
    beside = np.array([int(record in keyed) for *_, record, _ in rows])
    return Meetings(*columns, beside)


def look(draw: Draw, seeds: int = 6, among: int | None = None) -> Findings:
    found = [
        attack(simulate_meetings(draw, 20, 40, Random(seed)), draw.overlap, among)
        for seed in range(seeds)
    ]
    return Findings(
        float(np.mean([one.by_matchup for one in found])),
        float(np.mean([one.by_prompt for one in found])),
        max(one.certain for one in found),
    )


# --- the attack --------------------------------------------------------------------------------
def test_an_auc_is_that_of_all_pairs_of_the_same_ordinal() -> None:
    """By hand: the control 9 was met twice, 1 twice, 2 and 3 once. At the first turn it is compared
    with 1 (a tie) and 2 (above), at the second with 1 and 3."""
    rows = [
        *((0, 1, 9, 90, CONTROL), (0, 2, 1, 10, ORDINARY)),
        *((1, 1, 1, 10, ORDINARY), (1, 2, 9, 90, CONTROL)),
        *((2, 1, 2, 20, ORDINARY), (2, 2, 3, 30, ORDINARY)),
    ]
    assert attack(meetings(*rows), overlap=1) == Findings(0.75, 0.75, 1)
    assert attack(meetings(*rows), overlap=2).certain == 0


def test_turns_of_different_ordinals_are_not_compared() -> None:
    rows = [(0, 1, 9, 90, CONTROL), (1, 1, 9, 90, CONTROL), (0, 2, 1, 10, ORDINARY)]
    found = attack(meetings(*rows), overlap=3)
    assert np.isnan(found.by_matchup)
    assert np.isnan(found.by_prompt)


def test_a_prompt_is_compared_with_those_without_a_control() -> None:
    """Matchups are met once each; the control's prompt comes up twice, as a companion."""
    rows = [
        *((0, 1, 9, 90, CONTROL), (1, 1, 8, 90, ORDINARY)),
        *((2, 1, 1, 10, ORDINARY), (3, 1, 2, 20, ORDINARY)),
    ]
    assert attack(meetings(*rows), overlap=3) == Findings(0.5, 1.0, 0)


def test_controls_are_told_from_anchors_where_that_is_asked() -> None:
    rows = [
        *((0, 1, 9, 90, CONTROL), (1, 1, 9, 90, CONTROL)),
        *((2, 1, 5, 50, ANCHOR), (3, 1, 5, 50, ANCHOR), (4, 1, 1, 10, ORDINARY)),
    ]
    found = meetings(*rows)
    assert attack(found, 1).by_matchup == pytest.approx(4 / 6)
    assert attack(found, 1, ANCHOR) == Findings(0.5, 0.5, 0)


# --- the draw ----------------------------------------------------------------------------------
@pytest.mark.parametrize("picks_least", [False, True])
@pytest.mark.parametrize("per_record", [1, 3])
@pytest.mark.parametrize("controls", [78, 200])
def test_a_matched_pool_hides(*, picks_least: bool, per_record: int, controls: int) -> None:
    draw = replace(
        DRAW,
        ordinary=600 + controls * (per_record - 1),
        controls=controls,
        per_record=per_record,
        per_control=per_record,
        picks_least=picks_least,
    )
    found = look(draw, seeds=24)
    assert 0.44 < found.by_matchup < 0.56
    assert 0.44 < found.by_prompt < 0.56
    assert found.certain == 0


def test_a_pool_that_everybody_shares_is_found() -> None:
    found = look(replace(DRAW, controls=20, is_matched=False))
    assert found.by_matchup > 0.85
    assert found.certain > 5


def test_a_prompt_that_never_recurs_is_found() -> None:
    found = look(replace(DRAW, per_record=3))
    assert 0.44 < found.by_matchup < 0.56
    assert found.by_prompt < 0.3


def test_anchors_hide_what_a_short_pool_shows() -> None:
    short = replace(DRAW, ordinary=560, controls=20, anchors=40, is_matched=False)
    found = look(short, among=ANCHOR)
    assert 0.44 < found.by_matchup < 0.56
    assert found.certain == 0
    assert look(short).by_matchup > 0.7  # both together are told from the others


@pytest.mark.parametrize("anchors", [0, 40])
def test_turns_follow_the_schedule_and_nobody_meets_anything_twice(anchors: int) -> None:
    draw = replace(DRAW, anchors=anchors, per_record=3, per_control=3, is_matched=not anchors)
    pool, rng = Pool(draw, Random(1)), Random(2)
    for _ in range(20):
        person = Account(draw, rng)
        person.judge(pool, 40)
        assert len(set(person.turns)) == len(person.turns)
        assert len(person.turns) in (40, 41)
        roles = [pool.role[matchup] for matchup in person.turns]
        for first, last in ((0, 5), (5, 10), (10, 20), (20, 30)):
            assert roles[first:last].count(CONTROL) == 1
            assert roles[first:last].count(ANCHOR) == (2 if anchors else 0)
        records = [pool.record[matchup] for matchup in person.turns]
        for place, record in enumerate(records):
            assert record not in records[max(0, place - draw.gap) : place]
    assert max(pool.showings[: draw.ordinary]) <= draw.overlap


def test_records_have_as_many_matchups_as_the_draw_says() -> None:
    draw = replace(DRAW, ordinary=660, anchors=10, per_record=3, per_control=4)
    pool = Pool(draw, Random(1))
    roles = sorted(zip(pool.record, pool.role, strict=True))
    sizes = {
        record: [role for _, role in group] for record, group in groupby(roles, key=lambda r: r[0])
    }
    for record, held in sizes.items():
        if record < 78:
            assert held == [ORDINARY] * 3 + [CONTROL]
        elif record < 88:
            assert held == [ORDINARY] * 2 + [ANCHOR]
        else:
            assert held == [ORDINARY] * 3 or record == max(sizes)


# --- the estimate ------------------------------------------------------------------------------
def test_an_estimate_says_what_ten_five_and_two_find() -> None:
    shared = replace(DRAW, controls=20, is_matched=False)
    found = {one.accounts: one for one in estimate_exposure(shared, 40, Random(1))}
    assert list(found) == [10, 5, 2]
    assert found[10].by_matchup > found[5].by_matchup > found[2].by_matchup > 0.5
    assert estimate_exposure(shared, 40, Random(1)) == list(found.values())


@pytest.mark.parametrize(
    "draw",
    [
        replace(DRAW, ordinary=1, controls=1),
        replace(DRAW, ordinary=0, controls=3),
        replace(DRAW, controls=0),
        replace(DRAW, ordinary=100_000, controls=13_000),
    ],
)
def test_every_event_has_an_estimate(draw: Draw) -> None:
    assert len(estimate_exposure(draw, 10, Random(1))) == 3

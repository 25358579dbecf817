"""What hides an event's controls: three regimes, and the responses that their prompts lack."""

from typing import Any

import numpy as np
import pytest

from arena.errors import ArenaError
from arena.events.lifecycle.control_runs import matched_share
from arena.events.lifecycle.hiding import (
    Regime,
    count_pool,
    count_responses_missing,
    find_regime,
)
from arena.events.lifecycle.transitions import check_readiness, open_event
from arena.events.models import Event, Matchup
from arena.judging.serving.choice import get_regime
from bench.trust_world import World, draw_activity, draw_turns
from tests.events.record_files import bring, record
from tests.events.test_import_controls import key_of
from tests.factories import (
    NOW,
    make_companion,
    make_competitors,
    make_control,
    make_event,
    make_matchup,
    make_matchups,
)

pytestmark = pytest.mark.django_db


def draft(ordinary: int, controls: int, anchors: int = 0, **settings: Any) -> Event:
    event = make_event(**({"state": Event.State.DRAFT, "publish_batch": 100} | settings))
    models = make_competitors(event, 2)
    make_matchups(event, models, ordinary)
    for _ in range(controls):
        make_control(event)
    for _ in range(anchors):
        make_matchup(event, models, role=Matchup.Role.ANCHOR)
    return event


def told(event: Event) -> list[tuple[bool, str]]:
    checks = check_readiness(event, NOW)
    return [(check.blocks, check.message) for check in checks if check.code == "controls"]


@pytest.mark.parametrize(("interval", "share"), [(20, 0.126), (12, 0.145)])
def test_the_share_is_that_of_controls_over_the_expected_activity(
    interval: int, share: float
) -> None:
    assert matched_share(interval) == pytest.approx(share, abs=0.001)
    # The simulator of `bench.trust` draws people and their turns by itself.
    rng, world = np.random.default_rng(1), World(people=40_000, interval=interval)
    activity = draw_activity(rng, world, np.zeros(world.people, dtype=np.int64))
    controls = draw_turns(rng, activity, interval).mean()
    assert controls / (1 - controls) == pytest.approx(share, abs=0.002)


@pytest.mark.parametrize(
    ("ordinary", "controls", "anchors", "regime"),
    [
        (100, 13, 0, Regime.MATCHED),
        (100, 12, 0, Regime.NEITHER),
        (100, 0, 0, Regime.NEITHER),
        (76, 12, 24, Regime.ANCHORED),
        # An anchor was an ordinary matchup: making some takes no event out of its regime.
        (70, 12, 30, Regime.ANCHORED),
        (100, 0, 2, Regime.NEITHER),
        (0, 3, 0, Regime.NEITHER),
    ],
)
def test_the_regime_follows_from_what_is_in_service(
    ordinary: int, controls: int, anchors: int, regime: Regime
) -> None:
    event = draft(ordinary, controls, anchors)
    assert find_regime(event) is get_regime(event) is count_pool(event).regime is regime


def test_companions_come_with_their_controls_and_ask_for_no_more_of_them() -> None:
    event = draft(100, 13)
    for control in event.matchups.filter(role="control"):
        make_companion(control)
    pool = count_pool(event)
    assert (pool.ordinary, pool.companions, pool.controls_wanted) == (100, 13, 13)
    assert find_regime(event) is pool.regime is Regime.MATCHED


def test_what_is_out_of_service_hides_nothing() -> None:
    event = draft(100, 13)
    first = event.matchups.filter(role="control").first()
    Matchup.objects.filter(pk=first.pk).update(retired_at=NOW)
    assert find_regime(event) is count_pool(event).regime is Regime.NEITHER


def test_the_checklist_names_the_regime() -> None:
    ((blocks, message),) = told(draft(100, 13))
    assert (blocks, message[:13]) == (False, "Matched pool:")
    ((blocks, message),) = told(draft(76, 12, 24))
    assert (blocks, message[:8]) == (False, "Anchors:")
    ((blocks, message),) = told(draft(100, 4))
    assert not blocks
    assert message.startswith("Nothing hides the controls")
    assert "13 controls" in message


@pytest.mark.parametrize(("anchors", "words"), [(0, "two anchors for each"), (27, "add 1.")])
def test_a_prize_is_refused_where_controls_can_be_told(anchors: int, words: str) -> None:
    event = draft(200, 14, anchors, prize="A book")
    ((blocks, message),) = told(event)
    assert blocks
    assert words in message
    with pytest.raises(ArenaError) as caught:
        open_event(event, NOW)
    assert words in caught.value.message
    assert not any(blocks for blocks, _ in told(draft(200, 14, 28, prize="A book")))
    assert not any(blocks for blocks, _ in told(draft(200, 26, prize="A book")))


def test_with_anchors_fewer_ordinary_matchups_lead_to_ten_controls() -> None:
    assert not any(blocks for blocks, _ in told(draft(120, 10, 20, prize="A book")))
    ((blocks, message),) = told(draft(119, 10, 20, prize="A book"))
    assert blocks
    assert "at least 120 ordinary matchups" in message


@pytest.mark.parametrize(
    ("wanted", "missing"), [(1, (0, 0)), (2, (2, 2)), (3, (2, 2)), (4, (2, 4)), (0, (2, 4))]
)
def test_the_checklist_counts_the_responses_that_controls_lack(
    wanted: int, missing: tuple[int, int]
) -> None:
    event = make_event(state=Event.State.DRAFT, matchups_per_record=wanted, publish_batch=100)
    models = {f"Model {letter}": f"Says {letter}" for letter in "ABCD"}
    ordinary = [record(number, responses=models) for number in range(3)]
    short = [key_of("a", ("x", "y"), external_id=f"c{number}") for number in range(2)]
    bring(event, [*ordinary, *short, key_of("b", external_id="whole")])
    assert count_responses_missing(event) == missing
    assert len(told(event)) == (2 if missing[1] else 1)
    if missing[1]:
        assert f"{missing[1]} more responses are missing in all" in told(event)[1][1]
        texts = ("x", "y", "z", "w")
        bring(event, [key_of("a", texts, external_id=f"c{number}") for number in range(2)])
    assert count_responses_missing(event) == (0, 0)
    assert len(told(event)) == 1

"""Anchors by one button: which matchups become some, and what that takes along."""

from random import Random
from typing import Any

import pytest

from arena.errors import ArenaError
from arena.events.lifecycle.hiding import Regime, count_pool, find_regime
from arena.events.models import Event, LedgerEntry, Matchup
from arena.events.records.anchors import count_anchors_offered, make_anchors
from tests.factories import (
    make_assignment,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup_of,
    make_matchups,
    make_record,
    make_response,
)

pytestmark = pytest.mark.django_db


def make_short_event(controls: int = 3, ordinary: int = 60, **settings: Any) -> Event:
    event = make_event(**settings)
    make_matchups(event, make_competitors(event, 2), ordinary)
    for _ in range(controls):
        make_control(event)
    return event


def anchors(event: Event) -> set[int]:
    return set(event.matchups.filter(role=Matchup.Role.ANCHOR).values_list("pk", flat=True))


def test_two_ordinary_matchups_a_control_become_anchors() -> None:
    event = make_short_event()
    assert find_regime(event) is Regime.NEITHER
    assert count_anchors_offered(count_pool(event)) == 6

    assert make_anchors(event, Random(1)) == 6

    pool = count_pool(event)
    assert (pool.ordinary, pool.anchors, pool.regime) == (54, 6, Regime.ANCHORED)
    assert set(event.matchups.filter(pk__in=anchors(event)).values_list("open_slots")) == {(0,)}
    written = LedgerEntry.objects.filter(event=event, kind="matchup")
    assert {entry.subject for entry in written} == anchors(event)
    assert {entry.content["role"] for entry in written} == {"anchor"}
    with pytest.raises(ArenaError) as caught:
        make_anchors(event, Random(1))
    assert caught.value.code == "anchors_enough"


def test_a_further_control_wants_two_more() -> None:
    event = make_short_event()
    make_anchors(event, Random(1))
    before = anchors(event)
    make_control(event)
    assert make_anchors(event, Random(2)) == 2
    assert before < anchors(event)


def test_a_matched_pool_needs_none() -> None:
    event = make_short_event(controls=8)
    assert count_anchors_offered(count_pool(event)) == 0
    with pytest.raises(ArenaError):
        make_anchors(event, Random(1))
    assert not anchors(event)


def test_what_somebody_has_been_handed_stays_ordinary() -> None:
    event = make_short_event(controls=7)
    for _ in range(2):
        make_assignment(make_enrollment(event))  # with reserves behind it
    taken = set(event.matchups.exclude(assignments=None).values_list("pk", flat=True))
    assert len(taken) > 15
    make_anchors(event, Random(1))
    assert len(anchors(event)) == 14
    assert not anchors(event) & taken


def test_where_too_few_are_unseen_none_is_made() -> None:
    event = make_short_event(controls=2, ordinary=20)
    used = list(event.matchups.filter(role="ordinary"))[:17]
    person = make_enrollment(event)
    for number, matchup in enumerate(used):
        person.assignments.create(
            matchup=matchup,
            ordinal=number + 1,
            order=[0, 1],
            reserved_at="2026-11-01T12:00Z",
            lease_until="2026-11-01T12:10Z",
        )
    with pytest.raises(ArenaError) as caught:
        make_anchors(event, Random(1))
    assert "there are 3" in caught.value.message
    assert not anchors(event)


def test_a_record_gets_one_at_most_and_none_beside_a_control() -> None:
    event = make_event()
    models = make_competitors(event, 3)
    for _ in range(20):
        record = make_record(event)
        one, two, three = (make_response(record, model, f"By {model}.") for model in models)
        for pair in ((one, two), (one, three), (two, three)):
            make_matchup_of(record, list(pair))
    beside = make_control(event).record
    theirs = [make_response(beside, model, f"Of {model}.") for model in models[:2]]
    make_matchup_of(beside, theirs)
    # A record with fewer matchups than is usual would recur less often.
    odd = make_matchups(event, models[:2], 5)
    make_anchors(event, Random(1))
    records = list(event.matchups.filter(role="anchor").values_list("record", flat=True))
    assert len(records) == len(set(records)) == 2
    assert beside.pk not in records
    assert not {matchup.record_id for matchup in odd} & set(records)

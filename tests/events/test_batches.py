"""What a batch is, and what running events were given."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps

from arena.events.lifecycle.batches import MAX_WAIT, batch_rule, may_move
from arena.events.models import Control, Event
from tests.factories import NOW, make_control, make_event

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("setting", "has_prize", "judgments", "people", "share"),
    [
        *((20, False, 20, 5, 0.4), (5, False, 20, 5, 0.4), (99, False, 99, 5, 0.4)),
        *((100, False, 100, 10, 0.2), (20, True, 100, 10, 0.2), (250, True, 250, 10, 0.2)),
    ],
)
def test_the_people_follow_from_the_size(
    setting: int, *, has_prize: bool, judgments: int, people: int, share: float
) -> None:
    rule = batch_rule(setting, has_prize=has_prize)
    assert rule is not None
    assert (rule.judgments, rule.people, float(rule.max_share)) == (judgments, people, share)


def test_live_boards_have_no_batch() -> None:
    assert batch_rule(0, has_prize=False) is None


@pytest.mark.parametrize(
    ("per_person", "enough"),
    [
        ([4] * 5, True),
        ([4, 4, 4, 4, 3], False),
        ([5] * 4, False),
        ([8, 3, 3, 3, 3], True),
        ([9, 3, 3, 3, 2], False),
        ([], False),
    ],
)
def test_the_smallest_batch(per_person: list[int], *, enough: bool) -> None:
    rule = batch_rule(20, has_prize=False)
    assert rule is not None
    assert may_move(rule, per_person, MINUTE) == enough


def test_a_large_batch_waits_six_hours_at_most_where_a_small_one_is_there() -> None:
    rule = batch_rule(100, has_prize=True)
    assert rule is not None
    assert may_move(rule, [10] * 10, MINUTE)
    assert not may_move(rule, [21, *[10] * 8], MINUTE)
    assert not may_move(rule, [4] * 5, MAX_WAIT - MINUTE)
    assert may_move(rule, [4] * 5, MAX_WAIT)
    assert not may_move(rule, [5] * 4, MAX_WAIT)


@pytest.mark.django_db
def test_running_events_with_controls_get_batches_and_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = {"publish_batch": 0}
    running, plain = make_event("running", **live), make_event("plain", **live)
    prize = make_event("prize", prize="A book", publish_batch=50)
    chosen = make_event("chosen", publish_batch=40)
    over = make_event("over", state=Event.State.CLOSED, **live)
    draft = make_event("draft", state=Event.State.DRAFT, **live)
    retired = make_event("retired", **live)
    for event in (running, prize, chosen, over, retired):
        make_control(event)
    Control.objects.filter(matchup__event=retired).update(retired_at=NOW)
    migration = import_module("arena.events.migrations.0021_publish_in_batches")
    monkeypatch.setattr(migration, "ROWS_PER_BATCH", 2)
    while migration.set_batches(apps, None):
        pass
    found = {
        slug: (batch, is_new)
        for slug, batch, is_new in Event.objects.values_list(
            "slug", "publish_batch", "batch_is_new"
        )
    }
    assert found == {
        running.slug: (20, True),
        prize.slug: (100, True),
        draft.slug: (20, True),
        chosen.slug: (40, False),
        plain.slug: (0, False),
        over.slug: (0, False),
        retired.slug: (0, False),
    }

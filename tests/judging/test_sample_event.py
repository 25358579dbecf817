"""The event that `make demo` shows: its files import without a doubt, and its crowd judges."""

import pytest

from arena.events.lifecycle.registration.checking import find_differences
from arena.events.models import Matchup
from arena.judging.demo import sample_event
from arena.judging.ledger import verify_ledger
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def test_the_demo_has_records_controls_and_simulated_judgments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sample_event, "JUDGMENTS", 40)
    monkeypatch.setattr(sample_event, "PEOPLE", 8)
    event = sample_event.get_or_create_sample_event(NOW)
    roles = set(event.matchups.values_list("role", flat=True))
    assert {Matchup.Role.ORDINARY, Matchup.Role.CONTROL} <= roles
    assert event.judgments.count() == 40
    assert event.judgments.filter(judged_at__lt=event.registration.registered_at).count() == 0
    assert find_differences(event.registration) == []
    assert verify_ledger(event.pk) is None
    assert sample_event.get_or_create_sample_event(NOW) == event

"""Which settings an event locks, and since when."""

import pytest

from arena.events.lifecycle.locking import is_result_locked, locked_fields
from arena.events.models import Event
from tests.factories import make_event

SETTINGS = {"title", "slug", "prize", "closes_at", "scale", "overlap", "keeps_behaviour"}

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def test_a_new_event_locks_nothing_and_a_saved_one_its_address() -> None:
    assert locked_fields(Event(), SETTINGS) == set()
    assert locked_fields(make_event(), SETTINGS) == {"slug"}


@pytest.mark.parametrize("state", Event.State.values)
def test_an_event_that_is_over_locks_what_was_promised(state: str) -> None:
    event = make_event(state=state)
    over = state in ("closed", "published")
    assert event.is_over() is over
    assert Event.objects.over().contains(event) is over
    assert locked_fields(event, SETTINGS) == (SETTINGS - {"title"} if over else {"slug"})
    assert is_result_locked(event) is (state == "published")

"""What a refresh remembers of the last one is what it would have read."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.events.ledger import RESPONSE_KIND, append_entries
from arena.events.models import Event, Response
from leaderboard.votes.known_contents import RESPONSE_COLUMNS, KnownContents, remembered
from leaderboard.votes.loading import load_votes
from leaderboard.votes.matchup_contents import read_contents
from tests.leaderboard.votes import Crowd, make_vote, refresh

pytestmark = pytest.mark.django_db


def look(event: Event) -> KnownContents:
    """What is known after a refresh."""
    refresh(event)
    read_contents(load_votes(Event.objects.get(pk=event.pk)))
    return remembered[event.pk]


def read_anew(event: Event) -> KnownContents:
    remembered.clear()
    return look(event)


def assert_same(one: KnownContents, other: KnownContents) -> None:
    for name in ("records", "read"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert sorted(map(tuple, one.responses)) == sorted(map(tuple, other.responses))


def test_new_and_changed_rows_alone_are_read_again() -> None:
    crowd = Crowd(slug="tea")
    few, more = crowd.matchups[:6], crowd.matchups[6:]
    for matchup in few:
        make_vote(crowd.judges[0], matchup, 1)
    assert len(look(crowd.event).records) == 6
    for matchup in more:
        make_vote(crowd.judges[0], matchup, -1)
    changed = few[0].responses.order_by("pk").first()
    assert changed
    Response.objects.filter(pk=changed.pk).update(length=4321)
    append_entries(crowd.event.pk, RESPONSE_KIND, [changed.pk])

    known = look(crowd.event)

    assert len(known.records) == len(crowd.matchups)
    length = RESPONSE_COLUMNS.index("length")
    assert 4321 in known.responses[:, length]
    assert_same(known, read_anew(crowd.event))


def test_nothing_is_read_twice() -> None:
    crowd = Crowd(slug="tea")
    for matchup in crowd.matchups:
        make_vote(crowd.judges[0], matchup, 1)
    look(crowd.event)
    look(crowd.event)  # entries that waited for their place have one now
    data = load_votes(Event.objects.get(pk=crowd.event.pk))
    with CaptureQueriesContext(connection) as queries:
        read_contents(data)
    assert not [q["sql"] for q in queries.captured_queries if "events_matchup" in q["sql"]]


def test_a_database_that_is_an_earlier_one_is_read_anew() -> None:
    crowd = Crowd(slug="tea")
    make_vote(crowd.judges[0], crowd.matchups[0], 1)
    known = look(crowd.event)
    Response.objects.filter(record__event=crowd.event).update(length=77)
    remembered[crowd.event.pk] = KnownContents(
        known.number + 1_000_000, known.records, known.read, known.responses
    )
    assert set(look(crowd.event).responses[:, RESPONSE_COLUMNS.index("length")]) == {77}

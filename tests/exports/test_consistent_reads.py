"""An export is of one moment, and nobody who judges waits for it."""

import json

import pytest
from django.db import connection

from arena.exports import rows
from arena.exports.consistent_reads import read_consistently
from arena.judging.models import Judgment
from tests.exports.cast import judgment_lines, vote_often
from tests.factories import make_event, make_matchup
from tests.threads import parallel_map

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_judgment_made_meanwhile_does_not_wait_and_is_not_seen(monkeypatch) -> None:
    monkeypatch.setattr(rows, "CHUNK_SIZE", 1)
    event = make_event()
    matchup = make_matchup(event)
    vote_often(event, matchup, 1, 1, 1)
    lines = judgment_lines(event)
    seen = [next(lines)]

    def judge() -> None:
        vote_often(event, matchup, 0)
        Judgment.objects.order_by("-pk")[1].answers.update(outcome=-1)

    assert parallel_map([judge]) == [None]
    seen += lines
    assert [json.loads(line)["outcome"] for line in seen] == [1, 1, 1]
    assert len(list(judgment_lines(event))) == 4


def test_an_export_that_is_given_up_leaves_nothing_open() -> None:
    event = make_event()
    vote_often(event, make_matchup(event), 1, 1)
    lines = judgment_lines(event)
    next(lines)
    lines.close()
    vote_often(event, make_matchup(event), 1)
    assert len(list(judgment_lines(event))) == 3
    assert not connection.in_atomic_block


def test_nothing_stays_open_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), read_consistently():
        1 / 0  # noqa: B018
    event = make_event()
    assert list(judgment_lines(event)) == []

"""A real worker with beat: a new judgment is on the board within fifteen seconds."""

import time

import pytest
from django.test import Client

from arena.judging.models import Judgment
from leaderboard.models import Snapshot
from tests.factories import make_enrollment, make_judgment
from tests.leaderboard.votes import Crowd, show

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 15


def seconds_until(client: Client, crowd: Crowd, words: str) -> float:
    begin = time.monotonic()
    while words not in show(client, crowd.event).content.decode():
        assert time.monotonic() - begin < SECONDS
        time.sleep(0.2)
    return time.monotonic() - begin


def test_a_new_judgment_is_on_the_board_within_fifteen_seconds(
    celery_worker_process: object, client: Client
) -> None:
    crowd = Crowd(slug="tea")
    crowd.vote()
    seconds_until(client, crowd, "138 judgments")
    for number in (139, 140):
        make_judgment(make_enrollment(crowd.event))
        assert seconds_until(client, crowd, f"{number} judgments") < SECONDS
    assert not Judgment.objects.filter(ledger_seq=None).exists()

    count = Snapshot.objects.count()
    time.sleep(4)
    assert Snapshot.objects.count() == count

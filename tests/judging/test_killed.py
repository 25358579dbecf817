"""A process that is killed between any two statements of a submission loses nothing it said.

ARENA_KILL_POINTS=1000 kills more of them.
"""

import os
import signal
from collections import Counter
from random import Random
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.db import connections
from django.test import Client
from django.urls import reverse

from arena.events.models import Matchup
from arena.judging.models import Assignment, Judgment
from tests.factories import make_assignment, make_enrollment
from tests.judging.cast import HTMX, Cast

KILL_POINTS = int(os.environ.get("ARENA_KILL_POINTS", "50"))
ANSWERS = ("a1", "b2", "tie")


def post_in_a_process(client: Client, url: str, form: dict[str, str], fatal: int) -> str:
    """Submit in a process of its own that ends before the fatal step; what it was told."""
    connections.close_all()  # the child gets none of them
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            response = client.post(url, form, HTTP_X_FAILPOINT=str(fatal), **HTMX)
            os.write(writing, f"{response.status_code} {response['X-Steps']}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    _pid, status = os.waitpid(child, 0)
    assert bool(told) != (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL)
    return told


@pytest.mark.django_db(transaction=True)
def test_killed_between_any_two_statements_nothing_acknowledged_is_lost_or_doubled(
    settings: Any,
) -> None:
    middleware = "bench.failpoints.FailpointMiddleware"
    settings.MIDDLEWARE = [middleware, *project_settings.MIDDLEWARE]
    cast = Cast(matchups=30, controls=3, overlap=KILL_POINTS + 3)
    rng = Random(5)
    assignment = make_assignment(cast.enrollment)
    url = reverse("judging:judge", args=[assignment.uuid])
    steps = int(post_in_a_process(cast.client, url, {"preference": "a1"}, 0).split()[1])
    assert steps > 5
    acknowledged = [assignment.pk]
    killed: Counter[str] = Counter()
    for number in range(KILL_POINTS):
        # Each step in turn; what comes after a chunk was built has more of them.
        fatal = number % (steps + 2) + 1
        if number % 15 == 0:  # others arrive, whose first chunk is built by this request
            cast.enrollment = make_enrollment(cast.event)
            cast.client.force_login(cast.enrollment.user)
        assignment = cast.assignment()
        answer = rng.choice(ANSWERS)
        form = {"preference": answer, "comment": f"number {number}", "replaces": ""}
        url = reverse("judging:judge", args=[assignment.uuid])
        told = post_in_a_process(cast.client, url, form, fatal)
        stored = Judgment.objects.filter(assignment=assignment).count()
        assert stored in ((1,) if told else (0, 1))
        killed["told" if told else "stored" if stored else "nothing"] += 1
        assert cast.client.post(url, form, **HTMX).status_code == 200
        acknowledged.append(assignment.pk)
    judgments = Judgment.objects.filter(event=cast.event)
    assert Counter(judgments.values_list("assignment", flat=True)) == Counter(acknowledged)
    assert not judgments.exclude(revision=0, standing=True).exists()
    assert not judgments.filter(answers=None).exists()
    assert judgments.counted().count() == len(acknowledged)
    assert killed["nothing"] > 0
    assert killed["stored"] > 0
    for matchup in Matchup.objects.filter(event=cast.event, role=Matchup.Role.ORDINARY):
        held = Assignment.objects.filter(matchup=matchup, holds_slot=True).count()
        assert matchup.open_slots == cast.event.overlap - held

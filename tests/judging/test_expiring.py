"""Expiring a lease while its answer arrives: whoever comes first wins; nobody is counted twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from time import sleep

import pytest
from django.db import connections, transaction

from arena.events.models import Matchup
from arena.judging.models import Assignment
from arena.judging.recording import check_answers, mark_done, record_judgment
from arena.judging.serving import leases
from arena.judging.serving.hot_path_sql import read_head
from arena.judging.serving.leases import expire_lapsed_leases
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_enrollment,
    make_event,
    make_matchup,
)

State = Assignment.State


@pytest.mark.django_db
def test_an_answer_that_comes_while_its_lease_is_found_expired_keeps_its_slot(monkeypatch) -> None:
    event = make_event(overlap=2)
    matchup = make_matchup(event, make_competitors(event, 2))
    enrollment = make_enrollment(event)
    assignment = make_assignment(enrollment)
    after = assignment.lease_until + timedelta(seconds=1)

    def answer_in_another_tab(enrollment):
        head = read_head(enrollment)
        if head is not None:
            answers = check_answers(assignment, {"preference": "a1"})
            record_judgment(assignment, answers, now=after)
        return head

    monkeypatch.setattr(leases, "read_head", answer_in_another_tab)
    assert leases.next_assignment(enrollment, Random(1), after) is None
    assignment.refresh_from_db()
    assert (assignment.state, assignment.holds_slot) == (State.DONE, True)
    matchup.refresh_from_db()
    assert matchup.open_slots == 1


@pytest.mark.django_db(transaction=True)
def test_a_sweep_of_one_event_waits_for_an_answer_and_leaves_it_alone() -> None:
    event = make_event(overlap=2)
    make_matchup(event, make_competitors(event, 2))
    assignment = make_assignment(make_enrollment(event))
    after = assignment.lease_until

    def sweep() -> int:
        try:
            return expire_lapsed_leases(Assignment.objects.filter(enrollment__event=event), after)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert mark_done(assignment, NOW, state=State.SHOWN)
            swept = pool.submit(sweep)
            sleep(0.5)
        assert swept.result() == 0
    assert Assignment.objects.get().state == State.DONE
    assert Matchup.objects.get().open_slots == 1
    other = make_assignment(make_enrollment(event))
    assert expire_lapsed_leases(Assignment.objects.filter(enrollment__event=event), after) == 1
    other.refresh_from_db()
    assert other.state == State.EXPIRED

"""Unused claims go back; used ones never do."""

from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth import authenticate

from arena.errors import LimitError
from arena.events.joining.enrolling import JoinResult, join_with_open_seat, provision_event_seats
from arena.events.models import Event
from arena.judging.leaving.unused_seats import return_unused_seats
from arena.judging.models import Judgment
from arena.judging.tasks import return_unused_seats as task
from arena.people.models import Seat
from arena.people.seats.claiming import confirm_saved
from tests.factories import (
    NOW,
    make_competitors,
    make_event,
    make_judgment,
    make_matchups,
    make_membership,
)
from tests.threads import parallel_map

LATER = NOW + timedelta(hours=2)
SOON = NOW + timedelta(minutes=20)


@pytest.fixture
def event(db: None) -> Event:
    event = make_event()
    pair = make_competitors(event, 2)
    make_matchups(event, pair, 3)
    provision_event_seats(event, 1, Seat.Kind.OPEN, NOW)
    return event


def add_spare_seats(event: Event) -> None:
    """So many that seats are not short."""
    provision_event_seats(event, 9, Seat.Kind.OPEN, NOW)


@pytest.fixture
def arrival(event: Event) -> JoinResult:
    arrival = join_with_open_seat(event, NOW, terms=1)
    arrival.enrollment.guidelines = event.guidelines.latest()
    arrival.enrollment.save()
    return arrival


def is_taken() -> bool:
    return Seat.objects.order_by("pk")[0].claimed_at is not None


def test_an_unused_claim_returns_after_two_hours(event: Event, arrival: JoinResult) -> None:
    add_spare_seats(event)
    assert return_unused_seats(LATER - timedelta(seconds=1)) == 0
    assert is_taken()
    assert return_unused_seats(LATER) == 1
    assert not is_taken()
    assert Seat.objects.order_by("pk")[0].returns == 1
    assert return_unused_seats(LATER) == 0
    # The code still signs in.
    user = authenticate(None, username=arrival.user.username, password=arrival.code)
    assert user == arrival.user


def test_an_unused_claim_returns_after_20_minutes_when_seats_are_short(
    event: Event, arrival: JoinResult
) -> None:
    assert return_unused_seats(SOON - timedelta(seconds=1)) == 0
    assert is_taken()
    assert return_unused_seats(SOON) == 1
    assert not is_taken()


def test_seats_are_short_where_fewer_than_one_in_ten_is_free(
    event: Event, arrival: JoinResult
) -> None:
    add_spare_seats(event)
    while Seat.objects.open_unclaimed().count() > 1:
        join_with_open_seat(event, NOW, terms=1)
    assert return_unused_seats(SOON) == 0  # one of ten
    join_with_open_seat(event, NOW, terms=1)
    assert return_unused_seats(SOON) == 10


def test_a_short_event_does_not_hasten_another(event: Event, arrival: JoinResult) -> None:
    other = make_event("coffee")
    provision_event_seats(other, 10, Seat.Kind.OPEN, NOW)
    join_with_open_seat(other, NOW, terms=1)
    assert return_unused_seats(SOON) == 1
    assert other.seats is not None
    assert other.seats.seats.open_unclaimed().count() == 9


def test_when_seats_are_short_a_used_or_saved_claim_stays(
    event: Event, arrival: JoinResult
) -> None:
    make_judgment(arrival.enrollment)
    assert return_unused_seats(SOON) == 0
    Judgment.objects.all().delete()
    confirm_saved(arrival.user, NOW)
    assert return_unused_seats(SOON) == 0


def test_a_saved_claim_stays(arrival: JoinResult) -> None:
    confirm_saved(arrival.user, NOW)
    assert return_unused_seats(LATER) == 0


def test_a_claim_that_has_judged_stays(arrival: JoinResult) -> None:
    make_judgment(arrival.enrollment)
    assert return_unused_seats(LATER) == 0


def test_a_claim_with_another_way_in_or_an_office_stays(event: Event, arrival: JoinResult) -> None:
    address = arrival.user.emailaddress_set.create(email="a@example.org")
    assert return_unused_seats(LATER) == 0
    address.delete()
    membership = make_membership(make_event(), arrival.user)
    assert return_unused_seats(LATER) == 0
    membership.delete()
    arrival.user.socialaccount_set.create(provider="github", uid="1")
    assert return_unused_seats(LATER) == 0


def test_a_claim_with_a_chosen_password_stays(arrival: JoinResult) -> None:
    arrival.user.set_password("my own long password")
    arrival.user.save()
    assert return_unused_seats(LATER) == 0


def test_a_printed_seat_never_returns(db: None) -> None:
    event = make_event()
    provision_event_seats(event, 1, Seat.Kind.PRINTED, NOW)
    Seat.objects.update(claimed_at=NOW)
    assert return_unused_seats(LATER) == 0


def test_a_holder_who_goes_on_judging_has_the_seat_again(event: Event, arrival: JoinResult) -> None:
    return_unused_seats(LATER)
    make_judgment(arrival.enrollment, now=LATER)
    return_unused_seats(LATER)
    assert is_taken()
    with pytest.raises(LimitError):
        join_with_open_seat(event, LATER, terms=1)


def test_judgments_of_an_earlier_claim_stay_with_its_pseudonym(
    event: Event, arrival: JoinResult
) -> None:
    # Judged after the return, and given to somebody else before the next sweep.
    return_unused_seats(LATER)
    make_judgment(arrival.enrollment, now=LATER)
    second = join_with_open_seat(event, LATER, terms=1)
    judgment = Judgment.objects.get()
    assert judgment.enrollment == arrival.enrollment
    assert judgment.enrollment.user is None
    assert second.enrollment != arrival.enrollment


def test_the_task_runs_it(arrival: JoinResult) -> None:
    Seat.objects.update(claimed_at=NOW - timedelta(days=400))
    task()
    assert not is_taken()


@pytest.mark.django_db(transaction=True)
def test_sweeps_at_once_return_a_claim_once() -> None:
    event = make_event()
    provision_event_seats(event, 10, Seat.Kind.OPEN, NOW)
    for _ in range(10):
        join_with_open_seat(event, NOW, terms=1)
    returned = parallel_map([partial(return_unused_seats, LATER)] * 8, threads=8)
    assert sum(count for count in returned if isinstance(count, int)) == 10
    assert set(Seat.objects.values_list("returns", flat=True)) == {1}

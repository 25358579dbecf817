"""An honest visitor who finds all seats taken waits in line and gets the next one."""

import re
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from arena.errors import LimitError
from arena.events.joining.enrolling import join_with_open_seat, provision_event_seats
from arena.events.models import Event
from arena.people.models import Seat, SeatPool, WaitingPlace
from arena.people.seats.claiming import SeatAvailability, claim_open_seat, find_room
from arena.people.seats.waiting import advance_line, join_line, keep_place, leave_line
from tests.factories import NOW, make_event, make_membership, make_user
from tests.threads import parallel_map

pytestmark = pytest.mark.django_db
OPEN = Seat.Kind.OPEN
CONSENT = {"accept": "yes", "version": "1"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def event(still_clock: datetime) -> Event:
    """An event whose two open seats are taken."""
    event = make_event("fair")
    provision_event_seats(event, 2, OPEN, still_clock)
    Seat.objects.update(claimed_at=still_clock, saved_at=still_clock)
    return event


@pytest.fixture
def pool(event: Event) -> SeatPool:
    assert event.seats is not None
    return event.seats


def free_seats(count: int = 1) -> None:
    keys = Seat.objects.exclude(claimed_at=None).values_list("pk", flat=True)[:count]
    Seat.objects.filter(pk__in=list(keys)).update(claimed_at=None, saved_at=None)


def text(response: HttpResponse) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def look(visitor: Client) -> str:
    return text(visitor.get("/events/fair/join/"))  # type: ignore[arg-type]


def wait(visitor: Client) -> str:
    return text(visitor.post("/events/fair/line/", {"act": "wait"}, follow=True))  # type: ignore[arg-type]


# --- at the pages ----------------------------------------------------------------------------
def test_a_visitor_waits_in_line_and_gets_the_seat_that_becomes_free(event: Event) -> None:
    visitor = Client()
    assert "Join the waiting list" in look(visitor)
    assert "You are number 1 in line." in wait(visitor)
    assert 'name="accept"' not in look(visitor)
    free_seats()
    page = look(visitor)
    assert "A seat is free, and kept for you for 10 more minutes." in page
    assert "Your seat is ready" in page
    reply = visitor.post("/events/fair/join/", CONSENT)
    assert reply.headers["Location"] == "/account/seat/code/"
    assert not WaitingPlace.objects.exists()


def test_a_newcomer_does_not_get_the_seat_that_somebody_waits_for(event: Event) -> None:
    visitor, newcomer = Client(), Client()
    wait(visitor)
    free_seats()
    assert "All open seats are taken right now." in look(newcomer)
    assert newcomer.post("/events/fair/join/", CONSENT).status_code == 429
    assert "You are number 2 in line." in wait(newcomer)
    assert visitor.post("/events/fair/join/", CONSENT).status_code == 302


def test_a_newcomer_gets_a_seat_that_is_left_beside_the_line(event: Event) -> None:
    wait(Client())
    free_seats(2)
    newcomer = Client()
    assert 'name="accept"' in look(newcomer)
    assert newcomer.post("/events/fair/join/", CONSENT).status_code == 302


def test_waiting_twice_is_one_place(event: Event) -> None:
    visitor = Client()
    wait(visitor)
    assert "You are number 1 in line." in wait(visitor)
    assert WaitingPlace.objects.count() == 1


def test_whoever_leaves_the_line_makes_room(event: Event) -> None:
    first, second = Client(), Client()
    wait(first)
    assert "You are number 2 in line." in wait(second)
    reply = text(first.post("/events/fair/line/", {"act": "leave"}, follow=True))  # type: ignore[arg-type]
    assert "Join the waiting list" in reply
    assert "has ended" not in reply
    assert "You are number 1 in line." in look(second)


def test_a_place_that_has_lapsed_says_so(
    event: Event, still_clock: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Client()
    wait(visitor)
    monkeypatch.setattr(timezone, "now", lambda: still_clock + 31 * MINUTE)
    assert "Your place in line has ended." in look(visitor)
    assert "You are number 1 in line." in wait(visitor)


def test_nobody_waits_where_a_seat_is_free(event: Event) -> None:
    free_seats()
    visitor = Client()
    assert 'name="accept"' in wait(visitor)
    assert not WaitingPlace.objects.exists()


def test_somebody_with_an_account_does_not_wait(event: Event) -> None:
    visitor = Client()
    visitor.force_login(make_user())
    assert 'name="accept"' in wait(visitor)
    assert not WaitingPlace.objects.exists()


def test_nobody_waits_for_an_event_that_is_over(event: Event) -> None:
    Event.objects.update(state=Event.State.CLOSED)
    assert Client().post("/events/fair/line/", {"act": "wait"}).status_code == 409
    assert not WaitingPlace.objects.exists()


def test_nothing_of_the_visitor_is_stored(event: Event) -> None:
    visitor = Client(REMOTE_ADDR="192.0.2.77", HTTP_USER_AGENT="somebody's own")
    wait(visitor)
    (row,) = WaitingPlace.objects.values()
    assert set(row) == {"id", "pool_id", "token_hash", "joined_at", "seen_at", "offered_until"}
    token = next(iter(visitor.session["line"].values()))
    assert token not in str(row)


def test_a_network_waits_for_no_more_seats_than_it_may_claim(event: Event) -> None:
    SeatPool.objects.update(claims_per_network=2)
    posts = [Client().post("/events/fair/line/", {"act": "wait"}).status_code for _ in range(3)]
    assert posts == [302, 302, 429]
    elsewhere = Client(REMOTE_ADDR="198.51.100.1")
    assert elsewhere.post("/events/fair/line/", {"act": "wait"}).status_code == 302


def test_the_desk_shows_how_many_wait(event: Event) -> None:
    desk = Client()
    desk.force_login(make_membership(event, make_user(), "organizer").user)
    for _ in range(3):
        wait(Client())
    assert "<dt>Waiting in line</dt> <dd> 3 </dd>" in text(desk.get("/events/fair/desk/seats/"))  # type: ignore[arg-type]


# --- the line --------------------------------------------------------------------------------
def test_seats_are_offered_in_the_order_of_the_line(pool: SeatPool) -> None:
    tokens = [join_line(pool, NOW + timedelta(seconds=i)) for i in range(3)]
    now = NOW + MINUTE
    free_seats(2)
    places = [keep_place(pool, token, now) for token in reversed(tokens)]
    assert [place is not None and place.offered_until for place in reversed(places)] == [
        now + 10 * MINUTE,
        now + 10 * MINUTE,
        None,
    ]


def test_an_offer_ends_and_goes_to_the_next(pool: SeatPool) -> None:
    first, second = join_line(pool, NOW), join_line(pool, NOW)
    free_seats()
    advance_line(pool, NOW)
    late = NOW + 10 * MINUTE
    # The second has kept looking; the first has not come back.
    WaitingPlace.objects.filter(offered_until=None).update(seen_at=late)
    place = keep_place(pool, second, late)
    assert place is not None
    assert place.offered_until == late + 10 * MINUTE
    assert keep_place(pool, first, late) is None
    with pytest.raises(LimitError):
        claim_open_seat(pool, late, first)
    claim_open_seat(pool, late, second)


def test_a_sleeping_phone_keeps_its_place_and_holds_nobody_up(pool: SeatPool) -> None:
    asleep, awake = join_line(pool, NOW), join_line(pool, NOW)
    now = NOW + 5 * MINUTE
    WaitingPlace.objects.filter(pk=WaitingPlace.objects.latest("pk").pk).update(seen_at=now)
    free_seats()
    offered = keep_place(pool, awake, now)
    assert offered is not None
    assert offered.offered_until is not None
    place = keep_place(pool, asleep, now + MINUTE)
    assert place is not None
    assert place.offered_until is None
    free_seats()
    place = keep_place(pool, asleep, now + MINUTE)
    assert place is not None
    assert place.offered_until is not None


def test_a_holder_who_comes_back_costs_nobody_their_place(pool: SeatPool) -> None:
    token = join_line(pool, NOW)
    free_seats()
    offered = keep_place(pool, token, NOW)
    assert offered is not None
    assert offered.offered_until is not None
    Seat.objects.update(claimed_at=NOW)  # the earlier holder judges again
    with pytest.raises(LimitError):
        claim_open_seat(pool, NOW, token)
    place = keep_place(pool, token, NOW)
    assert place is not None
    assert place.offered_until is None
    free_seats()
    assert find_room(pool, NOW) is SeatAvailability.TAKEN
    keep_place(pool, token, NOW)
    assert find_room(pool, NOW, token) is SeatAvailability.FREE


def test_leaving_gives_the_offered_seat_to_everybody(pool: SeatPool) -> None:
    token = join_line(pool, NOW)
    free_seats()
    advance_line(pool, NOW)
    assert find_room(pool, NOW) is SeatAvailability.TAKEN
    leave_line(token)
    assert find_room(pool, NOW) is SeatAvailability.FREE


def test_one_event_s_line_is_nobody_else_s(pool: SeatPool) -> None:
    other = make_event("coffee")
    provision_event_seats(other, 1, OPEN, NOW)
    token = join_line(pool, NOW)
    assert other.seats is not None
    assert keep_place(other.seats, token, NOW) is None
    assert find_room(other.seats, NOW) is SeatAvailability.FREE


@pytest.mark.django_db(transaction=True)
def test_a_rush_at_a_free_seat_gives_it_to_the_one_who_waited() -> None:
    event = make_event()
    provision_event_seats(event, 1, OPEN, NOW)
    assert event.seats is not None
    token = join_line(event.seats, NOW)
    advance_line(event.seats, NOW)
    rush = [partial(join_with_open_seat, event, NOW, terms=1)] * 20
    waited = partial(join_with_open_seat, event, NOW, terms=1, place=token)
    results = parallel_map([*rush[:10], waited, *rush[10:]], threads=10)
    assert [isinstance(result, LimitError) for result in results].count(False) == 1
    assert not isinstance(results[10], Exception)

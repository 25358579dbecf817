"""The join page and the link on a printed seat, as a browser sees them."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from arena.events.joining.enrolling import provision_event_seats
from arena.events.joining.terms import publish_terms
from arena.events.models import Enrollment, Event, Membership
from arena.people.models import Seat, SeatPool
from tests.factories import (
    make_competitors,
    make_event,
    make_matchup,
    make_membership,
    make_user,
)

PRINTED, OPEN = Seat.Kind.PRINTED, Seat.Kind.OPEN
CONSENT = {"accept": "yes", "version": "1"}
CODE = re.compile(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}")


@pytest.fixture
def event(db: None) -> Event:
    return make_event("fair")


def text(response: Any) -> str:
    return response.content.decode()


def code_in(response: Any) -> str:
    found = CODE.search(text(response))
    assert found
    return found[0]


def test_the_page_shows_the_terms_with_nothing_ticked(client: Client, event: Event) -> None:
    publish_terms(event, content_warning="There are spiders.", minimum_age=21)
    provision_event_seats(event, 1, OPEN, timezone.now())
    page = text(client.get("/events/fair/join/"))
    assert "There are spiders." in page
    assert "at least 21 years" in page
    assert event.licence in page
    assert 'name="accept"' in page
    assert "checked" not in page


def test_the_terms_say_what_help_is_allowed_and_what_is_kept(client: Client, event: Event) -> None:
    provision_event_seats(event, 1, OPEN, timezone.now())
    page = text(client.get("/events/fair/join/"))
    assert "no program and no language model may choose for you" in page
    assert "with which device events answers were given" in page
    publish_terms(event, assistance="", keeps_behaviour=False)
    page = text(client.get("/events/fair/join/"))
    assert "Assistance" not in page
    assert "device events" not in page


def test_whoever_joins_first_accepts_what_the_event_says(client: Client, event: Event) -> None:
    Event.objects.update(keeps_behaviour=False)
    client.force_login(make_user())
    client.post("/events/fair/join/", CONSENT)
    accepted = event.enrollments.get().terms
    assert accepted is not None
    assert accepted.keeps_behaviour is False
    assert accepted.assistance.startswith("Judge by yourself")


def test_one_click_gives_a_visitor_a_seat_and_shows_its_code_until_it_is_saved(
    client: Client, event: Event
) -> None:
    provision_event_seats(event, 1, OPEN, timezone.now())
    client.get("/events/fair/join/")
    response = client.post("/events/fair/join/", CONSENT, follow=True)
    code, seat = code_in(response), Seat.objects.get()
    assert seat.user.username in text(response)
    assert seat.user.check_password(code)
    assert "no-store" in response.headers["Cache-Control"]
    assert not any(code in str(session.get_decoded()) for session in Session.objects.all())
    assert not CODE.search(text(client.get("/account/seat/")))
    assert client.get("/events/fair/join/").headers["Location"] == "/events/fair/judge/"
    assert code in text(client.get("/account/seat/code/"))  # the page loaded again
    onward = client.post("/account/seat/saved/", {"next": "/events/fair/judge/"})
    assert onward.headers["Location"] == "/events/fair/judge/"
    seat.refresh_from_db()
    assert seat.saved_at is not None
    assert code not in text(client.get("/account/seat/code/", follow=True))


def test_the_session_key_changes_with_the_claim(client: Client, event: Event) -> None:
    provision_event_seats(event, 1, OPEN, timezone.now())
    session = client.session
    session["planted"] = "by an attacker"
    session.save()
    client.cookies["sessionid"] = session.session_key
    client.post("/events/fair/join/", CONSENT)
    assert client.cookies["sessionid"].value != session.session_key
    assert not Session.objects.filter(session_key=session.session_key).exists()


def test_the_page_of_the_code_says_how_long_the_seat_is_kept(client: Client, event: Event) -> None:
    provision_event_seats(event, 1, OPEN, timezone.now())
    client.post("/events/fair/join/", CONSENT)
    kept = "kept for two hours, or 20 minutes if few seats are left"
    assert kept in text(client.get("/account/seat/code/"))
    # Once it is saved, a new code is no new claim.
    Seat.objects.update(saved_at=timezone.now())
    assert kept not in text(client.get("/account/seat/code/"))


def test_no_consent_no_seat(client: Client, event: Event) -> None:
    provision_event_seats(event, 1, OPEN, timezone.now())
    response = client.post("/events/fair/join/", {"version": "1"})
    assert response.status_code == 422
    assert "please accept the terms" in text(response)
    assert Seat.objects.open_unclaimed().count() == 1


def test_terms_that_changed_meanwhile_are_shown_again(client: Client, event: Event) -> None:
    provision_event_seats(event, 1, OPEN, timezone.now())
    publish_terms(event, minimum_age=16)
    publish_terms(event, minimum_age=21)
    response = client.post("/events/fair/join/", CONSENT)
    assert response.status_code == 409
    assert "The terms have changed" in text(response)
    assert 'name="version" value="2"' in text(response)


ROOMS = {
    "none": ({}, "This event has no seats yet."),
    "printed": ({PRINTED: 2}, "The seats of this event are on printed slips."),
    "taken": ({OPEN: 2}, "All open seats are taken right now."),
    "taken, and some printed": ({OPEN: 1, PRINTED: 2}, "All open seats are taken right now."),
}


@pytest.mark.parametrize(("seats", "words"), ROOMS.values(), ids=ROOMS.keys())
def test_a_visitor_reads_which_kind_of_place_is_missing(
    client: Client, event: Event, seats: dict[str, int], words: str
) -> None:
    for kind, count in seats.items():
        provision_event_seats(event, count, kind, timezone.now())
    Seat.objects.filter(kind=OPEN).update(claimed_at=timezone.now())
    for response in (client.get("/events/fair/join/"), client.post("/events/fair/join/", CONSENT)):
        told = [each for _seats, each in ROOMS.values() if each in text(response)]
        assert set(told) == {words}
        assert response.status_code in (200, 429)
        assert 'name="accept"' not in text(response)


def test_without_a_csrf_token_nothing_happens(event: Event) -> None:
    (slip,) = provision_event_seats(event, 1, PRINTED, timezone.now())
    provision_event_seats(event, 1, OPEN, timezone.now())
    strict = Client(enforce_csrf_checks=True)
    for url in ("/events/fair/join/", f"/seats/{slip.token}/", "/account/seat/saved/"):
        assert strict.post(url, CONSENT).status_code == 403
    assert not Seat.objects.filter(claimed_at__isnull=False).exists()


def test_a_get_claims_nothing(client: Client, event: Event) -> None:
    (slip,) = provision_event_seats(event, 1, PRINTED, timezone.now())
    provision_event_seats(event, 1, OPEN, timezone.now())
    assert slip.username in text(client.get(f"/seats/{slip.token}/"))
    client.get("/events/fair/join/")
    assert not Seat.objects.filter(claimed_at__isnull=False).exists()
    assert "_auth_user_id" not in client.session


def test_somebody_signed_in_joins_with_their_account(client: Client, event: Event) -> None:
    provision_event_seats(event, 1, OPEN, timezone.now())
    user = make_user()
    client.force_login(user)
    response = client.post("/events/fair/join/", CONSENT)
    assert response.headers["Location"] == "/events/fair/judge/"
    assert Enrollment.objects.get().user == user
    assert Seat.objects.open_unclaimed().count() == 1


@pytest.mark.parametrize("role", [Membership.Role.ORGANIZER, Membership.Role.REVIEWER])
def test_who_looks_after_the_event_is_told_why_not(client: Client, event: Event, role: str) -> None:
    client.force_login(make_membership(event, make_user(), role).user)
    assert "you cannot judge in it" in text(client.get("/events/fair/join/"))
    response = client.post("/events/fair/join/", CONSENT)
    assert "you cannot judge in it" in text(response)
    assert response.status_code == 400
    assert not Enrollment.objects.exists()


def test_changed_terms_are_agreed_to_before_the_next_matchup(client: Client, event: Event) -> None:
    make_matchup(event, make_competitors(event, 2))
    user = make_user()
    client.force_login(user)
    client.post("/events/fair/join/", CONSENT)
    Enrollment.objects.update(guidelines=event.guidelines.get(), guidelines_at=timezone.now())
    assert "/judge/" in client.get("/events/fair/judge/").headers["Location"]
    publish_terms(event, prize="A book")
    assert client.get("/events/fair/judge/").headers["Location"] == "/events/fair/join/"
    page = text(client.get("/events/fair/join/"))
    assert "The terms have changed" in page
    assert "A book" in page
    SeatPool.objects.update(claims_per_network=1)
    client.post("/events/fair/join/", CONSENT | {"version": "2"})
    assert Enrollment.objects.get().terms.version == 2
    assert "/judge/" in client.get("/events/fair/judge/").headers["Location"]


def test_drafts_private_and_unknown_events_are_not_there(client: Client, db: None) -> None:
    make_event("draft", state=Event.State.DRAFT)
    make_event("private", is_private=True)
    for slug in ("draft", "private", "unknown"):
        assert client.get(f"/events/{slug}/join/").status_code == 404
        assert client.post(f"/events/{slug}/join/", CONSENT).status_code == 404


def test_a_closed_event_says_that_it_takes_nobody(client: Client, db: None) -> None:
    make_event("over", state=Event.State.CLOSED)
    assert "nobody can join any more" in text(client.get("/events/over/join/"))
    assert client.post("/events/over/join/", CONSENT).status_code == 409


# --- printed seats ---------------------------------------------------------------------------
def test_a_link_seats_whoever_comes_first(client: Client, event: Event) -> None:
    (slip,) = provision_event_seats(event, 1, PRINTED, timezone.now())
    url = f"/seats/{slip.token}/"
    response = client.post(url, CONSENT)
    assert response.headers["Location"] == "/events/fair/judge/"
    assert Enrollment.objects.get().user.username == slip.username
    # The holder may press the button again; anybody else is told what to do instead.
    assert client.post(url, CONSENT).headers["Location"] == "/events/fair/judge/"
    second = Client()
    for late in (second.get(url), second.post(url, CONSENT)):
        assert "This link has already been used" in text(late)
        assert slip.username not in text(late)
    assert late.status_code == 409
    assert "_auth_user_id" not in second.session


def test_who_looks_after_the_event_takes_no_printed_seat(client: Client, event: Event) -> None:
    (slip,) = provision_event_seats(event, 1, PRINTED, timezone.now())
    client.force_login(make_membership(event, make_user(), Membership.Role.ORGANIZER).user)
    response = client.post(f"/seats/{slip.token}/", CONSENT)
    assert "you cannot judge in it" in text(response)
    assert not Seat.objects.filter(claimed_at__isnull=False).exists()
    assert not Enrollment.objects.exists()


def test_an_unknown_link_is_not_there(client: Client, event: Event) -> None:
    assert client.get("/seats/no-such-token/").status_code == 404
    assert client.post("/seats/no-such-token/", CONSENT).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_one_link_posted_200_times_at_once_signs_in_one() -> None:
    event = make_event()
    (slip,) = provision_event_seats(event, 1, PRINTED, timezone.now())

    def post(_: int) -> HttpResponse:
        try:
            return Client().post(f"/seats/{slip.token}/", CONSENT)  # type: ignore[return-value]
        finally:
            connection.close()

    with ThreadPoolExecutor(25) as pool:
        responses = list(pool.map(post, range(200)))
    assert sorted({response.status_code for response in responses}) == [302, 409]
    assert sum(response.status_code == 302 for response in responses) == 1
    assert sum("sessionid" in response.cookies for response in responses) == 1


# --- quota -----------------------------------------------------------------------------------
def claim_from(address: str) -> HttpResponse:
    return Client(REMOTE_ADDR=address).post("/events/fair/join/", CONSENT)  # type: ignore[return-value]


@pytest.mark.usefixtures("still_clock")
def test_a_network_has_a_daily_quota_which_the_organizer_raises(event: Event) -> None:
    provision_event_seats(event, 10, OPEN, timezone.now())
    SeatPool.objects.update(claims_per_network=2)
    assert [claim_from(f"192.0.2.{last}").status_code for last in (1, 2, 3)] == [302, 302, 429]
    assert claim_from("198.51.100.1").status_code == 302
    assert [claim_from(f"2001:db8:1:{part}::1").status_code for part in (1, 2, 3)] == [
        302,
        302,
        429,
    ]
    assert claim_from("2001:db8:2::1").status_code == 302
    SeatPool.objects.update(claims_per_network=3)
    assert claim_from("192.0.2.4").status_code == 302
    assert Seat.objects.open_unclaimed().count() == 3


@pytest.mark.usefixtures("still_clock")
def test_a_provider_full_of_networks_claims_no_more_than_four_of_them(event: Event) -> None:
    """Whoever rents a /32 of IPv6 has 65,536 networks of their own."""
    provision_event_seats(event, 10, OPEN, timezone.now())
    SeatPool.objects.update(claims_per_network=1)
    claims = [claim_from(f"2001:db8:{network}::1").status_code for network in range(1, 7)]
    assert claims == [302, 302, 302, 302, 429, 429]
    assert claim_from("2001:db9:1::1").status_code == 302
    # The refused two have used up nothing of their own networks.
    SeatPool.objects.update(claims_per_network=2)
    assert claim_from("2001:db8:5::1").status_code == 302


@pytest.mark.usefixtures("still_clock")
def test_a_refused_claim_does_not_use_up_the_quota(event: Event) -> None:
    SeatPool.objects.update(claims_per_network=1)
    assert claim_from("192.0.2.1").status_code == 429  # full
    provision_event_seats(event, 1, OPEN, timezone.now())
    assert claim_from("192.0.2.1").status_code == 302


@pytest.mark.usefixtures("still_clock")
def test_fresh_accounts_do_not_get_round_the_quota(event: Event) -> None:
    SeatPool.objects.update(claims_per_network=1)
    statuses = []
    for _ in range(2):
        client = Client(REMOTE_ADDR="192.0.2.9")
        client.force_login(make_user())
        statuses.append(client.post("/events/fair/join/", CONSENT).status_code)
    assert statuses == [302, 429]
    assert Enrollment.objects.count() == 1

"""One's own account page."""

import re
from typing import Any

import pytest
from django.test import Client

from arena.events.joining.enrolling import join_with_open_seat, provision_event_seats
from arena.people.models import Seat, User
from arena.people.seats.provisioning import provision_seats
from tests.factories import NOW, make_event, make_user

pytestmark = pytest.mark.any_database

SURE = {"sure": "yes"}
CODE = re.compile(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}")


@pytest.fixture
def holder(client: Client, db: None) -> User:
    """Signed in to an open seat that is not saved yet."""
    event = make_event("fair")
    provision_event_seats(event, 1, Seat.Kind.OPEN, NOW)
    user = join_with_open_seat(event, NOW, terms=1).user
    client.force_login(user)
    return user


def text(response: Any) -> str:
    return response.content.decode()


def test_the_page_says_who_one_is_and_shows_no_code(client: Client, holder: User) -> None:
    page = text(client.get("/account/seat/"))
    assert holder.username in page
    assert "not confirmed that you saved your access code" in page
    assert not CODE.search(page)
    client.post("/account/seat/saved/")
    assert "on any device" in text(client.get("/account/seat/"))


def test_an_account_without_a_seat_has_the_page_too(client: Client, db: None) -> None:
    client.force_login(make_user("somebody"))
    page = text(client.get("/account/seat/"))
    assert "somebody" in page
    assert "access code" not in page
    for door in ("saved", "code"):
        assert client.post(f"/account/seat/{door}/").status_code == 404


def test_a_new_code_replaces_the_old_and_this_session_goes_on(client: Client, holder: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(holder)
    page = text(
        client.post("/account/seat/code/", {"next": "/events/fair/", "sure": "yes"}, follow=True)
    )
    code = CODE.search(page)
    assert code
    assert 'name="next" value="/events/fair/"' in page
    holder.refresh_from_db()
    assert holder.check_password(code[0])
    assert client.get("/account/seat/").status_code == 200
    assert elsewhere.get("/account/seat/").status_code == 302


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_saving_leads_nowhere_else(client: Client, holder: User, target: str) -> None:
    response = client.post("/account/seat/saved/", {"next": target})
    assert response.headers["Location"] == "/account/seat/"


def test_a_display_name_is_chosen_and_cleared(client: Client, holder: User) -> None:
    assert holder.display_name == ""
    response = client.post(
        "/account/seat/name/", {"display_name": "  Zoë   Ōkawa ", "next": "/events/fair/me/"}
    )
    assert response.headers["Location"] == "/events/fair/me/"
    holder.refresh_from_db()
    assert holder.display_name == "Zoë Ōkawa"
    client.post("/account/seat/name/", {"display_name": ""})
    holder.refresh_from_db()
    assert holder.display_name == ""


@pytest.mark.parametrize("name", ["a" * 41, "x\u202ey", "a\u200bb", "a\x07"])
def test_a_name_that_plays_tricks_is_refused(client: Client, holder: User, name: str) -> None:
    assert client.post("/account/seat/name/", {"display_name": name}).status_code == 422
    holder.refresh_from_db()
    assert holder.display_name == ""


def test_a_name_that_is_too_long_says_how_long_it_may_be(client: Client, holder: User) -> None:
    page = client.post("/account/seat/name/", {"display_name": "a" * 41})
    assert "Use 40 characters at most." in text(page)


def test_my_account_says_what_each_thing_is_for_in_the_sites_words(
    client: Client, holder: User
) -> None:
    page = text(client.get("/account/seat/"))
    for words in (
        f"You are signed in as {holder.username}. Boards never show this name.",
        "You can judge without one.",
        "If empty, boards show your pseudonym.",
        "Your judgments are kept under a pseudonym.",
    ):
        assert words in page


def test_a_name_is_shown_as_text(client: Client, holder: User) -> None:
    client.post("/account/seat/name/", {"display_name": "<script>alert(1)</script>"})
    assert "<script>alert" not in text(client.get("/account/seat/"))


def test_strangers_are_sent_to_sign_in(client: Client, db: None) -> None:
    for door in ("", "saved/", "code/", "name/"):
        assert client.post(f"/account/seat/{door}").status_code in (302, 405)
    assert client.get("/account/seat/").headers["Location"].startswith("/account/login/")


@pytest.mark.usefixtures("still_clock")
def test_codes_are_not_drawn_without_end(client: Client, holder: User) -> None:
    statuses = [client.post("/account/seat/code/", SURE).status_code for _ in range(21)]
    assert statuses == [302] * 20 + [429]


def test_seats_of_a_pool_without_an_event_have_the_page(client: Client, db: None) -> None:
    pool = make_event("fair").seats
    assert pool is not None
    provision_seats(pool, 1, Seat.Kind.PRINTED, NOW)
    client.force_login(Seat.objects.get().user)
    assert client.get("/account/seat/").status_code == 200


@pytest.mark.usefixtures("still_clock")
def test_too_much_has_a_page_of_its_own(client: Client, db: None, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"signup": "1/m/ip"}
    for _ in range(2):
        response = client.post("/account/signup/", {})
    assert response.status_code == 429
    assert "Too many requests" in text(response)

"""The login form, with codes and passwords."""

import re
import time
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from arena.events.joining.enrolling import join_with_open_seat, provision_event_seats
from arena.people.models import Seat, User
from arena.people.seats.provisioning import Slip
from tests.factories import NOW, make_event, make_user

pytestmark = pytest.mark.any_database

LOGIN = "/account/login/"


@pytest.fixture
def slip(db: None) -> Slip:
    (slip,) = provision_event_seats(make_event("fair"), 1, Seat.Kind.PRINTED, timezone.now())
    return slip


def sign_in(client: Client, login: str, password: str) -> int:
    return client.post(LOGIN, {"login": login, "password": password}).status_code


def user_of(client: Client) -> str | None:
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else None


def test_the_form_asks_for_a_code_or_a_password(client: Client, db: None) -> None:
    assert "Access code or password" in client.get(LOGIN).content.decode()


def test_a_code_signs_in_on_any_device_and_takes_the_seat(slip: Slip) -> None:
    for typed in (slip.code, slip.code.lower().replace("-", ""), f"{slip.code} "):
        device = Client()
        assert sign_in(device, slip.username, typed) == 302
        assert user_of(device) == slip.username
    seat = Seat.objects.get()
    assert seat.claimed_at is not None
    assert seat.saved_at is not None


def test_a_password_signs_in_and_its_letter_case_matters(client: Client, db: None) -> None:
    user = make_user()
    assert sign_in(client, user.username, "Correct Horse") == 200
    assert user_of(client) is None
    assert sign_in(client, user.username, "correct horse") == 302
    assert user_of(client) == user.username


def test_the_session_key_changes_on_sign_in(client: Client, slip: Slip) -> None:
    session = client.session
    session["planted"] = "x"
    session.save()
    client.cookies["sessionid"] = session.session_key
    sign_in(client, slip.username, slip.code)
    assert client.cookies["sessionid"].value != session.session_key


def test_known_and_unknown_names_are_refused_alike(client: Client, slip: Slip) -> None:
    make_user("somebody")
    pages = set()
    for name in (slip.username, "somebody", "nobody-at-all"):
        response = client.post(LOGIN, {"login": name, "password": "wrong"})
        assert response.status_code == 200
        page = re.sub(r'csrfmiddlewaretoken" value="[^"]+"', "", response.content.decode())
        pages.add(page.replace(name, "NAME"))
    assert len(pages) == 1


def test_the_clock_does_not_tell_seats_from_unknown_names(slip: Slip) -> None:
    def seconds(name: str) -> float:
        begun = time.process_time()
        user = User.objects.filter(username=name).first()
        if user is None:
            User().set_password("wrong")  # what the backend does for an unknown name
        else:
            assert not user.check_password("wrong")
        return time.process_time() - begun

    known = min(seconds(slip.username) for _ in range(7))
    unknown = min(seconds("nobody-at-all") for _ in range(7))
    assert 0.5 < known / unknown < 2


def test_a_network_has_a_limit_of_failures(db: None, settings: Any) -> None:
    assert "60/m/ip" in settings.ACCOUNT_RATE_LIMITS["login_failed"]
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "3/m/ip"}
    client = Client(REMOTE_ADDR="192.0.2.1")
    for number in range(3):
        sign_in(client, f"guess-{number}", "wrong")
    neighbour = Client(REMOTE_ADDR="192.0.2.200")
    user = make_user()
    page = neighbour.post(LOGIN, {"login": user.username, "password": "correct horse"})
    assert "Too many wrong attempts" in page.content.decode()
    assert sign_in(Client(REMOTE_ADDR="198.51.100.1"), user.username, "correct horse") == 302


def test_a_returned_claim_still_signs_in_while_there_is_room(client: Client, db: None) -> None:
    event = make_event("fair")
    provision_event_seats(event, 1, Seat.Kind.OPEN, NOW)
    arrival = join_with_open_seat(event, NOW, terms=1)
    Seat.objects.update(claimed_at=None, returns=1)
    assert sign_in(client, arrival.user.username, arrival.code) == 302
    assert not Seat.objects.open_unclaimed().exists()
    assert client.get("/events/fair/judge/").status_code in (200, 302)


def test_a_seat_given_to_somebody_else_ends_the_earlier_session(client: Client, db: None) -> None:
    event = make_event("fair")
    provision_event_seats(event, 1, Seat.Kind.OPEN, NOW)
    first = join_with_open_seat(event, NOW, terms=1)
    client.force_login(first.user)
    assert client.get("/account/seat/").status_code == 200
    Seat.objects.update(claimed_at=None, returns=1)
    join_with_open_seat(event, NOW, terms=1)
    assert client.get("/account/seat/").status_code == 302
    assert sign_in(client, first.user.username, first.code) == 200


# --- an e-mail address on a seat --------------------------------------------------------------
def test_a_seat_with_an_address_is_signed_in_by_a_code_sent_to_it(
    client: Client, slip: Slip
) -> None:
    sign_in(client, slip.username, slip.code)
    client.post("/account/email/", {"action_add": "", "email": "someone@example.org"})
    link = re.search(r"https?://\S+confirm-email/\S+", mail.outbox[-1].body)
    assert link
    client.post(link[0])
    user = User.objects.get(username=slip.username)
    assert user.emailaddress_set.get().verified
    device = Client()
    device.post("/account/login/code/", {"email": "someone@example.org"})
    code = re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})$", mail.outbox[-1].body, re.MULTILINE)
    assert code
    assert device.post("/account/login/code/confirm/", {"code": code[1]}).status_code == 302
    assert user_of(device) == slip.username
    # The code on paper goes on working.
    assert sign_in(Client(), slip.username, slip.code) == 302

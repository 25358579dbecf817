"""What strangers can do who know somebody's name or address: little, and nothing to its owner."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client, override_settings
from django.utils import timezone

from arena.events.joining.enrolling import provision_event_seats
from arena.people import guesses
from arena.people.limits import HOUR_SECONDS, Rate
from arena.people.models import Seat, User
from arena.people.seats.provisioning import Slip
from tests.factories import make_event, make_user

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database,
    pytest.mark.usefixtures("still_clock"),
]
LOGIN, CODE, RESET, EMAIL = (
    "/account/login/",
    "/account/login/code/",
    "/account/password/reset/",
    "/account/email/",
)
HOME, ELSEWHERE = "192.0.2.10", "203.0.113.7"
TOO_MANY = "Too many wrong attempts"
SOMEBODY = "somebody@mail.example"


@pytest.fixture
def slip() -> Slip:
    (slip,) = provision_event_seats(make_event("fair"), 1, Seat.Kind.PRINTED, timezone.now())
    return slip


def at(address: str, user: User | None = None) -> Client:
    client = Client(REMOTE_ADDR=address)
    if user is not None:
        client.force_login(user)
    return client


def sign_in(address: str, login: str, password: str) -> Any:
    return at(address).post(LOGIN, {"login": login, "password": password})


def confirmed_user(email: str = SOMEBODY) -> User:
    user = make_user(email=email)
    user.emailaddress_set.create(email=email, verified=True, primary=True)
    return user


# --- guesses at a name ------------------------------------------------------------------------
def test_a_strangers_wrong_guesses_do_not_lock_the_owner_out(slip: Slip) -> None:
    for _ in range(8):
        page = sign_in(ELSEWHERE, slip.username, "wrong")
    assert TOO_MANY in page.content.decode()
    assert sign_in(HOME, slip.username, slip.code).status_code == 302


@pytest.mark.parametrize("login", ["by name", "by address"])
def test_the_sixth_guess_from_one_network_is_refused_though_it_be_right(login: str) -> None:
    user = confirmed_user()
    name = user.username if login == "by name" else SOMEBODY
    for _ in range(5):
        sign_in(ELSEWHERE, name, "wrong")
    # From its neighbour, in other letters, and whatever address the client claims to have.
    neighbour = Client(REMOTE_ADDR="203.0.113.99", HTTP_X_FORWARDED_FOR=HOME)
    page = neighbour.post(LOGIN, {"login": name.upper(), "password": "correct horse"})
    assert TOO_MANY in page.content.decode()
    assert sign_in(HOME, name, "correct horse").status_code == 302


def test_guesses_from_everywhere_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert guesses.GUESS_RATE.amount >= 60  # what a few strangers try locks nobody out
    assert guesses.GUESS_RATE.seconds / guesses.GUESS_RATE.amount > 30
    monkeypatch.setattr(guesses, "GUESS_RATE", Rate(4, HOUR_SECONDS))
    user = make_user()
    for number in range(4):
        assert TOO_MANY not in sign_in(f"203.0.{number}.7", user.username, "no").content.decode()
    page = sign_in("203.0.9.7", user.username, "correct horse")
    assert TOO_MANY in page.content.decode()
    assert sign_in("203.0.9.7", make_user().username, "correct horse").status_code == 302


def test_signing_in_often_is_no_guessing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "GUESS_RATE", Rate(2, HOUR_SECONDS))
    user = make_user()
    for _ in range(7):
        assert sign_in(HOME, user.username, "correct horse").status_code == 302


def test_a_strangers_guesses_do_not_keep_the_owner_from_confirming_who_they_are() -> None:
    """The password asked for once more, before something that matters."""
    user = confirmed_user()
    for _ in range(8):
        sign_in(ELSEWHERE, SOMEBODY, "wrong")
    owner = at(HOME)
    assert owner.post(LOGIN, {"login": SOMEBODY, "password": "correct horse"}).status_code == 302
    reply = owner.post("/account/reauthenticate/", {"password": "correct horse"})
    assert reply.status_code == 302
    assert user.is_active


# --- messages to an address -------------------------------------------------------------------
@pytest.mark.parametrize("door", [CODE, RESET])
def test_a_strangers_requests_do_not_use_up_the_owners(door: str) -> None:
    confirmed_user()
    statuses = [at(ELSEWHERE).post(door, {"email": SOMEBODY}).status_code for _ in range(12)]
    assert statuses[:3] == [302] * 3
    assert set(statuses[3:]) == {429}
    sent = len(mail.outbox)
    assert sent == 3
    assert at(HOME).post(door, {"email": SOMEBODY}).status_code == 302
    assert len(mail.outbox) == sent + 1


@pytest.mark.parametrize("door", [CODE, RESET])
def test_all_strangers_together_fill_no_mailbox(door: str, monkeypatch: Any) -> None:
    confirmed_user()
    monkeypatch.setattr(guesses, "MAIL_RATE_PER_ADDRESS", Rate(5, HOUR_SECONDS))
    statuses = [
        at(f"203.0.{number}.7").post(door, {"email": SOMEBODY.upper()}).status_code
        for number in range(8)
    ]
    assert statuses == [302] * 5 + [429] * 3
    assert len(mail.outbox) == 5


@pytest.mark.parametrize("door", [CODE, RESET])
def test_a_refused_request_does_not_tell_who_has_an_account(door: str) -> None:
    confirmed_user()
    pages = set()
    for address in (SOMEBODY, "nobody0@mail.example"):
        for _ in range(4):
            reply = at(ELSEWHERE).post(door, {"email": address})
        assert reply.status_code == 429
        assert b"Several messages have already been sent to this address." in reply.content
        pages.add(reply.content)
    assert len(pages) == 1


def test_somebody_who_adds_a_strangers_address_does_not_keep_its_owner_from_confirming_it() -> None:
    stranger, owner = make_user(), make_user()
    for _ in range(6):
        at(ELSEWHERE, stranger).post(EMAIL, {"action_add": "", "email": SOMEBODY})
        again = {"action_send": "", "email": SOMEBODY}
        at(ELSEWHERE, stranger).post(EMAIL, again)
    sent = len(mail.outbox)
    assert 0 < sent <= 3
    at(HOME, owner).post(EMAIL, {"action_add": "", "email": SOMEBODY})
    assert len(mail.outbox) == sent + 1
    assert mail.outbox[-1].to == [SOMEBODY]


@override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1)
def test_behind_a_proxy_a_stranger_is_told_from_the_owner(slip: Slip) -> None:
    proxy = Client(REMOTE_ADDR="10.0.0.1")
    form = {"login": slip.username, "password": "wrong"}
    for _ in range(6):
        proxy.post(LOGIN, form, HTTP_X_FORWARDED_FOR=f"{HOME}, {ELSEWHERE}")
    form["password"] = slip.code
    assert proxy.post(LOGIN, form, HTTP_X_FORWARDED_FOR=ELSEWHERE).status_code == 200
    assert proxy.post(LOGIN, form, HTTP_X_FORWARDED_FOR=HOME).status_code == 302

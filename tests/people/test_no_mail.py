"""Where no mail is set up, every form that would send some says that none was sent."""

import re
import sys
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from arena.errors import ArenaError
from arena.events.lifecycle.transitions import check_readiness, open_event
from tests.factories import NOW, make_event, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
NOT_SENT = "No e-mail was sent"
EMAIL = "/account/email/"
PROMISE = re.compile(r"on its way|was sent|have sent", re.IGNORECASE)


@pytest.fixture
def no_mail(settings: Any) -> None:
    settings.EMAIL_BACKEND = "arena.mail.TerminalBackend"


def ada() -> Client:
    user = make_user("ada", email="ada@mail.example")
    EmailAddress.objects.create(user=user, email="ada@mail.example", primary=True)
    client = Client()
    client.force_login(user)
    return client


def forms() -> list[tuple[str, str, dict[str, str], bool]]:
    """Every form that sends mail: its name, address, fields, and whether one is signed in."""
    address = {"email": "ada@mail.example"}
    return [
        ("a code to sign in", "/account/login/code/", address, False),
        ("a code for nobody", "/account/login/code/", {"email": "no@mail.example"}, False),
        ("a new password", "/account/password/reset/", address, False),
        ("a new password for nobody", "/account/password/reset/", {"email": "n@m.example"}, False),
        ("a further address", "/account/email/", {"email": "b@m.example", "action_add": ""}, True),
        ("the link again", "/account/email/", address | {"action_send": ""}, True),
    ]


SIGN_UP = {
    "username": "grace",
    "password1": "a long and private sentence",
    "email": "g@mail.example",
}


@pytest.mark.usefixtures("no_mail")
@pytest.mark.parametrize("form", forms(), ids=lambda form: form[0])
def test_a_form_says_that_no_mail_was_sent(form: tuple[str, str, dict[str, str], bool]) -> None:
    _name, path, posted, is_signed_in = form
    known = ada()
    client = known if is_signed_in else Client()
    page = client.post(path, posted, follow=True).content.decode()
    assert NOT_SENT in page
    assert not PROMISE.search(page.replace(NOT_SENT, ""))


@pytest.mark.parametrize(
    "form",
    [*forms(), ("signing up", "/account/signup/", SIGN_UP, False)],
    ids=lambda form: form[0],
)
def test_with_mail_each_of_these_forms_sends_some(
    form: tuple[str, str, dict[str, str], bool],
) -> None:
    _name, path, posted, is_signed_in = form
    known = ada()
    client = known if is_signed_in else Client()
    page = client.post(path, posted, follow=True).content.decode()
    assert NOT_SENT not in page
    assert PROMISE.search(page)
    assert len(mail.outbox) == 1


@pytest.mark.usefixtures("no_mail")
def test_known_and_unknown_addresses_get_one_answer() -> None:
    ada()
    answers = [
        Client().post("/account/login/code/", {"email": email})
        for email in ("ada@mail.example", "nobody@mail.example")
    ]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].content == answers[1].content


@pytest.mark.usefixtures("no_mail")
def test_at_a_terminal_the_message_is_printed_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ada()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    page = Client().post("/account/login/code/", {"email": "ada@mail.example"}, follow=True)
    assert "message is printed in the terminal" in page.content.decode()
    assert "ada@mail.example" in capsys.readouterr().out


@pytest.mark.usefixtures("no_mail")
def test_a_prize_where_nobody_can_confirm_anything_is_said_before_opening(settings: Any) -> None:
    def codes(prize: str) -> set[str]:
        return {check.code for check in check_readiness(make_event(prize=prize), NOW)}

    assert "identities" in codes("A book")
    assert "identities" not in codes("")
    with pytest.raises(ArenaError, match="confirmed address or a linked account"):
        open_event(make_event(prize="A book"), NOW)
    settings.SOCIALACCOUNT_PROVIDERS = {"github": {}}
    assert "identities" not in codes("A book")


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/account/login/", "E-mail me a code"),
        ("/account/login/code/", "Send code"),
        ("/account/password/reset/", "Send link"),
        ("/account/signup/", "E-mail address"),
        (EMAIL, "Add address"),
        (EMAIL, "Resend confirmation"),
        ("/account/reauthenticate/", "Forgot your password?"),
    ],
)
def test_no_door_is_offered_that_needs_mail(path: str, door: str, settings: Any) -> None:
    is_own = "email" in path or "reauthenticate" in path
    client = ada() if is_own else Client()
    assert door in client.get(path).content.decode()
    settings.EMAIL_BACKEND = "arena.mail.TerminalBackend"
    page = client.get(path).content.decode()
    assert door not in page
    is_for_mail_alone = path in ("/account/login/code/", "/account/password/reset/", EMAIL)
    assert ("cannot send e-mail" in page) == is_for_mail_alone

"""Every message to an address speaks the site's own words and leads somewhere."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from arena.people.models import User
from tests.factories import make_user
from tests.people.test_account_pages import LIBRARY

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

# Words of the library that this site does not use.
FOREIGN = re.compile(
    r"Hello from|Thank you for using|\bemail\b|Email|You're receiving|You are receiving"
    r"|sign ?up|Sign-In|safely ignored|verif|database|procedure|register"
)
# The messages that the library sends where it is not asked to report every change.
SENT = ("email_confirmation", "login_code", "password_reset_key", "unknown_account")


def somebody() -> User:
    user = make_user("ada")
    EmailAddress.objects.create(user=user, email="ada@mail.example", verified=True, primary=True)
    return user


def asked_for(door: str, email: str) -> EmailMessage:
    assert Client().post(reverse(door), {"email": email}).status_code == 302
    return mail.outbox[-1]


def confirmation() -> EmailMessage:
    client = Client()
    client.force_login(somebody())
    client.post(reverse("account_email"), {"action_add": "", "email": "second@mail.example"})
    return mail.outbox[-1]


def sign_in_code() -> EmailMessage:
    return asked_for("account_request_login_code", somebody().email or "ada@mail.example")


def new_password() -> EmailMessage:
    somebody().set_password("correct horse")
    return asked_for("account_reset_password", "ada@mail.example")


def code_for_a_stranger() -> EmailMessage:
    return asked_for("account_request_login_code", "nobody@mail.example")


def password_for_a_stranger() -> EmailMessage:
    return asked_for("account_reset_password", "nobody@mail.example")


MESSAGES: dict[str, tuple[Any, str, str]] = {
    "confirm": (confirmation, "Confirm your address", "/account/confirm-email/"),
    "code": (sign_in_code, "Your code for signing in", "It works once"),
    "password": (new_password, "Choose a new password", "/account/password/reset/key/"),
    "no code": (code_for_a_stranger, "No account has this address", "No account here has it."),
    "no password": (password_for_a_stranger, "No account has this address", "join it there"),
}


@pytest.mark.parametrize("which", MESSAGES)
def test_a_message_speaks_our_words_and_says_what_to_do(which: str) -> None:
    send, subject, word = MESSAGES[which]
    message = send()
    text = re.sub(r"https?://\S+", "", f"{message.subject}\n{message.body}")
    assert message.subject == f"[Crowd Arena] {subject}"
    assert word in message.body
    assert "If it was not you who asked for it" in message.body
    assert FOREIGN.findall(text) == []
    assert not re.search(r"[{}]|&#", text)


def test_the_librarys_own_messages_would_be_noticed() -> None:
    for name in SENT:
        for part in ("subject", "message"):
            text = (LIBRARY / f"account/email/{name}_{part}.txt").read_text()
            assert FOREIGN.search(text) or name == "unknown_account", (name, part)

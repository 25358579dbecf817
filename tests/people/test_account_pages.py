"""Every page of an account speaks the site's own words, whichever library made it."""

import re
from pathlib import Path
from typing import Any

import allauth
import pytest
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
)
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from arena.people.accounts.adapter import AccountAdapter, SecondStepAdapter, SocialAccountAdapter
from arena.people.models import User
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LIBRARY = Path(allauth.__file__).parent / "templates"
# The library's own layouts, which have no words, and pages of what this site does not offer.
WORDLESS = (
    r"(account|mfa|socialaccount)(/\w+)?/base\w*\.html|.*/snippets/(provider_list|login_extra)"
)
NOT_OFFERED = (
    r"webauthn|phone|passkey|mfa/trust|email_change|confirm_email_verification_code"
    r"|confirm_password_reset_code|login_redirect|snippets/(already_logged_in|warn_no_email)"
)
# Words of the library that this site does not use.
FOREIGN = re.compile(
    r"Third-Party|third-party|Two-Factor|Two factors|Sign ?Up|\bLog ?[Ii]n\b|\bLogin\b|\bEmail\b"
    r"|Verif|verif|[Rr]eauthenticate|Confirm Access|Token|Inactive|Connections|Authenticator code"
    r"|contact us|Are you sure|Primary"
)


def test_every_page_of_the_library_is_replaced_by_one_of_ours() -> None:
    names = [
        str(path.relative_to(LIBRARY))
        for folder in ("account", "mfa", "socialaccount")
        for path in (LIBRARY / folder).rglob("*.html")
    ]
    ours = settings.ROOT / "templates"
    missing = [
        name
        for name in names
        if not (ours / name).exists() and not re.search(f"{WORDLESS}|{NOT_OFFERED}", name)
    ]
    assert len(names) > 40
    assert missing == []


def person(*, step: bool = False) -> User:
    """Somebody with two addresses, one of them confirmed; and, if so, a second step."""
    user = make_user()
    for number, verified in enumerate((True, False)):
        EmailAddress.objects.create(
            user=user,
            email=f"{user.username}-{number}@example.org",
            verified=verified,
            primary=not number,
        )
    if step:
        TOTP.activate(user, generate_totp_secret())
        RecoveryCodes.activate(user)
    return user


def signed_in(user: User) -> Client:
    """A browser that has just said its password, and said it again."""
    client = Client()
    client.post(reverse("account_login"), {"login": user.username, "password": "correct horse"})
    client.post(reverse("account_reauthenticate"), {"password": "correct horse"})
    return client


def read(answer: Any) -> str:
    """The words of a page's content, and that it is one."""
    assert answer.status_code in (200, 401), answer
    page = answer.content.decode()
    assert '<header class="site-head">' in page
    content = re.sub(r"(?s)<script.*?</script>|<head>.*?</head>", " ", page)
    placeholders = " ".join(re.findall(r'placeholder="([^"]+)"', content))
    return " ".join(f"{strip_tags(content)} {placeholders}".split())


ENTRANCE = [
    "account_login",
    "account_signup",
    "account_inactive",
    "account_request_login_code",
    "account_email_verification_sent",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    "socialaccount_login_cancelled",
]
OWN = [
    "account_email",
    "account_change_password",
    "account_logout",
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "socialaccount_connections",
    "socialaccount_login_error",
]
WITH_A_STEP = [
    "mfa_index",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_reauthenticate",
]


@pytest.mark.parametrize("name", ENTRANCE)
def test_pages_before_signing_in_speak_our_words(name: str) -> None:
    words = read(Client().get(reverse(name)))
    assert FOREIGN.findall(words) == []


@pytest.mark.parametrize("name", OWN)
def test_pages_of_ones_own_account_speak_our_words(name: str) -> None:
    user = person()
    if name == "mfa_activate_totp":
        # Two-step sign-in is for people whose addresses are confirmed.
        user.emailaddress_set.filter(verified=False).delete()
    words = read(signed_in(user).get(reverse(name)))
    assert FOREIGN.findall(words) == []


@pytest.mark.parametrize("name", WITH_A_STEP)
def test_pages_of_the_second_step_speak_our_words(name: str) -> None:
    user = person()
    client = signed_in(user)
    TOTP.activate(user, generate_totp_secret())
    code = RecoveryCodes.activate(user).get_unused_codes()[0]
    if name != "mfa_reauthenticate":
        client.post(reverse("mfa_reauthenticate"), {"code": code})
    words = read(client.get(reverse(name)))
    assert FOREIGN.findall(words) == []


def test_a_first_password_is_asked_for_in_our_words() -> None:
    user = person()
    user.set_unusable_password()
    user.save()
    client = Client()
    client.force_login(user)
    words = read(client.get(reverse("account_set_password")))
    assert "Choose a password" in words
    assert FOREIGN.findall(words) == []


def test_the_second_step_of_signing_in_is_asked_for_in_our_words() -> None:
    user = person(step=True)
    client = Client()
    data = {"login": user.username, "password": "correct horse"}
    words = read(client.post(reverse("account_login"), data, follow=True))
    assert "One more step" in words
    assert FOREIGN.findall(words) == []


def test_a_code_by_mail_and_links_speak_our_words() -> None:
    user, client = person(), Client()
    address = user.emailaddress_set.get(primary=True)
    asked = client.post(
        reverse("account_request_login_code"), {"email": address.email}, follow=True
    )
    assert FOREIGN.findall(read(asked)) == []
    client.post(reverse("account_reset_password"), {"email": address.email})
    path = re.search(r"https?://[^/]+(/account/password/reset/key/\S+)", mail.outbox[-1].body)
    assert path is not None
    assert FOREIGN.findall(read(client.get(path[1], follow=True))) == []
    used = client.get(path[1].replace("key/", "key/x"), follow=True)
    assert "This link no longer works" in read(used)
    unconfirmed = user.emailaddress_set.get(primary=False)
    for key in (EmailConfirmationHMAC(unconfirmed).key, "no-key"):
        words = read(Client().get(reverse("account_confirm_email", args=[key])))
        assert FOREIGN.findall(words) == []


@pytest.mark.parametrize("act", ["send", "primary", "remove"])
def test_each_address_has_its_own_buttons(act: str) -> None:
    user = person()
    client, second = signed_in(user), user.emailaddress_set.get(primary=False)
    page = client.get(reverse("account_email")).content.decode()
    assert f'name="action_{act}"' in page
    answer = client.post(
        reverse("account_email"), {"email": second.email, f"action_{act}": ""}, follow=True
    )
    assert FOREIGN.findall(read(answer)) == []
    assert user.emailaddress_set.filter(pk=second.pk).exists() == (act != "remove")


def test_errors_of_forms_are_shown_beside_their_fields() -> None:
    client = signed_in(person())
    answer = client.post(reverse("account_email"), {"email": "nonsense", "action_add": ""})
    assert "valid email address" in read(answer)
    wrong = {"oldpassword": "x", "password1": "correct horse 2", "password2": "other horse 2"}
    words = read(client.post(reverse("account_change_password"), wrong))
    assert "Enter your current password" in words


def test_the_second_step_can_be_set_up_and_removed(still_seconds: int) -> None:
    user = person()
    client = signed_in(user)
    refused = client.get(reverse("mfa_activate_totp"), follow=True)
    assert "Confirm your e-mail addresses first" in read(refused)
    user.emailaddress_set.filter(verified=False).delete()
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    assert "Scan this" in page
    secret = re.search(r'id="authenticator_secret"\s+value="(\w+)"', page)
    assert secret is not None
    TOTP.activate(user, secret[1])
    words = read(client.get(reverse("mfa_index")))
    assert "On. You are asked for a code" in words
    assert "Create codes" in words
    code = hotp_value(secret[1], still_seconds // 30)
    client.post(reverse("mfa_reauthenticate"), {"code": format_hotp_value(code)})
    client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.filter(user=user).exists()


def test_linking_other_accounts_speaks_our_words() -> None:
    class Provider:
        name = "Elsewhere"

    for process in ("login", "connect"):
        context = {"provider": Provider(), "process": process}
        words = strip_tags(render_to_string("socialaccount/login.html", context))
        assert "Elsewhere" in words
        assert FOREIGN.findall(words) == []


ADAPTERS = [
    (AccountAdapter, DefaultAccountAdapter),
    (SecondStepAdapter, DefaultMFAAdapter),
    (SocialAccountAdapter, DefaultSocialAccountAdapter),
]


@pytest.mark.parametrize(("ours", "theirs"), ADAPTERS)
def test_what_cannot_be_done_is_said_in_our_words(ours: Any, theirs: Any) -> None:
    said = ours.error_messages
    assert set(theirs.error_messages) == set(said)
    assert [name for name, words in said.items() if FOREIGN.search(str(words))] == []


def test_foreign_words_are_found() -> None:
    for template in ("mfa/index", "account/password_reset", "socialaccount/connections"):
        assert FOREIGN.search((LIBRARY / f"{template}.html").read_text())

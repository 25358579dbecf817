"""Social identities: hidden until configured, attached to the same account."""

from typing import Any

import environ
import pytest
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.test import Client, RequestFactory

from arena.people.accounts.identity import (
    find_earlier_owners,
    get_verified_domains,
    has_verified_identity,
    normalize_address,
)
from arena.people.accounts.providers import build_social_providers, list_form_targets
from tests.factories import make_user

pytestmark = pytest.mark.any_database

ENVIRONMENT = {
    "GITHUB_CLIENT_ID": "g-id",
    "GITHUB_CLIENT_SECRET": "g-secret",
    "GOOGLE_CLIENT_ID": "o-id",
    "GOOGLE_CLIENT_SECRET": "o-secret",
    "HUGGINGFACE_CLIENT_ID": "h-id",
    "HUGGINGFACE_CLIENT_SECRET": "h-secret",
}


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> environ.Env:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    return environ.Env()


def test_nothing_is_offered_until_it_is_configured(env: environ.Env) -> None:
    assert build_social_providers(env) == {}
    assert list_form_targets(env) == []


@pytest.mark.django_db
def test_each_configured_provider_is_offered(
    env: environ.Env, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings.SOCIALACCOUNT_PROVIDERS = build_social_providers(env)
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    request.session = {}
    names = {provider.name for provider in get_adapter().list_providers(request)}
    assert names == {"GitHub", "Google", "Hugging Face"}
    assert list_form_targets(env) == [
        "https://github.com",
        "https://accounts.google.com",
        "https://huggingface.co",
    ]


def test_a_provider_without_its_secret_fails_loudly(
    env: environ.Env, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_CLIENT_ID", "g-id")
    with pytest.raises(Exception, match="GITHUB_CLIENT_SECRET"):
        build_social_providers(env)


@pytest.mark.django_db
def test_a_social_sign_in_starts_with_a_button(client: Client, settings: Any) -> None:
    app = {"client_id": "g-id", "secret": "g-secret"}
    settings.SOCIALACCOUNT_PROVIDERS = {"github": {"APPS": [app]}}
    user = make_user()
    client.force_login(user)
    assert client.get("/account/github/login/?process=connect").status_code == 200
    response = client.post("/account/github/login/?process=connect")
    assert response.headers["Location"].startswith("https://github.com/login/oauth/authorize")


@pytest.mark.django_db
def test_what_counts_as_a_verified_identity() -> None:
    user = make_user()
    address = user.emailaddress_set.create(email="A@Uni.Example", verified=False)
    assert not has_verified_identity(user)
    assert get_verified_domains(user) == set()
    address.verified = True
    address.save()
    assert has_verified_identity(user)
    assert get_verified_domains(user) == {"uni.example"}
    other = make_user()
    SocialAccount.objects.create(user=other, provider="github", uid="1")
    assert has_verified_identity(other)


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("Me@Uni.Example", "me@uni.example"),
        ("me+1@uni.example", "me@uni.example"),
        ("m.e@uni.example", "m.e@uni.example"),
        ("M.E+2+3@GMail.com", "me@gmail.com"),
        ("me@googlemail.com", "me@gmail.com"),
        ("+me@uni.example", "+me@uni.example"),
    ],
)
def test_a_mailbox_has_one_spelling(address: str, mailbox: str) -> None:
    assert normalize_address(address) == mailbox


@pytest.mark.django_db
def test_one_mailbox_is_the_identity_of_one_account() -> None:
    first, second, third = (make_user() for _ in range(3))
    mine = first.emailaddress_set.create(email="m.e+1@gmail.com", verified=True)
    second.emailaddress_set.create(email="me+2@googlemail.com", verified=True)
    third.emailaddress_set.create(email="me+1@uni.example", verified=True)
    assert has_verified_identity(first)
    assert not has_verified_identity(second)
    assert has_verified_identity(third)
    mine.verified = False  # an address alone, never shown to be theirs, takes nobody's away
    mine.save()
    assert has_verified_identity(second)
    mine.verified = True
    mine.save()
    SocialAccount.objects.create(user=second, provider="github", uid="2")
    assert has_verified_identity(second)
    assert find_earlier_owners(second) == {first.pk}
    assert find_earlier_owners(first) == find_earlier_owners(third) == set()


@pytest.mark.django_db
def test_one_linked_account_is_the_identity_of_one_account() -> None:
    SocialAccount.objects.create(user=make_user(), provider="github", uid="1")
    SocialAccount.objects.create(user=make_user(), provider="google", uid="1")
    with pytest.raises(IntegrityError), transaction.atomic():
        SocialAccount.objects.create(user=make_user(), provider="github", uid="1")

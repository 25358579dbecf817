"""Showing a secret for ten minutes in one session, encrypted where the session lies."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from arena.people.accounts.session_secrets import forget_secret, get_secret, store_secret
from tests.factories import NOW

SECRET = {"code": "7K3M-Q0RT-AAAA-BBBB"}
pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def kept() -> SessionStore:
    session = SessionStore()
    store_secret(session, "code", SECRET, NOW)
    session.save()
    return session


def test_a_secret_is_shown_again_for_ten_minutes() -> None:
    session = kept()
    assert get_secret(session, "code", NOW) == SECRET
    assert get_secret(session, "code", NOW + timedelta(minutes=9)) == SECRET
    assert get_secret(session, "code", NOW + timedelta(minutes=11)) is None
    assert get_secret(session, "code", NOW) is None  # and it is not kept any longer


def test_a_secret_is_shown_until_the_person_has_it() -> None:
    session = kept()
    assert get_secret(session, "seat", NOW) is None
    forget_secret(session, "code")
    assert get_secret(session, "code", NOW) is None
    forget_secret(session, "code")


def test_the_database_holds_no_secret_in_plain_text() -> None:
    kept()
    (stored,) = Session.objects.all()
    content = str(stored.get_decoded())
    assert "shown_code" in content
    assert SECRET["code"] not in content


def test_a_changed_secret_key_still_shows_what_the_old_one_kept(settings: Any) -> None:
    session = kept()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a-new-secret-key"
    assert get_secret(session, "code", NOW) == SECRET
    settings.SECRET_KEY_FALLBACKS = []
    assert get_secret(session, "code", NOW) is None

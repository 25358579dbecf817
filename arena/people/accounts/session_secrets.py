"""Keeping a secret, such as an access code, in the session for ten minutes, to show it.

No code is stored in plain text, so a page that shows one could not be reloaded. The request that
creates the secret stores it encrypted in the session and redirects to the page that shows it.
"""

import base64
import json
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import salted_hmac

from arena.people.models import User

SHOW_DURATION = timedelta(minutes=10)
SESSION_PREFIX = "shown_"
# The salt of the encryption key; changing it makes secrets in open sessions unreadable.
KEY_SALT = "arena.people.accounts.session_secrets"
# The access code of whoever is signed in.
ACCESS_CODE = "code"

Secret = dict[str, str]


def store_secret(session: SessionBase, name: str, secret: Secret, now: datetime) -> None:
    """Store a secret under this name, replacing an earlier one."""
    content = json.dumps(secret).encode()
    session[SESSION_PREFIX + name] = (
        build_cipher().encrypt_at_time(content, int(now.timestamp())).decode()
    )


def get_secret(session: SessionBase, name: str, now: datetime) -> Secret | None:
    """The secret stored under this name; None if there is none or it has expired."""
    kept = session.get(SESSION_PREFIX + name)
    if kept is None:
        return None
    patience, moment = int(SHOW_DURATION.total_seconds()), int(now.timestamp())
    try:
        content = build_cipher().decrypt_at_time(kept, ttl=patience, current_time=moment)
    except InvalidToken:
        forget_secret(session, name)
        return None
    return dict(json.loads(content))


def forget_secret(session: SessionBase, name: str) -> None:
    """Delete the secret, once the person has saved it."""
    session.pop(SESSION_PREFIX + name, None)


def store_access_code(
    session: SessionBase, user: User, code: str, now: datetime, *, onward: str, place: str = ""
) -> None:
    """Store a new access code to show it.

    `place` names the event it was created in, `onward` is the path to continue with.
    """
    secret = {"username": user.username, "code": code, "place": place, "next": onward}
    store_secret(session, ACCESS_CODE, secret, now)


def build_cipher() -> MultiFernet:
    """The cipher for secrets in sessions.

    Sessions are stored in the database and its backups, which alone must not let anybody sign in:
    the key is derived from SECRET_KEY, which is in no database.
    """
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(Fernet(derive_key(key)) for key in keys)


def derive_key(secret_key: str) -> bytes:
    """A 256-bit key for this purpose only."""
    digest = salted_hmac(KEY_SALT, "", secret=secret_key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest)

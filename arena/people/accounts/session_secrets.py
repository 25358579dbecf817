"""Showing a secret for ten minutes in the session that made it, such as an access code.

Nothing keeps a code in plain text, so the page that shows one could not be loaded again. The
request that makes it keeps it here and redirects to that page.
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
    """Show this secret under this name from now on, in place of an earlier one."""
    content = json.dumps(secret).encode()
    session[SESSION_PREFIX + name] = (
        build_cipher().encrypt_at_time(content, int(now.timestamp())).decode()
    )


def get_secret(session: SessionBase, name: str, now: datetime) -> Secret | None:
    """The secret kept under this name; None where there is none, or its ten minutes are over."""
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
    """Forget the secret: the person has it."""
    session.pop(SESSION_PREFIX + name, None)


def store_access_code(
    session: SessionBase, user: User, code: str, now: datetime, *, onward: str, place: str = ""
) -> None:
    """Show somebody's fresh code; `place`: the event it was made in, `onward`: the path after."""
    secret = {"username": user.username, "code": code, "place": place, "next": onward}
    store_secret(session, ACCESS_CODE, secret, now)


def build_cipher() -> MultiFernet:
    """Encrypts what a session holds.

    Sessions lie in the database, and with them its copies. Whoever reads one finds nothing that
    signs in: the key is derived from SECRET_KEY, which is in no database.
    """
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(Fernet(derive_key(key)) for key in keys)


def derive_key(secret_key: str) -> bytes:
    """A key for this use alone, of 256 bits."""
    digest = salted_hmac(KEY_SALT, "", secret=secret_key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest)

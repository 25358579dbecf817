"""Secrets of the settings, also in files: NAME_FILE names one, where NAME itself would stand in the
environment.

Whoever may list processes or containers reads their environment; a file has an owner and a mode.
"""

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

# Settings that are secret, or may hold a password; beside them the secrets of sign-in providers.
SECRETS = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "DATABASE_URL",
    "DATABASE_REPLICA_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "FILES_URL",
    "LEDGER_HEADS_URL",
    "METRICS_TOKEN",
)
INSECURE_KEY = "insecure-key-for-development-only"


def read_secret_files(environment: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """A copy of the environment with those of these settings that are in files; child processes do
    not inherit it.

    Raises `ImproperlyConfigured` where one is given twice or its file cannot be read.
    """
    read = dict(environment)
    for name in names:
        file = environment.get(f"{name}_FILE")
        if not file:
            continue
        if environment.get(name):
            raise ImproperlyConfigured(f"Set {name} or {name}_FILE, not both.")
        try:
            read[name] = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise ImproperlyConfigured(f"{name}_FILE: {file}: {reason}.") from error
    return read


def choose_secret_key(given: str, *, debug: bool, signs_nothing: bool) -> str:
    """The key that sessions and links are signed with.

    A process that no visitor talks to signs nothing, and need not be told the site's key: without
    one it gets a key of its own. Raises `ImproperlyConfigured` where a key is needed and missing.
    """
    key = given or (INSECURE_KEY if debug else "")
    if signs_nothing and not key:
        return secrets.token_urlsafe(50)
    if not key or (key == INSECURE_KEY and not debug):
        raise ImproperlyConfigured("Set SECRET_KEY (or DEBUG=1 on your own machine).")
    return key

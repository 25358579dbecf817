"""Secrets given as files: NAME_FILE names one, where NAME itself would stand in the environment.

Whoever may list processes or containers reads their environment; a file has an owner and a mode.
"""

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

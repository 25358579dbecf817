"""manage.py migrate, on a site in use: a lock that is not to be had now may be in a moment."""

import time
from typing import Any

from django.core.management.commands import migrate
from django.db import OperationalError
from psycopg.errors import LockNotAvailable

TRIES = 5
PAUSE_SECONDS = 5


class Command(migrate.Command):
    """Django's command; a migration that had to wait for a lock for too long is tried again."""

    def handle(self, *args: Any, **options: Any) -> None:
        for left in reversed(range(TRIES)):
            try:
                super().handle(*args, **options)
                return
            except OperationalError as error:
                if not left or not isinstance(error.__cause__, LockNotAvailable):
                    raise
                self.stderr.write(f"Somebody holds a lock; trying again in {PAUSE_SECONDS} s.")
                time.sleep(PAUSE_SECONDS)

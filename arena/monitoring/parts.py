"""What a site stands on. Each function says what is wrong with one part; nothing if it is well.

They may hang or raise: call them through `bounded`.
"""

import os
import shutil
import time
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

import redis
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from arena.beat import get_sign_age

# A row that is no session, and expired: `clearsessions` may delete it.
ROW_KEY = "written-by-readyz"
MIN_FREE_BYTES = 32 * 1024**2
# Beat leaves a sign every second.
BEAT_SILENCE_SECONDS = 5.0
REDIS_SECONDS = 2.0


def check_database() -> str:
    """Write a row and commit."""
    now = timezone.now()
    # Nothing is raced for: whoever comes second finds the row there.
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 2000; SET LOCAL lock_timeout = 2000")
        if not Session.objects.filter(pk=ROW_KEY).update(expire_date=now):
            row = Session(session_key=ROW_KEY, session_data="", expire_date=now)
            Session.objects.bulk_create([row], ignore_conflicts=True)
    return ""


def check_migrations() -> str:
    """Whether the database has all migrations of this version; it may have later ones."""
    missing = list_code_migrations() - MigrationRecorder(connection).applied_migrations().keys()
    if missing:
        app, name = min(missing)
        return f"{len(missing)} migrations are pending, {app}.{name} among them"
    return ""


@cache
def list_code_migrations() -> frozenset[tuple[str, str]]:
    """The migrations of this version: they do not change while the process runs."""
    loader = MigrationLoader(None)
    replaced = {key for one in loader.replacements.values() for key in one.replaces}
    return frozenset(loader.disk_migrations.keys() - replaced)


def check_broker() -> str:
    """Write to the broker."""
    if settings.REDIS_URL:
        name = f"{settings.REDIS_PREFIX}readyz"
        with open_redis() as client:
            client.set(name, 1, ex=60)
    else:
        folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"]
        with NamedTemporaryFile(dir=folder, suffix=".draft"):
            pass
    return ""


def open_redis() -> "redis.Redis":
    """A connection to the broker that waits for seconds and not for ever."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
    )


def check_beat() -> str:
    """Whether beat has sent something lately."""
    age = get_sign_age(time.time())
    if age is None:
        return "beat has never left a sign"
    return f"beat's last sign is {age:.0f} seconds old" if age > BEAT_SILENCE_SECONDS else ""


def check_disk() -> str:
    """Whether a file can be written beside the others, and there is room for more."""
    folder = Path(settings.VAR)
    with NamedTemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as file:
        file.write(b"0" * 65_536)
        file.flush()
        os.fsync(file.fileno())
    free = shutil.disk_usage(folder).free
    return f"{free // 2**20} MB are free in {folder}" if free < MIN_FREE_BYTES else ""


PARTS = {
    "database": check_database,
    "migrations": check_migrations,
    "broker": check_broker,
    "beat": check_beat,
    "disk": check_disk,
}

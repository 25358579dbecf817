"""The Celery application; tasks live in `<app>/tasks.py`."""

import os
from typing import Any

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.settings")

app = Celery("arena")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
log = structlog.get_logger(__name__)


def send_soon(task: str, *args: Any, expires: int | None = None) -> bool:
    """Send a task by its name, for so many seconds at most; whether the broker took it.

    Nothing fails where the broker is away: what tasks are to do is in the database, and beat looks
    there as well.
    """
    try:
        app.send_task(task, args, retry=False, expires=expires)
    except (OperationalError, OSError) as error:
        log.error("broker away", task=task, reason=type(error).__name__)
        return False
    return True

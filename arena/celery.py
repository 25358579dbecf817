"""The Celery application; tasks live in `<app>/tasks.py`."""

import os
from collections.abc import Callable

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.settings")

app = Celery("arena")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
log = structlog.get_logger(__name__)


def send_soon(send: Callable[..., object], *args: object) -> bool:
    """Send a task, by its `delay` or another call; whether the broker took it.

    Nothing fails where the broker is away: what tasks are to do is in the database, and beat looks
    there as well.
    """
    try:
        send(*args)
    except (OperationalError, OSError) as error:
        log.error("broker away", reason=type(error).__name__)
        return False
    return True

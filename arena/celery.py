"""The Celery application; tasks live in `<app>/tasks.py`."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery
from celery.signals import setup_logging
from celery.utils.log import get_multiprocessing_logger
from django.conf import settings
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


def keep_logging(**_: object) -> None:
    """Celery sets up no logging of its own: the settings' is in force by then."""
    get_multiprocessing_logger()  # until somebody asks for it, the pool says nothing
    worker = sys.modules.get("celery.apps.worker")  # there in a worker alone
    if worker is not None and settings.LOG_JSON:
        worker.safe_say = say_as_json  # type: ignore[attr-defined]


def say_as_json(message: str, *_: Any) -> None:
    """What a worker says in the handler of a signal, where no logger may be asked: as Celery does,
    but as our lines are."""
    line = {"event": message.strip(), "level": "warning", "logger": "celery.apps.worker"}
    os.write(2, f"{json.dumps(line)}\n".encode())


setup_logging.connect(keep_logging)

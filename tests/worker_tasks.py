"""Tasks that only the tests' own worker knows."""

import os
import signal
import time

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.contrib.auth import get_user_model


@shared_task
def rename(user_id: int, username: str) -> None:
    """Give a user another name."""
    get_user_model().objects.filter(pk=user_id).update(username=username)


@shared_task(acks_late=False)
def die() -> None:
    """End as where memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task(acks_late=False, soft_time_limit=1, time_limit=2)
def overstay(*, patient: bool) -> None:
    """Take too long: end by the soft limit, or ignore it until the hard one."""
    while True:
        try:
            time.sleep(10)
        except SoftTimeLimitExceeded:
            if patient:
                raise

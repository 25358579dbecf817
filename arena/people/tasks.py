"""Celery tasks about people: one call, one log line. Safe twice, at once, or late."""

from time import monotonic

import structlog
from celery import shared_task
from django.utils import timezone

from arena.people import guesses, outbox
from arena.queues import SWEEP_LIMITS

# Of one run; the next one follows within seconds.
SENDING_SECONDS = 30

log = structlog.get_logger(__name__)


@shared_task(**SWEEP_LIMITS)
def send_mails() -> None:
    """Send the messages that are due."""
    until = monotonic() + SENDING_SECONDS
    if sent := outbox.send_mails(timezone.now(), is_over=lambda: monotonic() >= until):
        log.info("mails sent", messages=sent)


@shared_task(**SWEEP_LIMITS)
def forget_messages_and_guesses() -> None:
    """Delete messages that are a day old, and counts of guesses whose time is over."""
    now = timezone.now()
    messages, counts = outbox.forget_mails(now), guesses.forget_guesses(now)
    if messages or counts:
        log.info("forgotten", messages=messages, counts=counts)

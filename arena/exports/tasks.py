"""Celery tasks of exports: ids in, one call, one log line. Safe twice, at once, or late."""

import structlog
from celery import shared_task

from arena.celery import send_soon
from arena.errors import ConflictError
from arena.exports.bundle import ensure_bundle
from arena.queues import LONG_LIMITS
from leaderboard.models import Snapshot

log = structlog.get_logger(__name__)


def queue_bundle(snapshot: Snapshot) -> None:
    """Ask a worker for a sealed round's bundle; with the broker away, its download makes it."""
    send_soon(keep_bundle.delay, snapshot.pk)


@shared_task(**LONG_LIMITS)
def keep_bundle(snapshot_id: int) -> None:
    """Write the bundle of a round that has just been sealed, while the event is as it was."""
    try:
        ensure_bundle(Snapshot.objects.get(pk=snapshot_id))
    except ConflictError as error:
        log.warning("bundle too late", snapshot_id=snapshot_id, reason=error.code)
    else:
        log.info("bundle kept", snapshot_id=snapshot_id)

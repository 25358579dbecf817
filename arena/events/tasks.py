"""Celery tasks of events: ids in, one call, one log line. Safe twice, at once, or late."""

from random import SystemRandom
from typing import Any

import structlog
from celery import shared_task
from django.utils import timezone

from arena.celery import send_soon
from arena.events.importing import ImportBusyError, uploads
from arena.events.importing.reverting import delete_reverted
from arena.events.importing.running import recover_stale_imports
from arena.events.lifecycle.transitions import advance_events as advance
from arena.events.models import ImportJob
from arena.events.rendering import render_slice
from arena.queues import IMPORT_LIMITS, LONG_LIMITS, SWEEP_LIMITS

# Seconds of rendering at a time, so that other tasks get their turn.
RENDERING_SECONDS = 10.0

log = structlog.get_logger(__name__)


@shared_task(bind=True, max_retries=None, default_retry_delay=10, **IMPORT_LIMITS)
def run_import(self: Any, job_id: int) -> None:
    """Import an uploaded file that is confirmed; waits its turn while another import runs."""
    try:
        job = uploads.run_upload(job_id, timezone.now(), SystemRandom())
    except ImportBusyError as error:
        raise self.retry(exc=error) from error
    if job is not None:
        log.info("import run", import_id=job_id, event_id=job.event_id, state=job.state)
        send_soon(render_texts.delay)


@shared_task(**IMPORT_LIMITS)
def finish_import(job_id: int) -> None:
    """Finish an import whose records are visible and whose process, a command, has died."""
    event = ImportJob.objects.select_related("event").get(pk=job_id).event
    recover_stale_imports(event, timezone.now(), SystemRandom())
    log.info("import finished", import_id=job_id, event_id=event.pk)


@shared_task(**IMPORT_LIMITS)
def remove_import(job_id: int) -> None:
    """Delete what an import brought that was taken back."""
    job = delete_reverted(job_id, timezone.now())
    if job is not None:
        log.info("import taken back", import_id=job_id, event_id=job.event_id)


@shared_task(**LONG_LIMITS)
def sweep_uploads() -> None:
    """Delete abandoned uploads, and what interrupted ones have left in the volume."""
    if swept := uploads.sweep_uploads(timezone.now()):
        log.info("uploads swept", files=swept)


@shared_task(**SWEEP_LIMITS)
def advance_events() -> None:
    """Freeze and close the events whose time has come."""
    for event in advance(timezone.now()):
        log.info("event advanced", event_id=event.pk, state=event.state)


@shared_task(**LONG_LIMITS)
def render_texts() -> None:
    """Render texts that are not rendered yet: of imports and corrections, and after an update."""
    if records := render_slice(RENDERING_SECONDS):
        log.info("texts rendered", records=records)

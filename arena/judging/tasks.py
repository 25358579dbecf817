"""Celery tasks of judging: ids in, one call, one log line. Safe twice, at once, or late."""

from random import SystemRandom
from typing import Any

import structlog
from celery import shared_task
from django.utils import timezone

from arena.events.importing import ImportBusyError
from arena.events.importing.uploads import run_upload
from arena.judging.importing import run_vote_job
from arena.judging.leaving import erasure, unused_seats
from arena.judging.ledger import seal_event
from arena.judging.models import Assignment, Judgment
from arena.judging.serving.leases import (
    expire_lapsed_leases,
    release_skipped_slots,
    return_idle_reserves,
)

log = structlog.get_logger(__name__)


@shared_task(bind=True, max_retries=None, default_retry_delay=10)
def run_vote_import(self: Any, job_id: int) -> None:
    """Import an uploaded file of votes; waits its turn while another import runs."""
    try:
        job = run_upload(job_id, timezone.now(), SystemRandom(), run_vote_job)
    except ImportBusyError as error:
        raise self.retry(exc=error) from error
    if job is not None:
        log.info("votes imported", import_id=job_id, event_id=job.event_id, state=job.state)


@shared_task
def seal_ledgers() -> None:
    """Give every committed judgment its place in its event's ledger."""
    unsealed = Judgment.objects.landed().filter(ledger_seq=None).order_by("event_id")
    for event_id in unsealed.values_list("event_id", flat=True).distinct():
        sealed = seal_event(event_id, timezone.now())
        log.info("ledger sealed", event_id=event_id, judgments=sealed)


@shared_task
def sweep_leases() -> None:
    """End leases that have run out and return idle reserves, so that their matchups reach
    somebody else."""
    now = timezone.now()
    returned = return_idle_reserves(now)
    expired = expire_lapsed_leases(Assignment.objects.all(), now)
    released = release_skipped_slots(now)
    if expired or released or returned:
        log.info("leases ended", expired=expired, skipped=released, returned=returned)


@shared_task
def return_unused_seats() -> None:
    """Return claims of open seats that nobody saved or used within two hours."""
    returned = unused_seats.return_unused_seats(timezone.now())
    if returned:
        log.info("unused seats returned", seats=returned)


@shared_task
def finish_erasures() -> None:
    """Empty texts that arrived while their author was leaving."""
    emptied = erasure.finish_erasures(timezone.now())
    if emptied:
        log.info("late texts emptied", texts=emptied)

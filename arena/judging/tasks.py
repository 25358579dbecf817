"""Celery tasks of judging: ids in, one call, one log line. Safe twice, at once, or late."""

from random import SystemRandom
from time import monotonic
from typing import Any

import structlog
from celery import shared_task
from django.utils import timezone

from arena.events.importing import ImportBusyError
from arena.events.importing.adopting import find_lost_imports
from arena.events.importing.uploads import run_upload
from arena.events.models import ImportJob
from arena.events.tasks import finish_import, remove_import, run_import
from arena.judging.importing import run_vote_job
from arena.judging.leaving import erasure, unused_seats
from arena.judging.ledger import checks, heads, seal_waiting
from arena.judging.models import Assignment
from arena.judging.serving.leases import (
    expire_lapsed_leases,
    release_skipped_slots,
    return_idle_reserves,
)
from arena.queues import IMPORT_LIMITS, LONG_LIMITS, SWEEP_LIMITS

log = structlog.get_logger(__name__)
# Of each minute, so long at most verifies ledgers.
CHECK_SECONDS = 10.0

# As often as beat looks for them.
ADOPTION_SECONDS = 30


@shared_task(bind=True, max_retries=None, default_retry_delay=10, **IMPORT_LIMITS)
def run_vote_import(self: Any, job_id: int) -> None:
    """Import an uploaded file of votes; waits its turn while another import runs."""
    try:
        job = run_upload(job_id, timezone.now(), SystemRandom(), run_vote_job)
    except ImportBusyError as error:
        raise self.retry(exc=error) from error
    if job is not None:
        log.info("votes imported", import_id=job_id, event_id=job.event_id, state=job.state)


@shared_task(**SWEEP_LIMITS)
def adopt_imports() -> None:
    """Ask again for imports whose worker died; the message expires before the next asking."""
    for job in find_lost_imports(timezone.now()):
        is_of_votes = job.kind == ImportJob.Kind.JUDGMENTS
        task = run_vote_import if is_of_votes else run_import
        if job.state == ImportJob.State.REMOVING:
            task = remove_import
        elif not job.file:
            task = finish_import
        task.apply_async([job.pk], expires=ADOPTION_SECONDS)
        log.info("import adopted", import_id=job.pk, event_id=job.event_id, state=job.state)


@shared_task
def seal_ledgers() -> None:
    """Give every committed judgment, and every entry, its place in its event's ledger."""
    for event_id, sealed in seal_waiting(timezone.now()):
        log.info("ledger sealed", event_id=event_id, judgments=sealed)


@shared_task(**LONG_LIMITS)
def check_ledgers() -> None:
    """Verify ledgers for a while; what is not reached now is reached next time."""
    until = monotonic() + CHECK_SECONDS
    checks.check_ledgers(timezone.now(), is_over=lambda: monotonic() >= until)


@shared_task(**LONG_LIMITS)
def publish_ledger_heads() -> None:
    """Mail and post the heads of ledgers, where that is set up."""
    published = heads.publish_heads(timezone.now())
    if published:
        log.info("ledger heads published", heads=published)


@shared_task(**SWEEP_LIMITS)
def sweep_leases() -> None:
    """End leases that have run out and return idle reserves, so that their matchups reach
    somebody else."""
    now = timezone.now()
    returned = return_idle_reserves(now)
    expired = expire_lapsed_leases(Assignment.objects.all(), now)
    released = release_skipped_slots(now)
    if expired or released or returned:
        log.info("leases ended", expired=expired, skipped=released, returned=returned)


@shared_task(**SWEEP_LIMITS)
def return_unused_seats() -> None:
    """Return claims of open seats that nobody saved or used in time."""
    returned = unused_seats.return_unused_seats(timezone.now())
    if returned:
        log.info("unused seats returned", seats=returned)


@shared_task(**SWEEP_LIMITS)
def finish_erasures() -> None:
    """Empty texts that arrived while their author was leaving."""
    emptied = erasure.finish_erasures(timezone.now())
    if emptied:
        log.info("late texts emptied", texts=emptied)

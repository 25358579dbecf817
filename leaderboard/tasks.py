"""Celery tasks of the boards: ids in, one call, one log line. Safe twice, at once, or late."""

from time import process_time

import structlog
from celery import shared_task
from django.utils import timezone

from arena.celery import send_soon
from arena.events.models import Event
from arena.queues import LONG_LIMITS
from leaderboard.contributors.exposure import compute_exposure
from leaderboard.contributors.reliability import find_due_reliabilities, refresh_reliability
from leaderboard.results.notices import announce_results, mail_notices
from leaderboard.snapshots.case_effects import find_due_cases, refresh_case_effects
from leaderboard.snapshots.publishing import thin_snapshots as thin
from leaderboard.snapshots.refresh import find_due_events, refresh_event
from leaderboard.snapshots.rest import BOARDS, CASES, RELIABILITY, is_resting, rest

log = structlog.get_logger(__name__)


@shared_task
def refresh_boards(*, over: bool = False) -> None:
    """Refresh the boards of every event, running or over, in which something has happened."""
    for event_id in find_due_events(timezone.now(), over=over):
        refresh_board.apply_async([event_id], expires=30)


@shared_task(**LONG_LIMITS)
def refresh_board(event_id: int) -> None:
    """Refresh the boards of one event, unless another worker does."""
    before = process_time()
    snapshot = refresh_event(Event.objects.get(pk=event_id), now=timezone.now())
    if snapshot:
        rest(BOARDS, event_id, process_time() - before)
        log.info("board refreshed", event_id=event_id, judgments=snapshot.judgments)


@shared_task
def refresh_reliabilities(*, published: bool = False) -> None:
    """Compute the reliabilities of events, published or not, in which they may have changed."""
    for event_id in find_due_reliabilities(published=published):
        if is_resting(RELIABILITY, event_id):
            continue
        compute_reliability.apply_async([event_id], expires=30)


@shared_task(**LONG_LIMITS)
def compute_reliability(event_id: int) -> None:
    """Compute the reliabilities of one event, unless another worker does."""
    before = process_time()
    if refresh_reliability(Event.objects.get(pk=event_id), now=timezone.now()):
        rest(RELIABILITY, event_id, process_time() - before)
        log.info("reliability computed", event_id=event_id)
        # Of an event that is over, somebody waits for the result.
        send_soon(refresh_board.delay, event_id)


@shared_task
def refresh_cases() -> None:
    """Measure what hangs on the open cases of every event in which that may have changed."""
    for event_id in find_due_cases():
        if not is_resting(CASES, event_id):
            measure_cases.apply_async([event_id], expires=60)


@shared_task(**LONG_LIMITS)
def measure_cases(event_id: int) -> None:
    """Measure what hangs on the open cases of one event."""
    before = process_time()
    measured = refresh_case_effects(Event.objects.get(pk=event_id), now=timezone.now())
    if measured:
        rest(CASES, event_id, process_time() - before)
        log.info("cases measured", event_id=event_id, people=measured)


def queue_exposure(event: Event) -> None:
    """Ask a worker what colluding accounts could find out; with the broker away, the next look at
    the page asks again."""
    send_soon(measure_exposure.delay, event.pk)


@shared_task(**LONG_LIMITS)
def measure_exposure(event_id: int) -> None:
    """Compute what colluding accounts could find out about the controls of one event."""
    if compute_exposure(Event.objects.get(pk=event_id), timezone.now()):
        log.info("exposure measured", event_id=event_id)


@shared_task(**LONG_LIMITS)
def tell_contributors() -> None:
    """Tell people of results, and send the notices that go by mail."""
    now = timezone.now()
    told, mailed = announce_results(now), mail_notices(now)
    if told or mailed:
        log.info("contributors told", notices=told, mails=mailed)


@shared_task(**LONG_LIMITS)
def thin_snapshots() -> None:
    """Delete snapshots that have had their time."""
    log.info("snapshots thinned", snapshots=thin(timezone.now()))

"""The running verification: what is new each time, everything twice a day, a slice at a time."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db.models import Exists, F, OuterRef, Q

from arena.events.models import Event, LedgerEntry
from arena.judging.ledger.kinds import START_KIND
from arena.judging.ledger.verifying import Difference, LedgerPass, find_unwritten
from arena.judging.models import LedgerCheck

log = structlog.get_logger(__name__)
# A pass from the first entry begins so long after the one before it.
PASS_INTERVAL = timedelta(hours=12)


def check_ledgers(now: datetime, *, is_over: Callable[[], bool]) -> int:
    """Verify the ledgers that have waited longest until the time is over; returns how many."""
    sealed = LedgerEntry.objects.sealed().filter(event=OuterRef("pk"))
    # One that was verified and has lost every entry since is looked at, too.
    events = Event.objects.filter(Exists(sealed) | Q(ledger_check__isnull=False)).order_by(
        F("ledger_check__looked_at").asc(nulls_first=True), "pk"
    )
    checked = 0
    for event_id in list(events.values_list("pk", flat=True)):
        check_ledger(event_id, now, is_over=is_over)
        checked += 1
        if is_over():
            break
    return checked


def check_ledger(event_id: int, now: datetime, *, is_over: Callable[[], bool]) -> None:
    """Go on verifying an event's ledger, and keep how far that is and what was found."""
    check, _created = LedgerCheck.objects.get_or_create(
        event_id=event_id, defaults={"pass_began_at": now, "looked_at": now}
    )
    lost = find_lost_end(check)
    verifying = begin_pass(check, now)
    before, difference = check.number, lost
    while difference is None and not verifying.is_done:
        difference = verifying.advance()
        if is_over():
            break
    if difference is None and verifying.is_done:
        difference = find_unwritten(event_id)
    found: dict[str, object] = {"looked_at": now, "pass_began_at": check.pass_began_at}
    if difference is not None:
        found |= describe_failure(check, difference, now)
    else:
        found |= {"number": verifying.number, "digest": verifying.digest}
        if verifying.is_done:
            found |= {"verified_at": now, "verified_head": verifying.digest}
            found |= {"failed_at": None, "failure": ""}
    # Closes the race of two workers: what the slower one has found is not kept.
    LedgerCheck.objects.filter(pk=check.pk, number=before).update(**found)


def find_lost_end(check: LedgerCheck) -> Difference | None:
    """The entry up to which the ledger was verified, where it is not there any more."""
    there = LedgerEntry.objects.sealed().filter(
        event=check.event_id, number=check.number, digest=check.digest
    )
    if check.number == 0 or there.exists():
        return None
    message = f"Entry {check.number} of the ledger is missing, or not as it was when verified."
    return Difference(START_KIND.name, check.number, message)


def begin_pass(check: LedgerCheck, now: datetime) -> LedgerPass:
    """The pass under way, or a new one from the first entry where that one is done and old."""
    is_done = check.verified_at is not None and check.verified_at >= check.pass_began_at
    if is_done and now - check.pass_began_at >= PASS_INTERVAL:
        check.pass_began_at = now
        return LedgerPass(check.event_id)
    return LedgerPass(check.event_id, check.number, check.digest)


def describe_failure(
    check: LedgerCheck, difference: Difference, now: datetime
) -> dict[str, object]:
    """What is kept of a difference; the next pass begins at the first entry."""
    log.error("ledger differs", event_id=check.event_id, kind=difference.kind)
    return {
        "number": 0,
        "digest": "",
        "pass_began_at": now,
        "failed_at": check.failed_at or now,
        "failure": str(difference),
    }

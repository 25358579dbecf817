"""Ending a round: a snapshot gets a name and stays for ever. Publishing seals the final result."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.lifecycle.transitions import change_state
from arena.events.models import Event
from leaderboard.contributors.reliability import is_reliability_current
from leaderboard.models import Snapshot
from leaderboard.snapshots.publishing import publish_snapshot
from leaderboard.snapshots.refresh import fingerprint_of, has_content

FINAL = "Final result"


def require_fresh_snapshot(event: Event) -> Snapshot:
    """The snapshot of everything judged so far. Raises `ConflictError` if not computed yet.

    Nothing is computed here: workers do that, and a few seconds later it is there.
    """
    latest = event.snapshots.order_by("-id").first()
    is_current = is_reliability_current(event)
    if is_current and latest is not None and latest.fingerprint == fingerprint_of(event):
        return latest
    if latest is None and not event.judgments.exists():
        raise ConflictError(_("Nobody has judged here, so there is no result."), "nothing_judged")
    raise ConflictError(
        _("The boards are being computed. Try again in a few seconds."), "not_computed"
    )


def find_last_sealed(event: Event) -> Snapshot | None:
    """The latest sealed snapshot: the last round, or the published result."""
    return event.snapshots.exclude(sealed_at=None).order_by("-sealed_at", "-id").first()


def seal_round(event: Event, name: str, now: datetime) -> Snapshot:
    """Seal the current snapshot under a name; in a published event, as its corrected result.

    Raises `ConflictError` where the name is taken or nothing has changed.
    """
    snapshot, sealed = require_fresh_snapshot(event), find_last_sealed(event)
    if sealed is not None and has_content(event, sealed):
        raise ConflictError(
            _("Nothing has changed since “%(name)s”.") % {"name": sealed.name}, "already_sealed"
        )
    if name == FINAL:
        raise ConflictError(_("This name is reserved for the result."), "name_taken")
    try:
        # Closes the race of two organizers: a name is given once, and to an unsealed snapshot.
        # A correction is sealed and shown together.
        with transaction.atomic():
            unsealed = Snapshot.objects.filter(pk=snapshot.pk, sealed_at=None)
            if not unsealed.update(name=name, sealed_at=now):
                raise ConflictError(_("Somebody else has just sealed it."), "already_sealed")
            if event.state == Event.State.PUBLISHED:
                publish_snapshot(snapshot, now)
    except IntegrityError as error:
        raise ConflictError(_("Another round has this name."), "name_taken") from error
    snapshot.refresh_from_db()
    return snapshot


def publish_event(event: Event, now: datetime) -> Snapshot:
    """Make the result of a closed event final and public, after review.

    Raises `ConflictError` where the event is not closed, nobody has judged in it, or its boards
    are not there yet.
    """
    snapshot = require_fresh_snapshot(event)
    # The state, the seal and the public pointer change together or not at all.
    with transaction.atomic():
        change_state(event, Event.State.PUBLISHED, Event.State.CLOSED, published_at=now)
        if snapshot.sealed_at is None:
            Snapshot.objects.filter(pk=snapshot.pk).update(name=FINAL, sealed_at=now)
        publish_snapshot(snapshot, now)
    snapshot.refresh_from_db()
    return snapshot


def awaits_correction(event: Event) -> bool:
    """Whether something has changed since the result of an event was published."""
    if event.state != Event.State.PUBLISHED:
        return False
    sealed = find_last_sealed(event)
    return sealed is not None and not has_content(event, sealed)


def published_rounds(events: list[Event]) -> dict[int, list[str]]:
    """The names of each published event's sealed snapshots, the latest first."""
    sealed = Snapshot.objects.exclude(sealed_at=None).filter(
        event__in=events, event__state=Event.State.PUBLISHED
    )
    names: dict[int, list[str]] = {event.pk: [] for event in events}
    for event, name in sealed.order_by("-sealed_at", "-id").values_list("event", "name"):
        names[event].append(str(name))
    return names

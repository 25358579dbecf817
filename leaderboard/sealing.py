"""Ending a round: a snapshot gets a name and stays for ever. Publishing seals the final result."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.lifecycle import step
from arena.events.models import Event
from leaderboard.models import Snapshot
from leaderboard.publishing import publish
from leaderboard.refresh import fingerprint_of

FINAL = "Final result"


def current_snapshot(event: Event) -> Snapshot:
    """The snapshot of everything judged so far. Raises `ConflictError` while it is being computed.

    Nothing is computed here: workers do that, and a few seconds later it is there.
    """
    latest = event.snapshots.order_by("-id").first()
    if latest is None or latest.fingerprint != fingerprint_of(event):
        raise ConflictError(
            _("The boards are being computed. Try again in a few seconds."), "not_computed"
        )
    return latest


def seal_round(event: Event, name: str, now: datetime) -> Snapshot:
    """Keep the boards as they stand under a name. Raises `ConflictError` where it is taken."""
    snapshot = current_snapshot(event)
    if snapshot.sealed_at is not None:
        raise ConflictError(
            _("Nothing has changed since the round “%(name)s”.") % {"name": snapshot.name},
            "already_sealed",
        )
    try:
        # Closes the race of two organizers: a name is given once, and to an unsealed snapshot.
        with transaction.atomic():
            unsealed = Snapshot.objects.filter(pk=snapshot.pk, sealed_at=None)
            if not unsealed.update(name=name, sealed_at=now):
                raise ConflictError(_("Somebody has sealed it meanwhile."), "already_sealed")
    except IntegrityError as error:
        raise ConflictError(_("Another round has this name."), "name_taken") from error
    snapshot.refresh_from_db()
    return snapshot


def publish_event(event: Event, now: datetime) -> Snapshot:
    """Make the result of a closed event final and public, after review.

    Raises `ConflictError` where the event is not closed or its boards are not there yet.
    """
    snapshot = current_snapshot(event)
    # The state, the seal and the public pointer change together or not at all.
    with transaction.atomic():
        step(event, Event.State.PUBLISHED, Event.State.CLOSED)
        if snapshot.sealed_at is None:
            Snapshot.objects.filter(pk=snapshot.pk).update(name=FINAL, sealed_at=now)
        publish(snapshot, now)
    snapshot.refresh_from_db()
    return snapshot

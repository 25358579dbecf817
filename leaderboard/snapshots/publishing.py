"""Writing a snapshot, showing it on the public pages, and deleting superseded ones."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q

from arena.events.models import Event
from arena.judging.models import Judgment
from leaderboard.contributors.standings import write_standings
from leaderboard.models import Board, Rating, Snapshot
from leaderboard.votes.table import Comparisons

MIN_PEOPLE = 10
MAX_WAIT = timedelta(hours=6)
"""A held-back board is published after judgments by this many people, or after this time."""
KEEP_ALL = timedelta(days=1)
KEEP_HOURLY = timedelta(days=30)
"""All snapshots are kept for a day, then one per hour for 30 days, then one per day."""
DELETE_BATCH = 200
"""Snapshots deleted at a time."""


def write_snapshot(
    snapshot: Snapshot, rows: list[Rating], data: Comparisons, now: datetime
) -> None:
    """Write the snapshot, its rows, the standings and the board's pointer in one transaction."""
    # Closes the race with readers: they see the earlier snapshot or this one, never half of it.
    with transaction.atomic():
        snapshot.save(force_insert=True)
        for row in rows:
            row.snapshot = snapshot
        Rating.objects.bulk_create(rows, batch_size=2_000)
        write_standings(data)
        if may_publish(snapshot, now):
            publish_snapshot(snapshot, now)


def may_publish(snapshot: Snapshot, now: datetime) -> bool:
    """Whether there is enough new since the public snapshot to publish this one.

    A board that moves with each judgment tells who is watching what that judgment was. Before the
    deadline ranks stand still; once the event has closed, its provisional result is shown. What
    was published stays until an organizer publishes a correction (leaderboard/results/rounds.py).
    """
    event = snapshot.event
    if event.state in (Event.State.FROZEN, Event.State.PUBLISHED):
        return not Snapshot.objects.filter(board__event=event).exists()
    if event.publish_batch == 0 or event.state == Event.State.CLOSED:
        return True
    shown = Snapshot.objects.filter(board__event=event).first()
    seen = shown.ledger_seq if shown else 0
    first = event.snapshots.order_by("id").first()
    since = shown.published_at if shown else first.created_at if first else now
    if since and now - since >= MAX_WAIT:
        return True
    new = Judgment.objects.counted().filter(event=event, ledger_seq__gt=seen)
    new = new.filter(ledger_seq__lte=snapshot.ledger_seq)
    found = new.aggregate(judgments=Count("pk"), people=Count("enrollment", distinct=True))
    enough = max(event.publish_batch, 1)
    return bool(found["judgments"] >= enough and found["people"] >= MIN_PEOPLE)


def publish_snapshot(snapshot: Snapshot, now: datetime) -> None:
    """Show this snapshot on the public pages, unless they show a later one."""
    earlier = Q(current_snapshot=None) | Q(current_snapshot__ledger_seq__lte=snapshot.ledger_seq)
    if not Board.objects.filter(earlier, event=snapshot.event).update(current_snapshot=snapshot):
        return
    snapshot.published_at = now
    snapshot.save(update_fields=["published_at"])
    # What no page shows any more need not keep what only the page needs.
    shown = Snapshot.objects.disposable().filter(event=snapshot.event, pk__lt=snapshot.pk)
    shown.exclude(details={}).update(details={})


def publish_held_back(event: Event, now: datetime) -> None:
    """Publish the latest snapshot if it was held back and may be published now."""
    latest = event.snapshots.order_by("-id").first()
    if latest is None or latest.published_at is not None or not may_publish(latest, now):
        return
    # Closes the race with a refresh that publishes a newer one at the same moment.
    with transaction.atomic():
        publish_snapshot(latest, now)


def replace_snapshot(event: Event, old: Snapshot, new: Snapshot) -> None:
    """Replace a snapshot by its rebuilt copy, keeping the time of publication.

    A sealed one stays where it is: its bundle names it.
    """
    if old.sealed_at is not None:
        return
    # Closes the race with readers, who find one of the two on the board.
    with transaction.atomic():
        if old.published_at:
            Board.objects.filter(event=event, current_snapshot=old).update(current_snapshot=new)
            Snapshot.objects.filter(pk=new.pk).update(published_at=old.published_at)
        Snapshot.objects.disposable().filter(pk=old.pk).delete()


def thin_snapshots(now: datetime) -> int:
    """Delete superseded snapshots; returns how many."""
    thinned = 0
    for event in Event.objects.filter(snapshots__created_at__lt=now - KEEP_ALL).distinct():
        old = list(find_superseded(event, now))
        for start in range(0, len(old), DELETE_BATCH):
            some = Snapshot.objects.disposable().filter(pk__in=old[start : start + DELETE_BATCH])
            Rating.objects.filter(snapshot__in=some).delete()
            thinned += some.delete()[0]
    return thinned


def find_superseded(event: Event, now: datetime) -> Iterator[int]:
    """Primary keys of snapshots that a later one of the same hour, or day, supersedes."""
    snapshots = event.snapshots.disposable().filter(created_at__lt=now - KEEP_ALL)
    newest_first = snapshots.order_by("-created_at", "-pk").values_list("pk", "created_at")
    last = ""
    for pk, created_at in newest_first:
        is_recent = created_at >= now - KEEP_HOURLY
        period = created_at.strftime("%Y-%m-%d %H" if is_recent else "%Y-%m-%d")
        if period == last:
            yield pk
        last = period

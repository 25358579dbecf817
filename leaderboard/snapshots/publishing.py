"""Writing a snapshot, showing it on the public pages, and deleting superseded ones."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q

from arena.events.lifecycle.batches import MAX_WAIT, SMALLEST, batch_rule, may_move
from arena.events.models import Event
from arena.events.records.controls import has_controls
from arena.judging.models import Judgment
from leaderboard.contributors.standings import write_standings
from leaderboard.models import Board, CategoryBoard, Rating, Snapshot
from leaderboard.votes.table import Comparisons

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
        if may_publish(snapshot, now):
            publish_snapshot(snapshot, now)
        write_standings(data)
        # No page shows an earlier one any more, but from a board's pointer.
        shown = Snapshot.objects.disposable().filter(event=snapshot.event, pk__lt=snapshot.pk)
        shown.exclude(details={}).update(details={})


def may_publish(snapshot: Snapshot, now: datetime) -> bool:
    """Whether there is enough new since the public snapshot to publish this one.

    A board that moves with each judgment tells who is watching what that judgment was, and whether
    it was to a control. Before the deadline ranks stand still; once the event has closed, its
    provisional result is shown. What was published stays until an organizer publishes a correction
    (leaderboard/results/rounds.py).
    """
    event = snapshot.event
    shown = Snapshot.objects.filter(board__event=event).first()
    if event.state == Event.State.PUBLISHED or (event.state == Event.State.FROZEN and shown):
        return shown is None
    rule = batch_rule(event.publish_batch, has_prize=bool(event.prize))
    if rule is None or event.state == Event.State.CLOSED:
        return True
    first = event.snapshots.order_by("id").first()
    since = shown.published_at if shown else first.created_at if first else now
    waited = now - (since or now)
    per_person = count_new(event, shown.ledger_seq if shown else 0, snapshot.ledger_seq)
    if has_controls(event):
        return may_move(rule, per_person, waited)
    return sum(per_person) >= event.publish_batch or waited >= MAX_WAIT


def count_new(event: Event, after: int, until: int, where: Q = Q()) -> list[int]:  # noqa: B008
    """Judgments of each contributor in the public count, after one ledger position and up to
    another; of whatever kind of matchup."""
    new = Judgment.objects.in_public_count().filter(
        where, event=event, ledger_seq__gt=after, ledger_seq__lte=until
    )
    by_person = new.order_by().values("enrollment").annotate(judgments=Count("pk", distinct=True))
    return list(by_person.values_list("judgments", flat=True))


def publish_snapshot(snapshot: Snapshot, now: datetime) -> None:
    """Show this snapshot on the public pages, unless they show a later one."""
    earlier = Q(current_snapshot=None) | Q(current_snapshot__ledger_seq__lte=snapshot.ledger_seq)
    if not Board.objects.filter(earlier, event=snapshot.event).update(current_snapshot=snapshot):
        return
    snapshot.published_at = now
    snapshot.save(update_fields=["published_at"])
    show_categories(snapshot)


def show_categories(snapshot: Snapshot) -> None:
    """Show the boards of those categories for which a batch of their own has come."""
    event = snapshot.event
    seen = dict(
        CategoryBoard.objects.filter(category__event=event).values_list(
            "category", "snapshot__ledger_seq"
        )
    )
    for category in event.categories.all():
        filed = Q(matchup__record__categories=category)
        new = count_new(event, seen.get(category.pk, 0), snapshot.ledger_seq, filed)
        if SMALLEST.is_met(new):
            CategoryBoard.objects.update_or_create(
                category=category, defaults={"snapshot": snapshot}
            )


def find_held_back(event: Event, now: datetime) -> Snapshot | None:
    """The latest snapshot if it was held back and may be published now."""
    latest = event.snapshots.order_by("-id").first()
    if latest is None or latest.published_at is not None or not may_publish(latest, now):
        return None
    return latest


def publish_held_back(snapshot: Snapshot, data: Comparisons, now: datetime) -> None:
    """Publish a snapshot that was held back, and with it the places of contributors."""
    # Closes the race with a refresh that publishes a newer one at the same moment.
    with transaction.atomic():
        publish_snapshot(snapshot, now)
        write_standings(data)


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
            CategoryBoard.objects.filter(snapshot=old).update(snapshot=new)
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
    """Primary keys of snapshots that a later one of the same hour, or day, supersedes; what the
    public pages have shown, only another that they have."""
    snapshots = event.snapshots.disposable().filter(created_at__lt=now - KEEP_ALL)
    newest_first = snapshots.order_by("-created_at", "-pk")
    last = last_shown = ""
    for pk, created_at, published_at in newest_first.values_list(
        "pk", "created_at", "published_at"
    ):
        is_recent = created_at >= now - KEEP_HOURLY
        period = created_at.strftime("%Y-%m-%d %H" if is_recent else "%Y-%m-%d")
        if period == (last if published_at is None else last_shown):
            yield pk
        last = period
        last_shown = last_shown if published_at is None else period

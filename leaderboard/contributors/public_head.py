"""How much of an event the public sees, where its boards are held back for its controls' sake."""

from collections.abc import Collection

from arena.events.lifecycle.batches import LIVE
from arena.events.models import Event
from arena.events.records.controls import select_measuring
from leaderboard.models import Snapshot


def holds_back(event: Event) -> bool:
    """Whether the public sees the event's boards in batches and coarse figures, so that nobody can
    tell its controls from them."""
    return bool(select_holding_back([event]))


def select_holding_back(events: Collection[Event]) -> set[int]:
    """Primary keys of those among the events that hold their boards back."""
    batched = [event for event in events if event.is_running() and event.publish_batch != LIVE]
    return select_measuring(batched) if batched else set()


def get_public_head(event: Event) -> int:
    """The ledger position of the snapshot that the public pages show; 0 before there is one."""
    shown = Snapshot.objects.filter(board__event=event).values_list("ledger_seq", flat=True)
    return shown.first() or 0

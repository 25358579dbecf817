"""At which places in the ledger reliabilities are computed: fixed ones, so that a rebuild finds the
same and needs no history."""

from arena.events.lifecycle.transitions import freeze_time
from arena.events.models import Event
from arena.judging.ledger import get_ledger_head
from arena.judging.models import LedgerBatch

STEP, GROWTH = 100, 100
"""Every 100 judgments, and from 10,000 on after every further hundredth part."""


def last_position(head: int) -> int:
    """The last place at or before this one: 0, 100, 200, … 10,000, 10,100, 10,201, …"""
    place = min(head - head % STEP, STEP * GROWTH)
    while (following := place + max(STEP, place // GROWTH)) <= head:
        place = following
    return place


def position_of(event: Event) -> int:
    """Where the event's reliabilities are to be computed now.

    Once judging has ended, at the head. From the freeze on nothing moves until then: what is
    shown of contributors stands still, and so does what it rests on.
    """
    head = get_ledger_head(event.pk)
    if event.is_over():
        return head
    if event.closes_at is not None:
        sealed = LedgerBatch.objects.filter(event=event)
        late = sealed.filter(sealed_at__gte=freeze_time(event, event.closes_at))
        first = late.order_by("first_seq").values_list("first_seq", flat=True).first()
        head = head if first is None else min(head, first - 1)
    return last_position(head)

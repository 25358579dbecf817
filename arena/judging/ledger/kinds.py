"""The kinds of entries that judging adds to those of `arena/events/ledger.py`.

A further kind is an `EntryKind` here or there: its reader says what a row says, whoever changes
the row appends an entry, and the chain covers it without knowing what it is.

How answers were given (`Assignment.behaviour`) is in no kind, and in no batch of judgments: nothing
that counts follows from it, and it is erased with the person.
"""

from collections.abc import Collection
from datetime import UTC

from arena.events import ledger
from arena.events.ledger import Content, EntryKind
from arena.judging.models import Exclusion, LedgerBatch


def read_exclusions(keys: Collection[int]) -> dict[int, Content]:
    """Whom an exclusion names, why, and whether it is in force. One that was lifted says nothing
    any more: a bundle leaves it out."""
    rows = Exclusion.objects.in_force().filter(pk__in=keys)
    return {
        pk: {"event": event, "judgment": judgment, "enrollment": enrollment, "reason": reason}
        for pk, event, judgment, enrollment, reason in rows.values_list(
            "pk", "event_id", "judgment_id", "enrollment_id", "reason"
        )
    }


def describe_batch(batch: LedgerBatch) -> Content:
    """What the ledger says of a batch of judgments."""
    return {
        "first": batch.first_seq,
        "last": batch.last_seq,
        "digest": batch.digest,
        "sealed_at": batch.sealed_at.astimezone(UTC).isoformat(),
    }


def read_nothing(_keys: Collection[int]) -> dict[int, Content]:
    """For entries about no row."""
    return {}


EXCLUSION_KIND = EntryKind("exclusion", "Exclusion", read_exclusions)
# A batch of judgments is verified row by row (`verifying.py`); its subject is its first place.
JUDGMENTS_KIND = EntryKind("judgments", "Batch of judgments", read_nothing)
# Waits until everything that was sealed before there were entries has been entered.
START_KIND = EntryKind("start", "Start", read_nothing)
KINDS = ledger.KINDS | {EXCLUSION_KIND.name: EXCLUSION_KIND}

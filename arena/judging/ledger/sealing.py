"""Sealing: judgments get their numbers, and they and waiting entries join the event's chain.

There is one writer at a time for an event: the unique constraints on both numbers see to it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, Max, OuterRef

from arena.events.models import Event, LedgerEntry
from arena.judging.ledger.chain import digest_batch, digest_entry
from arena.judging.ledger.kinds import JUDGMENTS_KIND, START_KIND, describe_batch
from arena.judging.ledger.references import iter_earlier_exclusions, iter_first_entries
from arena.judging.models import Judgment, LedgerBatch

# Judgments, and waiting entries, sealed in one transaction.
BATCH_SIZE = 5_000
# Batches from before there were entries, entered before other events have their turn again.
MAX_BATCHES_ENTERED = 50

# One statement numbers a batch of landed judgments (the rule of `JudgmentQuerySet.landed`):
# UPDATE … FROM is the same on PostgreSQL and SQLite (3.33 and later).
NUMBER_ROWS_SQL = """
UPDATE judging_judgment SET ledger_seq = numbered.seq
FROM (
    SELECT id, %s + ROW_NUMBER() OVER (ORDER BY id) AS seq
    FROM judging_judgment WHERE event_id = %s AND ledger_seq IS NULL
        AND (import_job_id IS NULL
            OR import_job_id IN (SELECT id FROM events_importjob WHERE state = 'done'))
    ORDER BY id LIMIT %s
) AS numbered
WHERE judging_judgment.id = numbered.id
"""


def get_ledger_head(event_id: int) -> int:
    """The last sealed sequence number of an event; 0 before the first."""
    head = LedgerBatch.objects.filter(event=event_id).aggregate(head=Max("last_seq"))["head"]
    return head or 0


def seal_waiting(now: datetime) -> Iterator[tuple[int, int]]:
    """Seal all that is committed, of the events in turns of a batch each, so that none waits for
    another's import; yields each turn's event and how many judgments it sealed."""
    has_more = True
    while has_more:
        has_more = False
        # Looked for anew each time: somebody judges while a large import is being sealed.
        for event_id in find_waiting_events():
            batch = seal_next(event_id, now)
            if batch:
                has_more |= batch.is_full
                yield event_id, batch.judgments


def find_waiting_events() -> list[int]:
    """Primary keys of the events in which something is not sealed yet."""
    unsealed = Judgment.objects.landed().filter(event=OuterRef("pk"), ledger_seq=None)
    waiting = LedgerEntry.objects.filter(event=OuterRef("pk"), number=None)
    events = Event.objects.filter(Exists(unsealed) | Exists(waiting))
    return list(events.order_by("pk").values_list("pk", flat=True))


def seal_event(event_id: int, now: datetime) -> int:
    """Number and seal everything of the event that is committed; returns how many judgments."""
    sealed = 0
    while batch := seal_next(event_id, now):
        sealed += batch.judgments
        if not batch.is_full:
            break
    return sealed


def seal_next(event_id: int, now: datetime) -> "SealedBatch | None":
    """Seal an event's next batch, once what was sealed before there were entries is entered."""
    return seal_batch(event_id, now) if enter_earlier_batches(event_id, now) else None


@dataclass(frozen=True)
class SealedBatch:
    """What was sealed in one transaction."""

    judgments: int
    entries: int

    @property
    def is_full(self) -> bool:
        return BATCH_SIZE in (self.judgments, self.entries)


def seal_batch(event_id: int, now: datetime) -> SealedBatch | None:
    """Seal the oldest unsealed judgments and the entries that wait; None where there are none or
    another writer was faster."""
    try:
        # Closes the race of two writers: both would begin at the same number, and the unique
        # constraints on it let one of them through.
        with transaction.atomic():
            writer = ChainWriter.at_head(event_id, now)
            batch = number_judgments(event_id, now)
            if batch:
                writer.write(iter_first_entries(event_id, batch.first_seq, batch.last_seq))
            waiting = list(LedgerEntry.objects.waiting().filter(event=event_id)[:BATCH_SIZE])
            if batch is None and not waiting:
                return None
            # After what the judgments refer to: who changed that appended a later word on it.
            writer.append(waiting)
            LedgerEntry.objects.bulk_update(waiting, ["number", "digest", "sealed_at"], 500)
            # Last, so that nothing of it can be cut off without the batch's entry.
            if batch:
                writer.write([build_batch_entry(batch)])
    except IntegrityError:
        return None
    judgments = batch.last_seq - batch.first_seq + 1 if batch else 0
    return SealedBatch(judgments, len(waiting))


def number_judgments(event_id: int, now: datetime) -> LedgerBatch | None:
    """Number the oldest unsealed judgments and seal them as a batch; None where there are none."""
    last = LedgerBatch.objects.filter(event=event_id).order_by("-last_seq").first()
    head, previous = (last.last_seq, last.digest) if last else (0, "")
    with connection.cursor() as cursor:
        cursor.execute(NUMBER_ROWS_SQL, [head, event_id, BATCH_SIZE])
        count = int(cursor.rowcount)
    if count < 1:
        return None
    digest = digest_batch(previous, event_id, head + 1, head + count)
    return LedgerBatch.objects.create(
        event_id=event_id,
        first_seq=head + 1,
        last_seq=head + count,
        digest=digest.hexdigest(),
        row_digests=bytes(digest.row_digests),
        sealed_at=now,
    )


@dataclass
class ChainWriter:
    """The end of an event's chain while a transaction adds to it."""

    event_id: int
    number: int
    digest: str
    now: datetime

    @classmethod
    def at_head(cls, event_id: int, now: datetime) -> "ChainWriter":
        last = LedgerEntry.objects.sealed().filter(event=event_id).last()
        number, digest = (last.number or 0, last.digest) if last else (0, "")
        return cls(event_id, number, digest, now)

    def append(self, entries: Iterable[LedgerEntry]) -> None:
        """Give the entries, which are yet to be saved, their places in the chain."""
        for entry in entries:
            self.number += 1
            entry.number, entry.sealed_at = self.number, self.now
            entry.digest = self.digest = digest_entry(self.digest, entry)

    def write(self, entries: Iterable[LedgerEntry]) -> None:
        """Append and save new entries."""
        listed = list(entries)
        self.append(listed)
        LedgerEntry.objects.bulk_create(listed, 500)


def build_batch_entry(batch: LedgerBatch) -> LedgerEntry:
    """The entry of a batch of judgments, not yet saved."""
    return LedgerEntry(
        event_id=batch.event_id,
        kind=JUDGMENTS_KIND.name,
        version=JUDGMENTS_KIND.version,
        subject=batch.first_seq,
        content=describe_batch(batch),
    )


def enter_earlier_batches(event_id: int, now: datetime) -> bool:
    """Enter what was sealed before there were entries, once; whether nothing of it is left.

    A waiting entry of kind "start" says how far that goes. Each batch is entered in a transaction
    of its own, so that whoever is interrupted is gone on with.
    """
    starting = LedgerEntry.objects.waiting().filter(event=event_id, kind=START_KIND.name).first()
    if starting is None:
        return True
    entered = LedgerEntry.objects.filter(event=event_id, kind=JUDGMENTS_KIND.name)
    earlier = LedgerBatch.objects.filter(event=event_id, last_seq__lte=starting.content["entered"])
    earlier = earlier.exclude(first_seq__in=entered.values("subject")).order_by("first_seq")
    try:
        for batch in earlier[:MAX_BATCHES_ENTERED]:
            # Closes the same race of two writers, as does the next one.
            with transaction.atomic():
                first = iter_first_entries(event_id, batch.first_seq, batch.last_seq)
                ChainWriter.at_head(event_id, now).write([*first, build_batch_entry(batch)])
        if earlier.exists():
            return False
        with transaction.atomic():
            writer = ChainWriter.at_head(event_id, now)
            writer.write(iter_earlier_exclusions(event_id))
            writer.append([starting])
            starting.save(update_fields=["number", "digest", "sealed_at"])
    except IntegrityError:
        return False
    return True

"""The ledger: committed judgments get their sequence number and are sealed in a hash chain.

Ids do not commit in order, so nothing that reads "everything up to here" may use them; the
ledger sequence is given by a single writer to rows that are already committed. Everything that is
computed from judgments reads up to a ledger head.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from arena.judging.models import Answer, Judgment, LedgerBatch

# Judgments sealed in one transaction.
BATCH_SIZE = 5_000

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


def seal_event(event_id: int, now: datetime) -> int:
    """Number and seal every committed judgment of the event; returns how many."""
    sealed = 0
    while batch := seal_batch(event_id, now):
        sealed += batch
        if batch < BATCH_SIZE:
            break
    return sealed


def seal_batch(event_id: int, now: datetime) -> int:
    """Seal the oldest unsealed judgments; 0 where there are none or another writer was faster."""
    last = LedgerBatch.objects.filter(event=event_id).order_by("-last_seq").first()
    head, digest = (last.last_seq, last.digest) if last else (0, "")
    try:
        # Closes the race of two writers: both would begin at the same number, and the unique
        # constraints on it let one of them through.
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(NUMBER_ROWS_SQL, [head, event_id, BATCH_SIZE])
                count = int(cursor.rowcount)
            if count < 1:
                return 0
            LedgerBatch.objects.create(
                event_id=event_id,
                first_seq=head + 1,
                last_seq=head + count,
                digest=extend_chain(digest, event_id, head + 1, head + count),
                sealed_at=now,
            )
    except IntegrityError:
        return 0
    return count


def extend_chain(previous: str, event_id: int, first_seq: int, last_seq: int) -> str:
    """The batch's digest: SHA-256 over the previous digest and the canonical JSON of each row."""
    running = hashlib.sha256(previous.encode())
    for row in iter_sealed_rows(event_id, first_seq, last_seq):
        running.update(json.dumps(row, separators=(",", ":")).encode())
    return running.hexdigest()


def iter_sealed_rows(event_id: int, first_seq: int, last_seq: int) -> Iterator[list[Any]]:
    """The part of each judgment that the digest covers: everything that counts, and no free text.

    Free text stays outside so that a person's comments can be erased without breaking the chain.
    """
    judgments = Judgment.objects.filter(event=event_id, ledger_seq__range=(first_seq, last_seq))
    answers: dict[int, list[list[Any]]] = {}
    for judgment, *columns in (
        Answer.objects.filter(judgment__in=judgments, outcome__isnull=False)
        .order_by("question_id")
        .values_list(
            "judgment_id",
            "question_id",
            "first_id",
            "second_id",
            "outcome",
            "both_bad",
            "first_on_left",
        )
    ):
        answers.setdefault(judgment, []).append(columns)
    for pk, seq, uuid, enrollment, matchup, origin, judged_at, revises in judgments.order_by(
        "ledger_seq"
    ).values_list(
        "pk",
        "ledger_seq",
        "uuid",
        "enrollment__public_id",
        "matchup_id",
        "origin",
        "judged_at",
        "revises__uuid",
    ):
        yield [
            seq,
            str(uuid),
            str(enrollment),
            matchup,
            origin,
            judged_at.isoformat() if judged_at else None,
            str(revises) if revises else None,
            answers.get(pk, []),
        ]


def verify_ledger(event_id: int) -> LedgerBatch | None:
    """Recompute the chain; returns the first batch whose digest differs, or None if all match."""
    digest = ""
    for batch in LedgerBatch.objects.filter(event=event_id).order_by("first_seq"):
        digest = extend_chain(digest, event_id, batch.first_seq, batch.last_seq)
        if digest != batch.digest:
            return batch
    return None

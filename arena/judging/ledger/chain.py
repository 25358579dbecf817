"""The digests of the ledger: of judgments in batches, and of entries one by one."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from django.db.models import Exists, OuterRef, Q

from arena.events.ledger import encode_canonically
from arena.events.models import ImportJob, LedgerEntry
from arena.judging.models import Answer, Judgment

# Bytes of each judgment's own digest that a batch keeps.
ROW_BYTES = 8


class BatchDigest:
    """The digest of a batch of judgments, row by row.

    SHA-256 over the previous batch's digest and the canonical JSON of each row.
    """

    def __init__(self, previous: str) -> None:
        self.running = hashlib.sha256(previous.encode())
        self.row_digests = bytearray()

    def add(self, row: list[Any]) -> bytes:
        """Add a row; returns the first bytes of its own digest."""
        encoded = json.dumps(row, separators=(",", ":")).encode()
        self.running.update(encoded)
        kept = hashlib.sha256(encoded).digest()[:ROW_BYTES]
        self.row_digests += kept
        return kept

    def hexdigest(self) -> str:
        return self.running.hexdigest()


def digest_batch(previous: str, event_id: int, first_seq: int, last_seq: int) -> BatchDigest:
    """The digest of these judgments, following the previous batch's."""
    digest = BatchDigest(previous)
    for row in iter_sealed_rows(event_id, first_seq, last_seq):
        digest.add(row)
    return digest


def iter_sealed_rows(event_id: int, first_seq: int, last_seq: int) -> Iterator[list[Any]]:
    """The part of each judgment that the digest covers: everything that counts, and no free text.

    Free text, and how the answer was given, stay outside so that they can be erased without
    breaking the chain.
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


def find_out_of_order(event_id: int, first_seq: int, last_seq: int) -> int | None:
    """The first of these judgments that stands though a revision replaced it, or does not though
    none did, or that an import which is not done hides; None where there is none.

    Neither is part of a row's digest: both follow from other rows.
    """
    judgments = Judgment.objects.filter(event=event_id, ledger_seq__range=(first_seq, last_seq))
    revised = Exists(Judgment.objects.filter(revises=OuterRef("pk")))
    wrong = Q(revised, standing=True) | Q(~revised, standing=False)
    hidden = Q(import_job__isnull=False) & ~Q(import_job__state=ImportJob.State.DONE)
    places = judgments.filter(wrong | hidden).order_by("ledger_seq")
    return places.values_list("ledger_seq", flat=True).first()


def digest_entry(previous: str, entry: LedgerEntry) -> str:
    """An entry's digest: SHA-256 over the previous digest and its canonical JSON."""
    assert entry.sealed_at is not None
    said = [
        entry.number,
        entry.kind,
        entry.version,
        entry.subject,
        entry.content,
        entry.salt,
        entry.sealed_at.astimezone(UTC).isoformat(),
    ]
    return hashlib.sha256((previous + encode_canonically(said)).encode()).hexdigest()

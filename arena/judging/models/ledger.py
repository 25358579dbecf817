"""The ledger: judgments sealed in batches, and how it was found when last looked at."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from arena.events.models import (
    Event,
)


class LedgerBatch(models.Model):
    """A run of judgments sealed together: `digest` = SHA-256(previous digest ‖ its rows)."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="ledger")
    first_seq = models.PositiveBigIntegerField()
    last_seq = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)
    # The first bytes of each judgment's own digest, in their order, to name the one that differs;
    # null where it was sealed before they were kept.
    row_digests = models.BinaryField(null=True)
    sealed_at = models.DateTimeField()

    class Meta:
        get_latest_by = "last_seq"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "first_seq"], name="ledger_batch_first_once"),
            models.CheckConstraint(
                condition=Q(first_seq__lte=F("last_seq")), name="ledger_batch_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.first_seq}–{self.last_seq}"


class LedgerCheck(models.Model):
    """How an event's ledger was found when it was last verified, and how far the present pass is.

    A pass begins at the first entry and follows the ledger; a day later the next one begins.
    """

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="ledger_check")
    # The last entry that this pass has verified, and the chain's digest there.
    number = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    pass_began_at = models.DateTimeField()
    # When it was last worked on: the event that has waited longest comes first.
    looked_at = models.DateTimeField()
    # When all of it was last found as it was written, and the head then; null before that.
    verified_at = models.DateTimeField(null=True)
    verified_head = models.CharField(max_length=64, blank=True)
    # Null while nothing differs; else since when, and the first row that does.
    failed_at = models.DateTimeField(null=True)
    failure = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.event}: verified {self.verified_at}"

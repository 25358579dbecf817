"""The ledger: judgments sealed in batches."""

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

"""Entries of the ledger: what a board follows from, each as it was when it was written down."""

import secrets
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from arena.events.models.event import Event


def draw_salt() -> str:
    """128 random bits, hexadecimal: nobody can guess what is behind a published digest."""
    return secrets.token_hex(16)


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    """Chainable questions about entries."""

    def sealed(self) -> Self:
        """Entries in the chain, in its order."""
        return self.filter(number__isnull=False).order_by("number")

    def waiting(self) -> Self:
        """Entries not yet in the chain, in the order in which they will get there."""
        return self.filter(number=None).order_by("id")

    def newest_first(self) -> Self:
        """The latest word on a row first: those that wait come after all that are sealed."""
        return self.order_by(F("number").desc(nulls_first=True), "-id")


class LedgerEntry(models.Model):
    """What one row said (of a kind; the kind's version says how it is read), in a hash chain.

    `digest` = SHA-256(previous digest ‖ canonical JSON of the entry). Never edited and never
    deleted: a row that changes gets a further entry, in the transaction that changes it. The last
    digest, the head, vouches for everything before it.
    """

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="ledger_entries")
    # Its place in the event's chain; null until the sealing task has met it.
    number = models.PositiveBigIntegerField(null=True)
    kind = models.CharField(max_length=20)
    version = models.PositiveSmallIntegerField(default=1)
    # The primary key of the row; of a run of judgments its first place in the ledger.
    subject = models.PositiveBigIntegerField()
    # Texts stand in it by their digests alone; empty: the row is gone.
    content = models.JSONField(default=dict)
    salt = models.CharField(max_length=32, default=draw_salt, editable=False)
    digest = models.CharField(max_length=64, blank=True)
    sealed_at = models.DateTimeField(null=True)

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "number"], name="ledger_entry_number_once"),
            models.CheckConstraint(
                condition=Q(number=None, digest="", sealed_at=None)
                | (Q(number__isnull=False, sealed_at__isnull=False) & ~Q(digest="")),
                name="ledger_entry_sealed_or_not",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["event", "kind", "subject"], name="ledger_entry_subject"),
            models.Index(
                fields=["event", "id"], condition=Q(number=None), name="ledger_entry_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} #{self.number}: {self.kind} {self.subject}"

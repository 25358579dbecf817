"""Computed leaderboards. Everything here can be deleted and rebuilt from judgments."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from arena.events.models import Category, Competitor, Event


class Snapshot(models.Model):
    """A leaderboard computed at a point in time; a sealed one ends a round and stays for ever."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="snapshots")
    created_at = models.DateTimeField()
    # What it was computed from: the ledger's head, and everything else that moves the numbers.
    ledger_seq = models.PositiveBigIntegerField()
    fingerprint = models.CharField(max_length=64)
    judgments = models.PositiveIntegerField()
    contributors = models.PositiveIntegerField()
    # Judgments by origin, votes over time, head-to-head counts: what the page shows beside rows.
    details = models.JSONField(default=dict)
    # Null unless sealed; the name of the round.
    name = models.CharField(max_length=80, null=True)
    sealed_at = models.DateTimeField(null=True)

    class Meta:
        get_latest_by = "id"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "name"], name="snapshot_name_once"),
            models.CheckConstraint(
                condition=Q(name=None, sealed_at=None)
                | Q(name__isnull=False, sealed_at__isnull=False),
                name="snapshot_sealed_is_named",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.event} @{self.ledger_seq}"


class Board(models.Model):
    """Points at the snapshot that an event's public pages show; flipped in one statement."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="board")
    current_snapshot = models.ForeignKey(
        Snapshot, on_delete=models.PROTECT, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"board of {self.event}"


class Rating(models.Model):
    """One competitor's row of one board of a snapshot. Strengths are natural-log, mean 0."""

    class Weighting(models.TextChoices):
        RAW = "raw"
        WEIGHTED = "weighted"

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="ratings")
    competitor = models.ForeignKey(Competitor, on_delete=models.CASCADE, related_name="ratings")
    # Null: all records.
    category = models.ForeignKey(Category, on_delete=models.CASCADE, null=True, related_name="+")
    weighting = models.CharField(max_length=8, choices=Weighting.choices)
    # Null where the votes do not determine it ("not ranked"), with the reason in `status`.
    strength = models.FloatField(null=True)
    lower = models.FloatField(null=True)
    upper = models.FloatField(null=True)
    elo = models.FloatField(null=True)
    rank = models.PositiveIntegerField(null=True)
    rank_low = models.PositiveIntegerField(null=True)
    rank_high = models.PositiveIntegerField(null=True)
    # Competitors of one class cannot be told apart from its first.
    tier = models.PositiveIntegerField(null=True)
    votes = models.PositiveIntegerField()
    wins = models.PositiveIntegerField()
    ties = models.PositiveIntegerField()
    losses = models.PositiveIntegerField()
    # Competitors of different components share no scale.
    component = models.PositiveIntegerField(default=0)
    # "", "provisional", "undefeated", "winless", "no_votes".
    status = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["snapshot", "category", "weighting", "competitor"],
                name="rating_once_per_category",
            ),
            models.UniqueConstraint(
                fields=["snapshot", "weighting", "competitor"],
                condition=Q(category=None),
                name="rating_once_overall",
            ),
            models.CheckConstraint(
                condition=Q(strength=None, lower=None, upper=None)
                | Q(lower__lte=F("strength"), upper__gte=F("strength")),
                name="rating_inside_interval",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.competitor} in {self.snapshot}"

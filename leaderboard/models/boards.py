"""Snapshots of the boards, their rows, and which of them the public sees."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from arena.events.models import Category, Competitor, Event, Question


class SnapshotQuerySet(models.QuerySet["Snapshot"]):
    """Chainable questions about snapshots."""

    def published(self) -> Self:
        """Snapshots that the public pages have shown, oldest first."""
        return self.filter(published_at__isnull=False).order_by("id")

    def disposable(self) -> Self:
        """Snapshots that no board points at and that end no round."""
        return self.filter(sealed_at=None, board=None, category_boards=None)


class Snapshot(models.Model):
    """A leaderboard computed at a point in time; a sealed one ends a round and stays for ever."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="snapshots")
    created_at = models.DateTimeField()
    # What it was computed from: the ledger's head, and everything else that moves the numbers.
    ledger_seq = models.PositiveBigIntegerField()
    fingerprint = models.CharField(max_length=64)
    # The same without the method: by which means it was computed. Empty where that was not kept.
    content = models.CharField(max_length=64, blank=True, default="", db_default="")
    # `refresh.METHOD` of the code that computed it.
    method = models.PositiveSmallIntegerField(default=4, db_default=4)
    # Of every role, and late ones while the event runs: a number without them would tell them.
    judgments = models.PositiveIntegerField()
    contributors = models.PositiveIntegerField()
    # What pages say beside the rows (leaderboard/boards/snapshot_details.py); emptied once
    # superseded.
    details = models.JSONField(default=dict)
    # When the public pages began to show it; null while held back by the event's publish_batch.
    published_at = models.DateTimeField(null=True)
    # Null unless sealed; the name of the round.
    name = models.CharField(max_length=80, null=True)
    sealed_at = models.DateTimeField(null=True)

    objects = SnapshotQuerySet.as_manager()

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
    current_snapshot = models.OneToOneField(
        Snapshot, on_delete=models.PROTECT, null=True, related_name="board"
    )
    # Until when a worker has this board to itself; null while nobody computes it.
    claimed_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"board of {self.event}"

    @classmethod
    def claim(cls, event: Event, now: datetime, until: datetime) -> bool:
        """Whether this worker may compute the event's board now.

        Closes the race of two workers: both run this UPDATE, and one of them changes a row. A
        claim expires, so that a killed worker does not block others for long.
        """
        cls.objects.get_or_create(event=event)
        free = cls.objects.filter(Q(claimed_until=None) | Q(claimed_until__lte=now), event=event)
        return free.update(claimed_until=until) == 1

    @classmethod
    def release(cls, event: Event, until: datetime) -> None:
        """Release the claim that expires at this moment; another worker's is left alone."""
        cls.objects.filter(event=event, claimed_until=until).update(claimed_until=None)


class CategoryBoard(models.Model):
    """Points at the snapshot from which a category's board is shown while a running event hides
    its controls: a category waits for a batch of its own. Without a row it is not shown yet."""

    category = models.OneToOneField(Category, on_delete=models.CASCADE, related_name="board")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="category_boards")

    def __str__(self) -> str:
        return f"board of {self.category}"


class Rating(models.Model):
    """One competitor's row of one board of a snapshot. Strengths are natural-log, mean 0."""

    class Weighting(models.TextChoices):
        RAW = "raw", _("Every vote equal")
        WEIGHTED = "weighted", _("Weighted by reliability")
        STYLE = "style", _("Style controlled")

    class Status(models.TextChoices):
        """Why a row has no rank, or is marked; empty for an ordinary one. What readers are told
        of it stands in leaderboard/boards/not_ranked.py."""

        PROVISIONAL = "provisional"
        UNDEFEATED = "undefeated"
        WINLESS = "winless"
        SEPARATED = "separated"
        NO_VOTES = "no_votes"

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="ratings")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="+")
    # Null: all records.
    category = models.ForeignKey(Category, on_delete=models.CASCADE, null=True, related_name="+")
    weighting = models.CharField(max_length=8, choices=Weighting.choices)
    competitor = models.ForeignKey(Competitor, on_delete=models.CASCADE, related_name="ratings")
    # Null where the votes do not determine it, so that it is not ranked: `status` says why.
    strength = models.FloatField(null=True)
    # Null too where the votes are too few to say how sure the strength is.
    lower = models.FloatField(null=True)
    upper = models.FloatField(null=True)
    # Sequential, in ledger order; null on all but raw boards and without votes.
    elo = models.FloatField(null=True)
    rank = models.PositiveIntegerField(null=True)
    rank_low = models.PositiveIntegerField(null=True)
    rank_high = models.PositiveIntegerField(null=True)
    # The Chatbot Arena's "Rank (UB)", see leaderboard/ratings/inference/ranks.py.
    rank_upper_bound = models.PositiveIntegerField(null=True)
    # The interval of whoever is in a class overlaps that of its first, but in the last class.
    tier = models.PositiveIntegerField(null=True)
    votes = models.PositiveIntegerField()
    wins = models.PositiveIntegerField()
    ties = models.PositiveIntegerField()
    losses = models.PositiveIntegerField()
    # Competitors of different components share no scale; null without votes.
    component = models.PositiveIntegerField(null=True)
    status = models.CharField(max_length=12, choices=Status.choices, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["snapshot", "question", "category", "weighting", "competitor"],
                name="rating_once_per_category",
            ),
            models.UniqueConstraint(
                fields=["snapshot", "question", "weighting", "competitor"],
                condition=Q(category=None),
                name="rating_once_overall",
            ),
            models.CheckConstraint(
                condition=Q(lower=None, upper=None)
                | Q(strength__isnull=False, lower__lte=F("strength"), upper__gte=F("strength")),
                name="rating_inside_interval",
            ),
            models.CheckConstraint(
                condition=Q(rank=None) | Q(strength__isnull=False), name="rating_ranked_is_rated"
            ),
            models.CheckConstraint(
                condition=Q(votes=F("wins") + F("ties") + F("losses")), name="rating_votes_add_up"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.competitor} in {self.snapshot}"

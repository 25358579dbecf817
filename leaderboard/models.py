"""What follows from judgments: snapshots of the boards, their rows, and contributors' standings.

All of it is derived and can be deleted and rebuilt from judgments and settings, except confirmed
winners and notices.
"""

import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from arena.events.models import Category, Competitor, Enrollment, Event, Question
from arena.people.models import User
from leaderboard.trust.reliability import LIMIT


class SnapshotQuerySet(models.QuerySet["Snapshot"]):
    """Chainable questions about snapshots."""

    def published(self) -> Self:
        """Snapshots that the public pages have shown, oldest first."""
        return self.filter(published_at__isnull=False).order_by("id")

    def disposable(self) -> Self:
        """Snapshots that no board points at and that end no round."""
        return self.filter(sealed_at=None, board=None)


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
    # Counted ones of every role: a number without the controls would give them away.
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


class StandingQuerySet(models.QuerySet["Standing"]):
    """Chainable questions about standings."""

    def as_shown(self) -> Self:
        """In the order that people see while the event runs: by shown rank, then by judgments."""
        return self.order_by(F("rank").asc(nulls_last=True), "-judgments", "enrollment")

    def by_score(self) -> Self:
        """By exact score, for events that are over; contributors without a score come last."""
        return self.order_by(F("score").desc(nulls_last=True), "-judgments", "enrollment")


class Standing(models.Model):
    """A contributor's place among an event's contributors: counted judgments of every role.

    The number of judgments is live and everybody sees it. Quality and score are exact and no page
    shows them before the event is over; until then people see rank and band, which move in steps
    (see leaderboard/contributors/scores.py).
    """

    class Band(models.IntegerChoices):
        UNCLEAR = 1, _("Not told apart from chance yet")
        FAIR = 2, _("Fair")
        GOOD = 3, _("Good")
        VERY_GOOD = 4, _("Very good")
        EXCELLENT = 5, _("Excellent")

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="standings")
    enrollment = models.OneToOneField(Enrollment, on_delete=models.CASCADE, related_name="standing")
    judgments = models.PositiveIntegerField()
    # How many of them a program made.
    simulated = models.PositiveIntegerField()
    # How many of them count towards the score: those of a day up to the event's daily cap.
    scored = models.PositiveIntegerField(default=0, db_default=0)
    # In millionths; null below ten controls, and the score, scored × quality, with it.
    quality = models.PositiveBigIntegerField(null=True)
    score = models.PositiveBigIntegerField(null=True)
    # As shown while the event runs; null: not rated yet.
    rank = models.PositiveIntegerField(null=True)
    band = models.PositiveSmallIntegerField(choices=Band.choices, null=True)

    objects = StandingQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(simulated__lte=F("judgments")), name="standing_simulated_among_all"
            ),
            models.CheckConstraint(
                condition=Q(quality=None, score=None)
                | Q(quality__isnull=False, score__isnull=False),
                name="standing_scored_has_quality",
            ),
            # Whoever is not told apart from chance has a band and no place.
            models.CheckConstraint(
                condition=Q(rank=None, band=None)
                | Q(rank=None, band=1)
                | Q(rank__gte=1, band__isnull=False, band__gte=1, band__lte=5),
                name="standing_placed_has_band",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["event", "rank", "-judgments", "enrollment"], name="standing_order"
            ),
            models.Index(fields=["event", "-score"], name="standing_score"),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment}: {self.judgments}"


class ReliabilityFit(models.Model):
    """What the reliabilities of an event's contributors were computed from, all at once."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="reliability_fit")
    # The place in the ledger up to which judgments were looked at; 0 before the first time.
    ledger_seq = models.PositiveBigIntegerField(default=0)
    fingerprint = models.CharField(max_length=64, blank=True)
    # Counted answers to controls among them; without any, all rests on agreement.
    controls = models.PositiveIntegerField(default=0)
    # Weight of a vote of somebody of whom nothing is known, in units of 2**-12.
    newcomer = models.PositiveSmallIntegerField(default=0)
    # Mean and standard deviation of the log seconds of answers, each person weighing alike; null
    # with fewer than two.
    pace_mean = models.FloatField(null=True)
    pace_spread = models.FloatField(null=True)
    computed_at = models.DateTimeField(null=True)
    # Until when a worker has it to itself; null while nobody computes it.
    claimed_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.event} @{self.ledger_seq}"


class Reliability(models.Model):
    """How far a contributor can be trusted, by the judgments up to a place in the ledger.

    Excluded contributors are held against the others and change nothing for them. R is about 1 for
    whoever reads as readers do and 0 for whoever does not; errors are standard errors.
    """

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="reliabilities")
    enrollment = models.OneToOneField(
        Enrollment, on_delete=models.CASCADE, related_name="reliability"
    )
    judgments = models.PositiveIntegerField()
    # Answers to controls, and how many of them were as expected.
    controls = models.PositiveIntegerField()
    passed = models.PositiveIntegerField()
    # P(reads); as a weight in units of 2**-12.
    reads = models.FloatField()
    weight = models.PositiveSmallIntegerField()
    # R by all answers, by controls alone, and by all others.
    overall = models.FloatField()
    overall_error = models.FloatField()
    on_controls = models.FloatField()
    on_controls_error = models.FloatField()
    on_others = models.FloatField()
    on_others_error = models.FloatField()
    # Agreement with controls beyond chance; null below two controls.
    kappa = models.FloatField(null=True)
    kappa_error = models.FloatField(null=True)
    # In millionths, null below ten controls: by all answers, and by those behind what is shown.
    quality = models.PositiveIntegerField(null=True)
    shown_quality = models.PositiveIntegerField(null=True)
    # Preferences by side, where it is known.
    left = models.PositiveIntegerField()
    ties = models.PositiveIntegerField()
    right = models.PositiveIntegerField()
    # Mean natural logarithm of seconds from shown to answered; null where it is unknown.
    pace = models.FloatField(null=True)
    # Share of their answers to what others judged, too, that agree with these; null without any.
    agreement = models.FloatField(null=True)
    agreement_low = models.FloatField(null=True)
    agreement_high = models.FloatField(null=True)
    # How many of their answers others judged, too.
    compared = models.PositiveIntegerField(default=0)
    # The same of their answers to controls, which the others leave out.
    agreement_on_controls = models.FloatField(null=True)
    compared_on_controls = models.PositiveIntegerField(default=0)
    # z of how well their own votes predict each other; null below thirty votes.
    consistency = models.FloatField(null=True)
    # Natural logarithms: of the likelihood ratio for lifting or lowering one model, and of the
    # e-process against going by responses.
    rig_evidence = models.FloatField()
    rig_model = models.ForeignKey(Competitor, on_delete=models.CASCADE, null=True, related_name="+")
    rig_lifts = models.BooleanField(default=False)
    side_evidence = models.FloatField()
    # Whether they do much better on controls than on all else.
    has_gap = models.BooleanField(default=False)
    # [[question, competitor, P(rig) in units of 2**-12]], where that is not nothing.
    rigged = models.JSONField(default=list)
    # [[ledger_seq, what it says for their reading as a natural logarithm]], the strongest each way.
    strongest = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "reliabilities"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(reads__gte=0.0, reads__lte=1.0), name="reliability_reads_probability"
            ),
            models.CheckConstraint(
                condition=Q(passed__lte=F("controls")), name="reliability_passed_among_controls"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment}: {self.overall:.2f}"

    @property
    def overall_reach(self) -> float:
        """How far the 90% interval of R reaches either way."""
        return LIMIT * self.overall_error


class Winner(models.Model):
    """The contributor whom an organizer confirmed as the winner of an event, after review.

    A decision, not a number: the one row here that no rebuild brings back.
    """

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="winner")
    enrollment = models.OneToOneField(Enrollment, on_delete=models.CASCADE, related_name="+")
    confirmed_at = models.DateTimeField()
    # Null: somebody who has left since.
    confirmed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.enrollment} wins {self.event}"


class Notice(models.Model):
    """A message to one contributor, shown on the site until read, and mailed once if they have
    confirmed an address. It is deleted with their account."""

    class Kind(models.TextChoices):
        NOTE = "note", _("From the organizers")
        RESULT = "result", _("The result is published")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="notices")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    # A note's words; a result has none: their place is looked up where it is shown.
    text = models.TextField(blank=True)
    created_at = models.DateTimeField()
    # Null: the site itself, or somebody who has left since.
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    # Null: not sent by mail.
    mailed_at = models.DateTimeField(null=True)
    # Null: not read on the site yet.
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["event", "user"], condition=Q(kind="result"), name="notice_result_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], condition=Q(mailed_at=None), name="notice_unmailed")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.event} to {self.user}"


class Exposure(models.Model):
    """What accounts that compare notes could find out about an event's controls, as simulated from
    its numbers (leaderboard/contributors/exposure.py)."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="exposure")
    # Of the numbers that the result is about; it is stale where the event has others.
    fingerprint = models.CharField(max_length=64)
    result = models.JSONField()
    computed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"exposure of {self.event}"

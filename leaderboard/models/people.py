"""What follows about contributors: how far they can be trusted, their places, and how well controls
hide from them."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from arena.events.models import Competitor, Enrollment, Event
from leaderboard.trust.reliability import LIMIT


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

    The number of judgments is live, everybody sees it, and it includes late ones while the event
    runs. Quality and score no page shows before the event is over, when they are exact; until then
    people see rank and band, which move in steps with the public boards
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
    # The same of what is shown of contributors while the event runs: no further than its board.
    shown_seq = models.PositiveBigIntegerField(default=0)
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
    # Whether they pass the controls and judge otherwise than the others elsewhere.
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

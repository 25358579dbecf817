"""What follows about cases: what the board and the prize would be without their contributors."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from arena.judging.models import Case


class CaseEffect(models.Model):
    """What hangs on an open case, and how soon somebody should look at it
    (leaderboard/snapshots/case_effects.py). Of a decided case it stays as it was when decided.
    """

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="effect")
    # What the queue is ordered by: evidence times influence; 0 of a further claim about somebody.
    priority = models.FloatField()
    # Natural logarithm of how surprising the claim's evidence would be of an honest reader.
    evidence = models.FloatField()
    # From 0 (no difference without them) to 1 (another is first).
    on_first = models.FloatField(default=0.0)
    on_prize = models.FloatField(default=0.0)
    # `BoardWithout` by weighting, and `PrizeWithout` (leaderboard/boards/without.py); empty before
    # they are computed.
    boards = models.JSONField(default=dict)
    prize = models.JSONField(default=dict)
    # Of what they were computed from; empty before.
    fingerprint = models.CharField(max_length=64, blank=True)
    computed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(on_first__gte=0.0, on_first__lte=1.0)
                & Q(on_prize__gte=0.0, on_prize__lte=1.0),
                name="case_effect_influence_is_share",
            ),
            models.CheckConstraint(
                condition=Q(priority__gte=0.0, evidence__gte=0.0), name="case_effect_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"effect of {self.case}"

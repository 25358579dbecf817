"""How often pairs of competitors are drawn where an event chooses actively."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from arena.events.models import Event


class PairWeight(models.Model):
    """What one more vote on a pair is worth, and its probability of being drawn.

    Left by the boards' task for the pairs that have open matchups; it can be deleted and comes
    back with the next snapshot.
    """

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="pair_weights")
    # As in `Matchup.pair`.
    pair = models.CharField(max_length=40)
    weight = models.FloatField()
    # Of this pair among the event's, which sum to 1.
    probability = models.FloatField()
    # The sum of the probabilities up to this row: a number below 1 belongs to the first row whose
    # `upper` is above it.
    upper = models.FloatField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "pair"], name="pair_weight_once"),
            models.CheckConstraint(condition=Q(weight__gte=0), name="pair_weight_not_negative"),
            models.CheckConstraint(
                condition=Q(probability__gt=0) & Q(probability__lte=1),
                name="pair_weight_probability",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["event", "upper"], name="pair_weight_drawing")]

    def __str__(self) -> str:
        return f"{self.pair}: {self.weight:g}"

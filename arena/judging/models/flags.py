"""Flags: what contributors report about a matchup."""

from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from arena.judging.models.assignments import Assignment
from arena.people.models import User


class FlagQuerySet(models.QuerySet["Flag"]):
    """Chainable questions about flags."""

    def waiting(self) -> Self:
        """Flags neither resolved nor withdrawn."""
        return self.filter(resolved_at=None, withdrawn_at=None)


class Flag(models.Model):
    """A contributor's report that something about a matchup is wrong."""

    class Reason(models.TextChoices):
        BROKEN = "broken", _("Something is broken or cut off")
        HARMFUL = "harmful", _("It is harmful or offensive")
        RECOGNISED = "recognised", _("I recognised a model")
        PERSONAL = "personal", _("It holds personal data")
        OTHER = "other", _("Something else")

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="flags")
    reason = models.CharField(max_length=12, choices=Reason.choices)
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    # Null unless its author answered the matchup after all.
    withdrawn_at = models.DateTimeField(null=True)
    # Null until an organizer or reviewer has dealt with it.
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = FlagQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["assignment"], name="flag_once_per_assignment")
        ]

    def __str__(self) -> str:
        return f"{self.reason} on {self.assignment}"

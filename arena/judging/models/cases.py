"""Cases: questions about a contributor that a person has to decide."""

import uuid
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from arena.events.models import Decision, Enrollment, Event
from arena.judging.models.exclusions import Exclusion
from arena.people.models import User


class CaseQuerySet(models.QuerySet["Case"]):
    """Chainable questions about cases."""

    def waiting(self) -> Self:
        """Cases that nobody has decided."""
        return self.filter(state=Case.State.OPEN)


class Case(models.Model):
    """A question about a contributor: what is claimed, on what evidence, and how it ended.

    Opened by a screen or with an exclusion; dismissed, or ended by a warning, a block or an
    exclusion, by a person, or by the event's automatic rule. No page for contributors reads it.
    """

    class Reason(models.TextChoices):
        RIGGING = "rigging", _("Lifts or lowers one model")
        SIDES = "sides", _("Goes by sides, not by responses")
        GAP = "gap", _("Judges otherwise than others")
        TWIN = "twin", _("Answers as another account does")
        UNRELIABLE = "unreliable", _("Does not read")
        REVIEW = "review", _("Excluded on review")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DISMISSED = "dismissed", _("Dismissed")
        WARNED = "warned", _("Warned")
        BLOCKED = "blocked", _("Blocked")
        EXCLUDED = "excluded", _("Excluded")
        REINSTATED = "reinstated", _("Reinstated")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="cases")
    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="cases")
    reason = models.CharField(max_length=12, choices=Reason.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    # The figures when it was opened: numbers by name.
    evidence = models.JSONField(default=dict)
    # Their counted judgments then: a dismissed question is asked again at twice as many.
    judgments = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    # Null: the site.
    opened_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    # Null while open.
    decided_at = models.DateTimeField(null=True)
    # Null while open, and where the event's automatic rule decided.
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    note = models.TextField(blank=True)
    # Null while open, and of cases from before decisions were recorded.
    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )
    # Null unless it ended in one of the contributor as a whole.
    exclusion = models.OneToOneField(
        Exclusion, on_delete=models.SET_NULL, null=True, related_name="case"
    )

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["opened_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["enrollment", "reason"], condition=Q(state="open"), name="case_open_once"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None)
                | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="case_decided_has_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["event", "opened_at"], condition=Q(state="open"), name="case_open")
        ]

    def __str__(self) -> str:
        return f"{self.reason} of {self.enrollment}"

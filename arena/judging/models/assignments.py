"""Matchups leased to contributors."""

import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from arena.events.models import (
    Enrollment,
    Guidelines,
    Matchup,
)
from arena.judging.behaviour import CODE_LENGTH


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    """Chainable questions about assignments."""

    def live(self) -> Self:
        """Assignments that keep their matchup for somebody: reserved or shown."""
        return self.filter(state__in=Assignment.LIVE_STATES)

    def lapsed(self, now: datetime) -> Self:
        """Shown assignments whose lease has run out."""
        return self.filter(state=Assignment.State.SHOWN, lease_until__lte=now)

    def undoable_skips(self, now: datetime) -> Self:
        """Skipped assignments that can still be undone; until then they keep their slot."""
        return self.filter(state=Assignment.State.SKIPPED, lease_until__gt=now)

    def unreleased_skips(self, now: datetime) -> Self:
        """Skipped assignments that still hold a slot although they can no longer be undone."""
        return self.filter(state=Assignment.State.SKIPPED, holds_slot=True, lease_until__lte=now)


class Assignment(models.Model):
    """A matchup leased to one enrollment, with the side order drawn for it."""

    class State(models.TextChoices):
        RESERVED = "reserved"
        SHOWN = "shown"
        DONE = "done"
        SKIPPED = "skipped"
        EXPIRED = "expired"

    LIVE_STATES: ClassVar = ("reserved", "shown")
    # Those in which a contributor has met, or is about to meet, the matchup.
    MET_STATES: ClassVar = ("reserved", "shown", "done")

    class SkipReason(models.TextChoices):
        UNCLEAR = "unclear", _("I don’t understand the prompt")
        EXPERTISE = "expertise", _("I don’t know the subject well enough")
        LANGUAGE = "language", _("I don’t read this language")
        LENGTH = "length", _("Too long")
        OTHER = "other", _("Something else")
        FLAGGED = "flagged", _("Reported")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="assignments")
    matchup = models.ForeignKey(Matchup, on_delete=models.CASCADE, related_name="assignments")
    # 1, 2, 3 … per enrollment; the control schedule follows it.
    ordinal = models.PositiveIntegerField()
    # Canonical positions of the responses from left to right, as drawn: [1, 0].
    order = models.JSONField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.RESERVED)
    # Whether it counts towards the overlap of its matchup: `open_slots` is what is left beside.
    holds_slot = models.BooleanField(default=False)
    guidelines = models.ForeignKey(Guidelines, on_delete=models.PROTECT, null=True)
    reserved_at = models.DateTimeField()
    # Null while only reserved.
    shown_at = models.DateTimeField(null=True)
    # Until when it is held for this person; once skipped: for a change of mind.
    lease_until = models.DateTimeField()
    # Null until done, skipped or expired.
    finished_at = models.DateTimeField(null=True)
    skip_reason = models.CharField(max_length=12, choices=SkipReason.choices, blank=True)
    # Probability with which its pair of competitors was drawn; null where pairs were not weighed.
    # A control has that of the ordinary matchup whose turn it took.
    probability = models.FloatField(null=True)
    # How its first answer was given (arena/judging/behaviour.py); null where nothing was measured,
    # and once the person is erased. Nothing but the desk's hints reads it.
    behaviour = models.CharField(max_length=CODE_LENGTH, null=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["enrollment", "ordinal"], name="assignment_ordinal_once"
            ),
            models.UniqueConstraint(
                fields=["enrollment"], condition=Q(state="shown"), name="assignment_one_shown"
            ),
            models.UniqueConstraint(
                fields=["enrollment", "matchup"],
                condition=Q(state__in=("reserved", "shown", "done")),
                name="assignment_matchup_once",
            ),
            models.CheckConstraint(
                condition=Q(state="reserved") | Q(state="expired") | Q(shown_at__isnull=False),
                name="assignment_shown_at_set",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["enrollment", "ordinal"],
                condition=Q(state__in=("reserved", "shown")),
                name="assignment_live",
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(state="skipped", holds_slot=True),
                name="assignment_held_skips",
            ),
        ]

    def __str__(self) -> str:
        return str(self.uuid)

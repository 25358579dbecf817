"""Appeals: contributors' objections to their exclusion."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from arena.events.models import Decision, Enrollment, Event
from arena.judging.models.exclusions import Exclusion
from arena.people.models import User

MAX_APPEAL = 1_000
# An appeal unanswered for so long heads the queue, and the public record counts it.
ANSWER_PERIOD = timedelta(days=7)


class AppealQuerySet(models.QuerySet["Appeal"]):
    """Chainable questions about appeals."""

    def waiting(self) -> Self:
        """Appeals that nobody has answered."""
        return self.filter(state=Appeal.State.OPEN)

    def overdue(self, now: datetime) -> Self:
        """Appeals that have waited for an answer for too long."""
        return self.waiting().filter(opened_at__lte=now - ANSWER_PERIOD)


class Appeal(models.Model):
    """A contributor's objection to a decision that excluded judgments of theirs.

    Its texts are erased with the person; the decision that answered it stays.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        GRANTED = "granted", _("Granted")
        DECLINED = "declined", _("Declined")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="appeals")
    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="appeals")
    # The decision objected to; null for exclusions from before decisions were recorded, which are
    # those of the contributor as a whole.
    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, null=True, related_name="appeals"
    )
    text = models.TextField(validators=[MaxLengthValidator(MAX_APPEAL)])
    opened_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    # Both null while open.
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    # What its author reads; empty while open, where the judgments were reinstated otherwise, and
    # where its author had left.
    answer = models.TextField(blank=True)
    # Whether whoever had decided answered, because the event has nobody else.
    is_answered_by_decider = models.BooleanField(default=False)

    objects = AppealQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["opened_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["enrollment"], condition=Q(state="open"), name="appeal_open_once"
            ),
            models.CheckConstraint(
                condition=Q(state="open", answered_at=None)
                | (~Q(state="open") & Q(answered_at__isnull=False)),
                name="appeal_answered_has_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["event", "opened_at"], condition=Q(state="open"), name="appeal_open"
            )
        ]

    def __str__(self) -> str:
        return f"Appeal of {self.enrollment}"

    def is_about(self, exclusion: Exclusion) -> bool:
        """Whether it objects to this exclusion."""
        if self.decision_id is not None:
            return exclusion.decision_id == self.decision_id
        return exclusion.decision_id is None and exclusion.enrollment_id == self.enrollment_id

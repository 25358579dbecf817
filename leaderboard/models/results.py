"""Winners and notices: decisions and messages, which no rebuild brings back."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from arena.events.models import Enrollment, Event
from arena.people.models import User


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

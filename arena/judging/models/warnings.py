"""Warnings: what a reviewer tells a contributor, once, before anything worse happens."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from arena.events.models import Enrollment
from arena.judging.models.cases import Case
from arena.people.models import User


class ReviewWarning(models.Model):
    """A reviewer's kind word to a contributor, shown once, before their next matchup.

    Its text is erased with the person.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="warnings")
    # Null: sent without a case.
    case = models.ForeignKey(Case, on_delete=models.SET_NULL, null=True, related_name="warnings")
    # The reviewer's own words below the site's; empty: none.
    text = models.TextField(blank=True)
    sent_at = models.DateTimeField()
    # Null: somebody who has left since.
    sent_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    # Null until they have said that they read it, or it was withdrawn.
    read_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["sent_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["enrollment"],
                condition=Q(read_at=None, withdrawn_at=None),
                name="warning_unread_once",
            )
        ]

    def __str__(self) -> str:
        return f"Warning of {self.enrollment}"

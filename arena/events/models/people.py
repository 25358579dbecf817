"""Who has to do with an event: offices, enrollments, invitations, applications."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from arena.events.models.event import Event, Guidelines, Terms
from arena.people.models import User


class Membership(models.Model):
    """A person's office in an event. Contributors have an Enrollment instead."""

    class Role(models.TextChoices):
        ORGANIZER = "organizer", _("Organizer")
        REVIEWER = "reviewer", _("Reviewer")
        READER = "reader", _("Reader")

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "user"], name="membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role} of {self.event}"


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    """Chainable questions about contributors."""

    def not_excluded(self) -> "EnrollmentQuerySet":
        """Contributors whom no exclusion in force names: those that pages count."""
        named = Enrollment.objects.filter(exclusions__isnull=False, exclusions__lifted_at=None)
        return self.exclude(pk__in=named.values("pk"))


class Enrollment(models.Model):
    """A contributor (or a judging machine) in one event."""

    class Kind(models.TextChoices):
        HUMAN = "human"
        MACHINE = "machine"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="enrollments")
    # Null: imported or simulated contributors, machines, and people who left and were erased.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="enrollments",
    )
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.HUMAN)
    # Public, stable within the event, says nothing about the person.
    pseudonym = models.CharField(max_length=60)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # The identifier this contributor had where the votes were collected; null on screen.
    external_id = models.CharField(max_length=200, null=True)
    joined_at = models.DateTimeField()
    # The version of the guidelines this person has read; null before the first.
    guidelines = models.ForeignKey(Guidelines, on_delete=models.PROTECT, null=True)
    guidelines_at = models.DateTimeField(null=True)
    # The version of the terms this person has accepted, and when; null where nobody was asked
    # (imported, simulated).
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, null=True)
    terms_at = models.DateTimeField(null=True)
    # Null while taking part. Who has left is nobody any more: the user is null as well.
    left_at = models.DateTimeField(null=True)
    # Null while they may judge; what they have judged goes on counting.
    blocked_at = models.DateTimeField(null=True)
    # Whether a reviewer's warning waits to be read.
    has_warning = models.BooleanField(default=False, db_default=False)
    # Assignments served so far: the ordinal that the control schedule follows.
    served = models.PositiveIntegerField(default=0)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "user"], name="enrollment_once"),
            models.UniqueConstraint(
                fields=["event", "pseudonym"], name="enrollment_pseudonym_once"
            ),
            models.UniqueConstraint(
                fields=["event", "external_id"], name="enrollment_external_id_once"
            ),
            models.CheckConstraint(
                condition=Q(terms=None, terms_at=None)
                | Q(terms__isnull=False, terms_at__isnull=False),
                name="enrollment_terms_dated",
            ),
            models.CheckConstraint(
                condition=Q(left_at=None) | Q(user=None), name="enrollment_left_is_nobody"
            ),
        ]

    def __str__(self) -> str:
        return self.pseudonym


class Invitation(models.Model):
    """A link that gives whoever opens it a role in an event, a limited number of times."""

    class Role(models.TextChoices):
        ORGANIZER = "organizer", _("Organizer")
        REVIEWER = "reviewer", _("Reviewer")
        READER = "reader", _("Reader")
        CONTRIBUTOR = "contributor", _("Contributor")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=11, choices=Role.choices)
    # SHA-256 of the link's token, hexadecimal.
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    # Null: made by a command, or by somebody who has left.
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    # Null: until it is used up.
    expires_at = models.DateTimeField(null=True)
    uses_left = models.PositiveIntegerField(default=1)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.role} of {self.event}"


class Application(models.Model):
    """Somebody asks to be let into a private event that wants approval."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="applications")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="applications")
    asked_at = models.DateTimeField()
    # Both null while nobody has decided.
    decided_at = models.DateTimeField(null=True)
    granted = models.BooleanField(null=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["asked_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "user"], name="application_once"),
            models.CheckConstraint(
                condition=Q(decided_at=None, granted=None)
                | Q(decided_at__isnull=False, granted__isnull=False),
                name="application_decision_dated",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} to {self.event}"

"""Judgments and their answers, and which of them count."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from arena.events.models import (
    Enrollment,
    Event,
    Guidelines,
    ImportJob,
    Matchup,
    Question,
    Response,
)
from arena.judging.models.assignments import Assignment
from arena.judging.models.exclusions import Exclusion


class Origin(models.TextChoices):
    """Where a judgment came from."""

    SCREEN = "screen", _("Judged here")
    IMPORTED = "imported", _("Imported")
    SIMULATED = "simulated", _("Simulated")
    MACHINE = "machine", _("Machine")


class JudgmentQuerySet(models.QuerySet["Judgment"]):
    """Chainable questions about judgments."""

    def landed(self) -> Self:
        """Judgments made here, and those of finished imports."""
        return self.filter(Q(import_job=None) | Q(import_job__state=ImportJob.State.DONE))

    def standing(self) -> Self:
        """The latest revision of each judgment; those of unfinished imports are left out."""
        return self.filter(standing=True).landed()

    def counted(self) -> Self:
        """Judgments that count: standing, of an origin that the event counts, and not excluded.

        The only definition; boards, exports, statistics and review all use it.
        """
        return self.standing().of_counted_origin().not_excluded()

    def in_public_count(self) -> Self:
        """Judgments that the public counts of a running event include: those that count, and late
        ones. Whether an answer is late depends on free slots, which controls never run out of."""
        in_force = Exclusion.objects.in_force()
        of_theirs = in_force.filter(enrollment=OuterRef("enrollment"))
        decided = in_force.filter(judgment=OuterRef("pk")).exclude(reason=Exclusion.Reason.LATE)
        return self.standing().of_counted_origin().filter(~Exists(of_theirs), ~Exists(decided))

    def late(self) -> Self:
        """Judgments that would count if they had come in time."""
        late = Exclusion.objects.in_force().filter(
            judgment=OuterRef("pk"), reason=Exclusion.Reason.LATE
        )
        return self.in_public_count().filter(Exists(late))

    def of_counted_origin(self) -> Self:
        """Judgments of an origin that their event counts."""
        return self.filter(
            Q(origin=Origin.SCREEN)
            | Q(origin=Origin.IMPORTED, event__counts_imported=True)
            | Q(origin=Origin.SIMULATED, event__counts_simulated=True)
            | Q(origin=Origin.MACHINE, event__counts_machine=True)
        )

    def not_excluded(self) -> Self:
        """Judgments without an exclusion in force, of themselves or of their contributor."""
        of_theirs = Exclusion.objects.in_force().filter(enrollment=OuterRef("enrollment"))
        return self.not_excluded_alone().filter(~Exists(of_theirs))

    def not_excluded_alone(self) -> Self:
        """Judgments not excluded themselves; those of excluded contributors, as evidence,
        included."""
        return self.filter(~Exists(Exclusion.objects.in_force().filter(judgment=OuterRef("pk"))))

    def sealed(self) -> Self:
        """Judgments in the ledger, in its order."""
        return self.filter(ledger_seq__isnull=False).order_by("ledger_seq")


class Judgment(models.Model):
    """A contributor's answers to one matchup at one version of the guidelines.

    Never edited and never deleted: a revision is a further row, and exactly one stands.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="judgments")
    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="judgments")
    matchup = models.ForeignKey(Matchup, on_delete=models.CASCADE, related_name="judgments")
    # Null for judgments that were not assigned here (imported, machine).
    assignment = models.ForeignKey(
        Assignment, on_delete=models.CASCADE, null=True, related_name="judgments"
    )
    # Null where the guidelines are not ours to know (imported).
    guidelines = models.ForeignKey(Guidelines, on_delete=models.PROTECT, null=True)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    # The import that brought it, which hides it until all of it is in; null: judged here.
    import_job = models.ForeignKey(
        ImportJob, on_delete=models.RESTRICT, null=True, related_name="judgments"
    )
    # Null where the source did not say.
    judged_at = models.DateTimeField(null=True)
    revision = models.PositiveSmallIntegerField(default=0)
    standing = models.BooleanField(default=True)
    # The revision that this one replaces; null for the first.
    revises = models.OneToOneField(
        "self", on_delete=models.CASCADE, null=True, related_name="revised_by"
    )
    # Its place in the event's ledger; null until the sealing task has met it.
    ledger_seq = models.PositiveBigIntegerField(null=True)

    objects = JudgmentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["enrollment", "matchup"],
                condition=Q(standing=True),
                name="judgment_one_stands",
            ),
            models.UniqueConstraint(
                fields=["assignment", "revision"], name="judgment_revision_once"
            ),
            models.UniqueConstraint(fields=["event", "ledger_seq"], name="judgment_ledger_once"),
            models.CheckConstraint(
                condition=Q(revision=0, revises=None) | Q(revision__gt=0, revises__isnull=False),
                name="judgment_revision_names_earlier",
            ),
            models.CheckConstraint(
                condition=Q(origin="imported", assignment=None) | ~Q(origin="imported"),
                name="judgment_imported_unassigned",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["event", "id"], condition=Q(ledger_seq=None), name="judgment_unsealed"
            ),
        ]

    def __str__(self) -> str:
        return str(self.uuid)


class Answer(models.Model):
    """A judgment's answer to one question.

    A preference lives in typed columns, in canonical order; every other kind in `value`.
    """

    judgment = models.ForeignKey(Judgment, on_delete=models.CASCADE, related_name="answers")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="answers")
    first = models.ForeignKey(Response, on_delete=models.PROTECT, null=True, related_name="+")
    second = models.ForeignKey(Response, on_delete=models.PROTECT, null=True, related_name="+")
    # -3 … 3; positive: the first response is better.
    outcome = models.SmallIntegerField(null=True)
    both_bad = models.BooleanField(default=False)
    # Null where the source did not say who stood left.
    first_on_left = models.BooleanField(null=True)
    # Null for a preference.
    value = models.JSONField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["judgment", "question"], name="answer_once"),
            models.CheckConstraint(
                condition=Q(
                    first__isnull=False,
                    second__isnull=False,
                    outcome__isnull=False,
                    outcome__gte=-3,
                    outcome__lte=3,
                    value=None,
                )
                | Q(first=None, second=None, outcome=None, value__isnull=False),
                name="answer_typed_or_valued",
            ),
            models.CheckConstraint(
                condition=Q(first=None) | Q(first__lt=F("second")), name="answer_canonical_order"
            ),
            models.CheckConstraint(
                condition=Q(both_bad=False) | Q(outcome=0), name="answer_both_bad_is_tie"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.question.name} of {self.judgment}"

    def as_value(self) -> dict[str, Any]:
        """The answer as its kind's value, whichever columns hold it."""
        if self.outcome is None:
            return dict(self.value or {})
        return {
            "outcome": self.outcome,
            "both_bad": self.both_bad,
            "first_on_left": self.first_on_left,
        }

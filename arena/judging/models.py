"""The act of judging: assignments, judgments and answers, flags and exclusions."""

import uuid
from datetime import datetime
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
from arena.people.models import User


class Origin(models.TextChoices):
    """Where a judgment came from."""

    SCREEN = "screen", _("Judged here")
    IMPORTED = "imported", _("Imported")
    SIMULATED = "simulated", _("Simulated")
    MACHINE = "machine", _("Machine")


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    """Chainable questions about assignments."""

    def live(self) -> Self:
        """Assignments that hold their matchup for somebody: reserved or shown."""
        return self.filter(state__in=(Assignment.State.RESERVED, Assignment.State.SHOWN))

    def lapsed(self, now: datetime) -> Self:
        """Live assignments whose lease has run out."""
        return self.live().filter(lease_until__lte=now)

    def undoable_skips(self, now: datetime) -> Self:
        """Skipped assignments that may still be answered after all; until then they are held."""
        return self.filter(state=Assignment.State.SKIPPED, lease_until__gt=now)

    def settled_skips(self, now: datetime) -> Self:
        """Skipped assignments that hold a slot although it is too late to answer them."""
        return self.filter(state=Assignment.State.SKIPPED, holds_slot=True, lease_until__lte=now)


class Assignment(models.Model):
    """A matchup leased to one enrollment, with the side order drawn for it."""

    class State(models.TextChoices):
        RESERVED = "reserved"
        SHOWN = "shown"
        DONE = "done"
        SKIPPED = "skipped"
        EXPIRED = "expired"

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
    # Probability with which the matchup was chosen; null where all were alike.
    probability = models.FloatField(null=True)

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
                fields=["lease_until"],
                condition=Q(state__in=("reserved", "shown")),
                name="assignment_leases",
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(state="skipped", holds_slot=True),
                name="assignment_held_skips",
            ),
        ]

    def __str__(self) -> str:
        return str(self.uuid)


class JudgmentQuerySet(models.QuerySet["Judgment"]):
    """Chainable questions about judgments."""

    def landed(self) -> Self:
        """Judgments made here, and those whose import has come to its end."""
        return self.filter(Q(import_job=None) | Q(import_job__state=ImportJob.State.DONE))

    def standing(self) -> Self:
        """The latest revision of each judgment; of an import under way nothing is seen."""
        return self.filter(standing=True).landed()

    def counted(self) -> Self:
        """Judgments that count: standing, of an origin their event counts, and not excluded.

        The one place that says so; boards, exports, statistics and review all start here.
        """
        return self.standing().of_counted_origin().not_excluded()

    def of_counted_origin(self) -> Self:
        """Judgments whose origin enters their event's boards."""
        return self.filter(
            Q(origin=Origin.SCREEN)
            | Q(origin=Origin.IMPORTED, event__counts_imported=True)
            | Q(origin=Origin.SIMULATED, event__counts_simulated=True)
            | Q(origin=Origin.MACHINE, event__counts_machine=True)
        )

    def not_excluded(self) -> Self:
        """Judgments that no exclusion in force names, neither directly nor by contributor."""
        of_theirs = Exclusion.objects.in_force().filter(enrollment=OuterRef("enrollment"))
        return self.not_excluded_alone().filter(~Exists(of_theirs))

    def not_excluded_alone(self) -> Self:
        """The same and those of excluded contributors, which are the evidence against them."""
        return self.filter(~Exists(Exclusion.objects.in_force().filter(judgment=OuterRef("pk"))))

    def sealed(self) -> Self:
        """Judgments that have their place in the ledger, in that order."""
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


class FlagQuerySet(models.QuerySet["Flag"]):
    """Chainable questions about flags."""

    def waiting(self) -> Self:
        """Flags that nobody has dealt with and that their author has not taken back."""
        return self.filter(resolved_at=None, withdrawn_at=None)


class Flag(models.Model):
    """A contributor says that something about a matchup is wrong."""

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


class ExclusionQuerySet(models.QuerySet["Exclusion"]):
    """Chainable questions about exclusions."""

    def in_force(self) -> Self:
        """Exclusions that nobody has lifted."""
        return self.filter(lifted_at=None)


class Exclusion(models.Model):
    """Why a judgment, or everything of a contributor, does not count. Lifted, never deleted."""

    class Reason(models.TextChoices):
        LATE = "late", _("Answered after its time")
        UNRELIABLE = "unreliable", _("Not reliable enough")
        RIGGING = "rigging", _("Looks steered")
        BROKEN = "broken", _("Shown text was broken")
        RECOGNISED = "recognised", _("A model was recognised")
        ORGANIZER = "organizer", _("Organizer’s decision")

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="exclusions")
    # Exactly one of the two is set.
    judgment = models.ForeignKey(
        Judgment, on_delete=models.CASCADE, null=True, related_name="exclusions"
    )
    enrollment = models.ForeignKey(
        Enrollment, on_delete=models.CASCADE, null=True, related_name="exclusions"
    )
    reason = models.CharField(max_length=12, choices=Reason.choices)
    note = models.TextField(blank=True)
    # Null: the system itself (late answers).
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    # Null while in force.
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = ExclusionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(judgment=None, enrollment__isnull=False)
                | Q(judgment__isnull=False, enrollment=None),
                name="exclusion_of_one_thing",
            ),
            models.UniqueConstraint(
                fields=["judgment"],
                condition=Q(lifted_at=None),
                name="exclusion_judgment_in_force_once",
            ),
            models.UniqueConstraint(
                fields=["enrollment"],
                condition=Q(lifted_at=None),
                name="exclusion_enrollment_in_force_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} of {self.judgment or self.enrollment}"


class LedgerBatch(models.Model):
    """A run of judgments sealed together: `digest` = SHA-256(previous digest ‖ its rows)."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="ledger")
    first_seq = models.PositiveBigIntegerField()
    last_seq = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    class Meta:
        get_latest_by = "last_seq"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "first_seq"], name="ledger_batch_first_once"),
            models.CheckConstraint(
                condition=Q(first_seq__lte=F("last_seq")), name="ledger_batch_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.first_seq}–{self.last_seq}"

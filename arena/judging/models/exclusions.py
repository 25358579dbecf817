"""Exclusions: why a judgment, or all of a contributor's, does not count."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from arena.events.models import Decision, Enrollment, Event
from arena.people.models import User


class ExclusionQuerySet(models.QuerySet["Exclusion"]):
    """Chainable questions about exclusions."""

    def in_force(self) -> Self:
        """Exclusions that have not been lifted."""
        return self.filter(lifted_at=None)


class Exclusion(models.Model):
    """The reason why a judgment, or all of a contributor's, does not count.

    Lifted, never deleted.
    """

    class Reason(models.TextChoices):
        LATE = "late", _("Answered after its time")
        UNRELIABLE = "unreliable", _("Not reliable enough")
        RIGGING = "rigging", _("Suspected manipulation")
        BROKEN = "broken", _("Shown text was broken")
        RECOGNISED = "recognised", _("A model was recognised")
        ORGANIZER = "organizer", _("Organizer’s decision")

        @property
        def rule(self) -> str:
            """The rule behind it in a sentence, as those whom it concerns read it."""
            return str(RULES[self])

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="exclusions")
    # Exactly one of the two is set.
    judgment = models.ForeignKey(
        "judging.Judgment", on_delete=models.CASCADE, null=True, related_name="exclusions"
    )
    enrollment = models.ForeignKey(
        Enrollment, on_delete=models.CASCADE, null=True, related_name="exclusions"
    )
    reason = models.CharField(max_length=12, choices=Reason.choices)
    note = models.TextField(blank=True)
    # What it rests on; several rows may rest on one. Null: the system itself (late answers), and
    # exclusions from before decisions were recorded.
    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, null=True, db_index=False, related_name="exclusions"
    )
    # Null: the system itself (late answers).
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    # Null while in force.
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = ExclusionQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["decision"], name="exclusion_decision")]
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

    def find_author(self) -> Enrollment:
        """Whose judgments it leaves out."""
        author = self.judgment.enrollment if self.judgment else self.enrollment
        assert author is not None
        return author

    def find_cases(self) -> Q:
        """A condition for the cases that ended by this exclusion, or by the same decision."""
        own = Q(exclusion=self.pk)
        if self.decision_id is not None:
            return own | Q(decision=self.decision_id)
        return own | Q(enrollment=self.enrollment_id) if self.enrollment_id else own


Reason = Exclusion.Reason
RULES = {
    Reason.LATE: _(
        "An answer that comes after its time counts only while the event is open and its pair "
        "still wants one."
    ),
    Reason.UNRELIABLE: _(
        "Judgments count where they follow from what the two responses say. They do not where a "
        "person’s answers as a whole look like chance or habit."
    ),
    Reason.RIGGING: _(
        "Everybody judges for themselves. Judgments that set out to lift or lower one model, or "
        "that two accounts agree on beforehand, do not count."
    ),
    Reason.BROKEN: _("A judgment does not count if the text that was shown was broken."),
    Reason.RECOGNISED: _("A judgment does not count if it was plain which model had answered."),
    Reason.ORGANIZER: _("Judgments that do not keep to the guidelines or the terms do not count."),
}

"""What people decided: the record of decisions, proposals that wait for a second person, and what
an event registered before it opened."""

import json
import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from arena.events.models.event import Event
from arena.people.models import User


class Act(models.TextChoices):
    """What can be decided."""

    KEY_SET = "key_set", _("Key set")
    KEY_CHANGED = "key_changed", _("Key changed")
    KEY_WITHDRAWN = "key_withdrawn", _("Key withdrawn")
    MATCHUP_RETIRED = "matchup_retired", _("Matchup retired")
    MATCHUP_RESTORED = "matchup_restored", _("Matchup restored")
    RECORD_CORRECTED = "record_corrected", _("Record corrected")
    EXCLUDED = "excluded", _("Excluded")
    REINSTATED = "reinstated", _("Reinstated")
    WARNED = "warned", _("Warned")
    WARNING_WITHDRAWN = "warning_withdrawn", _("Warning withdrawn")
    DISMISSED = "dismissed", _("Case dismissed")
    REOPENED = "reopened", _("Case reopened")
    BLOCKED = "blocked", _("Blocked")
    UNBLOCKED = "unblocked", _("Unblocked")
    WINNER_CONFIRMED = "winner_confirmed", _("Winner confirmed")
    WINNER_WITHDRAWN = "winner_withdrawn", _("Winner withdrawn")
    APPEAL_GRANTED = "appeal_granted", _("Appeal granted")
    APPEAL_DECLINED = "appeal_declined", _("Appeal declined")
    SETTING_CHANGED = "setting_changed", _("Setting changed")


class Decision(models.Model):
    """What a person decided, or an event's own rule: one row each, never changed and never deleted.

    It names people by pseudonym and refers to no account, so that erasing somebody touches no row;
    the database itself refuses UPDATE and DELETE.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="decisions")
    act = models.CharField(max_length=20, choices=Act.choices)
    made_at = models.DateTimeField()
    # Pseudonym of the member of staff; empty: the event's own rule.
    by = models.CharField(max_length=60, blank=True)
    # Pseudonym of the second person; empty where one decided.
    confirmed_by = models.CharField(max_length=60, blank=True)
    # Whether it wants two people and was made by one, because the event has no other.
    is_alone = models.BooleanField(default=False)
    # Pseudonym of the contributor whom it is about; empty where it is about none.
    contributor = models.CharField(max_length=60, blank=True)
    # The matchup, as "external id of its record: key"; empty where it is about none.
    matchup = models.CharField(max_length=300, blank=True)
    # A code: of an exclusion, a case, or empty.
    reason = models.CharField(max_length=20, blank=True)
    note = models.TextField(blank=True)
    # Judgments that count or no longer count by it; while the event runs, late ones are among them,
    # as in every number that the public sees.
    judgments = models.PositiveIntegerField(default=0)
    # What was there before, and what is there after.
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    # SHA-256 of the evidence that was on the page; empty where there was none.
    seen = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering: ClassVar = ["made_at", "pk"]
        indexes: ClassVar = [
            models.Index(fields=["event", "made_at"], name="decision_order"),
            models.Index(fields=["event", "contributor"], name="decision_contributor"),
        ]

    def __str__(self) -> str:
        return f"{self.act} in {self.event}"


class ProposalQuerySet(models.QuerySet["Proposal"]):
    """Chainable questions about proposals."""

    def waiting(self) -> Self:
        """Proposals that nobody has answered."""
        return self.filter(state=Proposal.State.WAITING)


class Proposal(models.Model):
    """A decision that wants two people, as one of them has proposed it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting for a second person")
        CONFIRMED = "confirmed", _("Confirmed")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="proposals")
    act = models.CharField(max_length=20, choices=Act.choices)
    # What it is about, so that nothing is proposed twice at a time.
    target = models.CharField(max_length=200)
    # What carrying it out needs, by name.
    payload = models.JSONField(default=dict)
    note = models.TextField()
    seen = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    proposed_at = models.DateTimeField()
    # Null: somebody who has left since; then nobody's proposal is confirmed.
    proposed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    # Both null while it waits.
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["proposed_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["event", "target"], condition=Q(state="waiting"), name="proposal_once"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", answered_at=None)
                | (~Q(state="waiting") & Q(answered_at__isnull=False)),
                name="proposal_answered_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.act} proposed in {self.event}"


class Registration(models.Model):
    """What an event registered at its opening: its rules before anybody had judged."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="registration")
    registered_at = models.DateTimeField()
    # Canonical JSON, to the letter; its SHA-256, hexadecimal.
    content = models.TextField()
    digest = models.CharField(max_length=64)
    # Under which the digest of the controls' keys was made; kept until publication.
    keys_key = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"Registration of {self.event}"

    def read_content(self) -> dict[str, Any]:
        """What was registered, by name (arena/events/lifecycle/registration/writing.py)."""
        content: dict[str, Any] = json.loads(self.content)
        return content

    def has_one_person(self) -> bool:
        """Whether one person alone looked after the event when it registered."""
        return bool(self.read_content()["staff"]["people"] == 1)

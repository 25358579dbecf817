"""Making a matchup a control, and taking a control out of service."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.models import Control, Event, Matchup
from arena.questions import KINDS


def mark_as_control(matchup: Matchup, expected: str, reason: str) -> Control:
    """Give an ordinary matchup a key: `a` says that the first response is right.

    From then on its judgments measure people and no longer rate models.
    """
    question = matchup.event.questions.get(kind="preference")
    key = KINDS[question.kind].check_key(expected)
    # Closes the race of two organizers: the role changes once, and the key comes with it.
    with transaction.atomic():
        ordinary = Matchup.objects.filter(pk=matchup.pk, role=Matchup.Role.ORDINARY)
        if not ordinary.update(role=Matchup.Role.CONTROL, open_slots=0):
            raise ConflictError(_("This is a control already."), "already_control")
        return Control.objects.create(matchup=matchup, question=question, key=key, reason=reason)


def retire_matchup(matchup: Matchup, now: datetime) -> None:
    """Serve a matchup no more; what was judged of it stays and goes on counting."""
    Matchup.objects.filter(pk=matchup.pk, retired_at=None).update(retired_at=now)


def restore_matchup(matchup: Matchup) -> None:
    """Serve a retired matchup again."""
    Matchup.objects.filter(pk=matchup.pk).update(retired_at=None)


def controls_of(event: Event) -> list[Control]:
    """The event's controls with their texts, retired ones last."""
    controls = Control.objects.filter(matchup__event=event).select_related("matchup__record")
    return list(
        controls.prefetch_related("matchup__responses").order_by("matchup__retired_at", "pk")
    )

"""The record of keys that an import sets, changes or takes back in an event that is open."""

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.decision_record import Ruling, hold_state, name_matchup, record_decision
from arena.events.models import Act, Control, Event, ImportJob


def rule_by(job: ImportJob) -> Ruling:
    """What the record says of keys that come with this import."""
    return Ruling(job.created_by, job.created_at, _("Came with an import."))


def record_new_keys(event: Event, matchups: Collection[int], ruling: Ruling) -> None:
    """Write down the keys of those of these matchups that people can meet.

    Raises `ConflictError` where the event has closed meanwhile.
    """
    controls = Control.objects.filter(
        matchup__in=matchups, matchup__record__imported_at__isnull=False
    )
    record_keys(event, Act.KEY_SET, controls.order_by("pk"), ruling)


def record_keys(event: Event, act: str, controls: QuerySet[Control], ruling: Ruling) -> None:
    """Write down one decision for each of these keys, unless the event is a draft."""
    for control in controls.select_related("matchup__record"):
        is_set = act == Act.KEY_SET
        old, new = (None, control.key) if is_set else (control.key, None)
        record_key_change(event, act, control, ruling, old=old, new=new)


def record_key_change(
    event: Event, act: str, control: Control, ruling: Ruling, *, old: Any, new: Any
) -> None:
    """Write down what becomes of a key, unless the event is a draft.

    Raises `ConflictError` once the event is over, whoever imports.
    """
    state = hold_state(event)
    if state == Event.State.DRAFT:
        return
    if state in Event.OVER_STATES:
        message = _("The event is over: keys are set on a record’s page alone now.")
        raise ConflictError(message, "second_person")
    record_decision(event, act, ruling, matchup=name_matchup(control.matchup), old=old, new=new)

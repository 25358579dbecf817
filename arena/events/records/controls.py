"""Making a matchup a control, correcting or withdrawing its key, and taking it out of service."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from arena.errors import ArenaError, ConflictError
from arena.events.decision_record import Ruling, hold_state, name_matchup, record_decision
from arena.events.ledger import KEY_KIND, MATCHUP_KIND, append_entries
from arena.events.lifecycle.decisions import require_second
from arena.events.lifecycle.prizes import check_prize
from arena.events.models import Act, Control, Event, Matchup, MatchupResponse
from arena.questions import KINDS, Value

MAX_EXCERPT = 60
# A key's sign as the answer that it expects.
ANSWER_BY_SIGN = {1: "a", 0: "tie", -1: "b"}


@dataclass(frozen=True)
class ExpectedAnswer:
    """What an organizer says about a matchup: `a` means that the first response is right."""

    expected: str
    reason: str


def mark_as_control(matchup: Matchup, said: ExpectedAnswer, ruling: Ruling) -> Control:
    """Give an ordinary matchup a key.

    From then on its judgments measure people and no longer rate models.
    """
    if holds_tie_of_copies(matchup.record_id):
        message = _("This record holds a tie control, which whoever reads it can tell.")
        raise ConflictError(message, "tie_control_there")
    question = matchup.event.questions.get(kind="preference")
    key = build_key(matchup.event, said)
    # Closes the race of two organizers: the role changes once, and the key comes with it.
    with transaction.atomic():
        ordinary = Matchup.objects.filter(pk=matchup.pk, role=Matchup.Role.ORDINARY)
        if not ordinary.update(role=Matchup.Role.CONTROL, open_slots=0):
            raise ConflictError(_("This is already a control."), "already_control")
        control = Control.objects.create(
            matchup=matchup, question=question, key=key, reason=said.reason
        )
        append_entries(matchup.event_id, MATCHUP_KIND, [matchup.pk])
        append_entries(matchup.event_id, KEY_KIND, [matchup.pk])
        record_key(control, Act.KEY_SET, ruling, old=None, new=key)
        return control


def record_key(control: Control, act: str, ruling: Ruling, *, old: Any, new: Any) -> None:
    """Write down what became of a key, once the event is open: before, registration does.

    Raises `SecondPersonError` once the event is over, where one person alone asks for it.
    """
    event = control.matchup.event
    event.state = hold_state(event)
    if event.state == Event.State.DRAFT:
        return
    is_alone = require_second(event, ruling)
    matchup = name_matchup(control.matchup)
    record_decision(event, act, ruling, matchup=matchup, old=old, new=new, is_alone=is_alone)


def holds_tie_of_copies(record_id: int) -> bool:
    """Whether a control of this record shows a model's response beside its copy."""
    controls = Control.objects.filter(matchup__record=record_id, matchup__retired_at=None)
    shown = MatchupResponse.objects.filter(matchup__control__in=controls)
    texts: dict[int, set[str]] = {}
    for matchup, text in shown.values_list("matchup_id", "response__text"):
        texts.setdefault(matchup, set()).add(text)
    return any(len(found) == 1 for found in texts.values())


def change_key(control: Control, said: ExpectedAnswer, ruling: Ruling) -> None:
    """Another right answer, or another reason for it; one that was withdrawn is back in service.

    Every answer to the control, earlier ones too, is measured by the new key. Saying what stands
    already changes nothing.
    """
    key = build_key(control.matchup.event, said)
    # A key that is back, its matchup and the record of it come together; of two who say the same,
    # one finds it said.
    with transaction.atomic():
        before = Control.objects.select_for_update().get(pk=control.pk)
        if (before.key, before.reason, before.retired_at) == (key, said.reason, None):
            return
        if before.retired_at is not None:
            Control.objects.filter(pk=control.pk).update(retired_at=None, retired_because="")
            serve_again(control.matchup)
        Control.objects.filter(pk=control.pk).update(key=key, reason=said.reason)
        append_entries(control.matchup.event_id, KEY_KIND, [control.matchup_id])
        old = before.key | {"withdrawn": True} if before.retired_at else before.key
        record_key(control, Act.KEY_CHANGED, ruling, old=old, new=key)


def withdraw_key(control: Control, because: str, ruling: Ruling) -> None:
    """Measure nobody by this control any more, and serve it no more."""
    # Closes the race of two organizers who withdraw the last ones that a prize needs.
    with transaction.atomic():
        Event.objects.select_for_update().get(pk=control.matchup.event_id)
        in_force = Control.objects.filter(pk=control.pk, retired_at=None)
        if not in_force.update(retired_at=ruling.now, retired_because=because):
            raise ConflictError(_("This key is already withdrawn."), "already_withdrawn")
        append_entries(control.matchup.event_id, KEY_KIND, [control.matchup_id])
        take_out_of_service(control.matchup, ruling.now)
        record_key(control, Act.KEY_WITHDRAWN, ruling, old=control.key, new=None)


def build_key(event: Event, said: ExpectedAnswer) -> Value:
    """The key as it is stored. Raises `ArenaError` for a tie that the scale does not offer."""
    if said.expected == "tie" and not event.offers_tie():
        raise ArenaError(_("Nobody can answer “tie” on this scale."), "no_tie")
    return KINDS["preference"].check_key(said.expected)


def retire_matchup(matchup: Matchup, ruling: Ruling) -> None:
    """Serve a matchup no more; what was judged of it stays and goes on counting.

    Raises `ArenaError` for a control that a running event with a prize cannot do without.
    """
    # A matchup that is out of service and the record of it come together.
    with transaction.atomic():
        if take_out_of_service(matchup, ruling.now):
            record_service(matchup, Act.MATCHUP_RETIRED, ruling)


def restore_matchup(matchup: Matchup, ruling: Ruling) -> None:
    """Serve a retired matchup again. Raises `ConflictError` where its key was withdrawn."""
    # As above.
    with transaction.atomic():
        if serve_again(matchup):
            record_service(matchup, Act.MATCHUP_RESTORED, ruling)


def record_service(matchup: Matchup, act: str, ruling: Ruling) -> None:
    """Write down that a matchup of an open event is served no more, or again."""
    if matchup.event.state != Event.State.DRAFT:
        record_decision(matchup.event, act, ruling, matchup=name_matchup(matchup))


def take_out_of_service(matchup: Matchup, now: datetime) -> bool:
    """Retire a matchup; whether it was in service. Raises `ArenaError` for a control that a running
    event with a prize cannot do without."""
    # Closes the race of two organizers who retire the last controls that a prize needs.
    with transaction.atomic():
        event = Event.objects.select_for_update().get(pk=matchup.event_id)
        changed = Matchup.objects.filter(pk=matchup.pk, retired_at=None).update(retired_at=now)
        if changed and matchup.role == Matchup.Role.CONTROL:
            check_prize(event)
    return bool(changed)


def serve_again(matchup: Matchup) -> bool:
    """Serve a retired matchup again; whether it was retired. Raises `ConflictError` where its key
    was withdrawn."""
    if Control.objects.filter(matchup=matchup, retired_at__isnull=False).exists():
        raise ConflictError(_("Its key was withdrawn. Give it a key first."), "no_key")
    retired = Matchup.objects.filter(pk=matchup.pk, retired_at__isnull=False)
    return bool(retired.update(retired_at=None))


def controls_of(event: Event) -> list[Control]:
    """The event's controls with their records, retired ones last."""
    controls = Control.objects.filter(matchup__event=event).select_related("matchup__record")
    in_order = (F("matchup__retired_at").asc(nulls_first=True), "matchup__record__sort_key", "pk")
    return list(controls.order_by(*in_order))


def has_controls(event: Event) -> bool:
    """Whether anybody is measured in this event: whether it has keys in force."""
    return Control.objects.filter(matchup__event=event, retired_at=None).exists()


def select_measuring(events: Collection[Event]) -> set[int]:
    """Primary keys of those among the events that have keys in force."""
    keys = Control.objects.filter(matchup__event__in=events, retired_at=None)
    return set(keys.values_list("matchup__event", flat=True).distinct())


def describe_sides(matchup: Matchup) -> list[str]:
    """What to call each response of a matchup, in the order that a key means."""
    places = matchup.places.select_related("response__competitor").order_by("position")
    return [describe_side(place) for place in places]


def describe_side(place: MatchupResponse) -> str:
    """A response's model and the beginning of its text."""
    excerpt = Truncator(" ".join(place.response.text.split())).chars(MAX_EXCERPT)
    competitor = place.response.competitor
    return f"{competitor}: {excerpt}" if competitor else f"“{excerpt}”"

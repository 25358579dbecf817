"""Making a matchup a control, correcting or withdrawing its key, and taking it out of service."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from arena.errors import ArenaError, ConflictError
from arena.events.ledger import KEY_KIND, MATCHUP_KIND, append_entries
from arena.events.lifecycle.prizes import check_prize
from arena.events.models import Control, Event, Matchup, MatchupResponse
from arena.questions import KINDS, Value

MAX_EXCERPT = 60


@dataclass(frozen=True)
class ExpectedAnswer:
    """What an organizer says about a matchup: `a` means that the first response is right."""

    expected: str
    reason: str


def mark_as_control(matchup: Matchup, said: ExpectedAnswer) -> Control:
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
        return control


def holds_tie_of_copies(record_id: int) -> bool:
    """Whether a control of this record shows a model's response beside its copy."""
    controls = Control.objects.filter(matchup__record=record_id, matchup__retired_at=None)
    shown = MatchupResponse.objects.filter(matchup__control__in=controls)
    texts: dict[int, set[str]] = {}
    for matchup, text in shown.values_list("matchup_id", "response__text"):
        texts.setdefault(matchup, set()).add(text)
    return any(len(found) == 1 for found in texts.values())


def change_key(control: Control, said: ExpectedAnswer) -> None:
    """Another right answer, or another reason for it; one that was withdrawn is back in service.

    Every answer to the control, earlier ones too, is measured by the new key.
    """
    key = build_key(control.matchup.event, said)
    # A key that is back and its matchup come together.
    with transaction.atomic():
        if Control.objects.filter(pk=control.pk, retired_at__isnull=False).update(
            retired_at=None, retired_because=""
        ):
            restore_matchup(control.matchup)
        Control.objects.filter(pk=control.pk).update(key=key, reason=said.reason)
        append_entries(control.matchup.event_id, KEY_KIND, [control.matchup_id])


def withdraw_key(control: Control, because: str, now: datetime) -> None:
    """Measure nobody by this control any more, and serve it no more."""
    # Closes the race of two organizers who withdraw the last ones that a prize needs.
    with transaction.atomic():
        Event.objects.select_for_update().get(pk=control.matchup.event_id)
        in_force = Control.objects.filter(pk=control.pk, retired_at=None)
        if not in_force.update(retired_at=now, retired_because=because):
            raise ConflictError(_("This key is already withdrawn."), "already_withdrawn")
        append_entries(control.matchup.event_id, KEY_KIND, [control.matchup_id])
        retire_matchup(control.matchup, now)


def build_key(event: Event, said: ExpectedAnswer) -> Value:
    """The key as it is stored. Raises `ArenaError` for a tie that the scale does not offer."""
    if said.expected == "tie" and not event.offers_tie():
        raise ArenaError(_("Nobody can answer “tie” on this scale."), "no_tie")
    return KINDS["preference"].check_key(said.expected)


def retire_matchup(matchup: Matchup, now: datetime) -> None:
    """Serve a matchup no more; what was judged of it stays and goes on counting.

    Raises `ArenaError` for a control that a running event with a prize cannot do without.
    """
    # Closes the race of two organizers who retire the last controls that a prize needs.
    with transaction.atomic():
        event = Event.objects.select_for_update().get(pk=matchup.event_id)
        serving = Matchup.objects.filter(pk=matchup.pk, retired_at=None)
        if serving.update(retired_at=now) and matchup.role == Matchup.Role.CONTROL:
            check_prize(event)


def restore_matchup(matchup: Matchup) -> None:
    """Serve a retired matchup again. Raises `ConflictError` where its key was withdrawn."""
    if Control.objects.filter(matchup=matchup, retired_at__isnull=False).exists():
        raise ConflictError(_("Its key was withdrawn. Give it a key first."), "no_key")
    Matchup.objects.filter(pk=matchup.pk).update(retired_at=None)


def controls_of(event: Event) -> list[Control]:
    """The event's controls with their records, retired ones last."""
    controls = Control.objects.filter(matchup__event=event).select_related("matchup__record")
    in_order = (F("matchup__retired_at").asc(nulls_first=True), "matchup__record__sort_key", "pk")
    return list(controls.order_by(*in_order))


def has_controls(event: Event) -> bool:
    """Whether anybody is measured in this event: whether it has keys in force."""
    return Control.objects.filter(matchup__event=event, retired_at=None).exists()


def describe_sides(matchup: Matchup) -> list[str]:
    """What to call each response of a matchup, in the order that a key means."""
    places = matchup.places.select_related("response__competitor").order_by("position")
    return [describe_side(place) for place in places]


def describe_side(place: MatchupResponse) -> str:
    """A response's model and the beginning of its text."""
    excerpt = Truncator(" ".join(place.response.text.split())).chars(MAX_EXCERPT)
    competitor = place.response.competitor
    return f"{competitor}: {excerpt}" if competitor else f"“{excerpt}”"

"""What was decided since an event registered its rules, as the public may know it."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from arena.events.lifecycle.registration.keys import ACTS_ON_KEYS, KEY_ACTS, KeyChange
from arena.events.lifecycle.registration.writing import Content, hide_unregistered
from arena.events.models import Act, Decision, Event, Registration

# What a change of settings was before and is after, by name.
Change = tuple[Content, Content]
# In the order in which they were carried out: each held the lock on what it changed.
IN_ORDER = "pk"


def list_setting_changes(event: Event) -> QuerySet[Decision]:
    """The recorded changes of settings, from the first to the last."""
    return Decision.objects.filter(event=event, act=Act.SETTING_CHANGED).order_by(IN_ORDER)


def list_key_decisions(event: Event) -> QuerySet[Decision]:
    """What was decided about keys, and the corrections that handed keys on, in their order."""
    return Decision.objects.filter(event=event, act__in=ACTS_ON_KEYS).order_by(IN_ORDER)


def list_decided_alone(event: Event) -> QuerySet[Decision]:
    """Decisions that want two people and were made by one, the latest first."""
    return Decision.objects.filter(event=event, is_alone=True).order_by(f"-{IN_ORDER}")


def to_change(decision: Decision) -> Change:
    """The registered settings that a decision changed, before and after."""
    old, new = (hide_unregistered(said or {}) for said in (decision.old, decision.new))
    return old, new


def to_key_changes(decisions: Iterable[Decision]) -> list[KeyChange]:
    """The decisions as `roll_back` takes them."""
    return [KeyChange(each.act, each.matchup, each.old, each.new) for each in decisions]


def count_key_changes(event: Event) -> list[dict[str, Any]]:
    """How many keys were set, changed or withdrawn on which day of the event's calendar.

    While controls are in use that is all that is said: an exact time, beside what somebody was
    shown then, could name the control.
    """
    decisions, zone = list_key_decisions(event).filter(act__in=KEY_ACTS), event.zone()
    counts = Counter((each.made_at.astimezone(zone).date(), each.act) for each in decisions)
    return [
        {"day": day.isoformat(), "act": act, "count": count}
        for (day, act), count in sorted(counts.items())
    ]


def build_document(registration: Registration, *, with_keys: bool) -> dict[str, Any]:
    """The registration with everything that anybody needs to check it, as a bundle has it.

    with_keys: whether the controls are public, and with them the key of their keys' digest.
    """
    event = registration.event
    return {
        "registered_at": registration.registered_at.isoformat(),
        "digest": registration.digest,
        "content": registration.content,
        "changes": [describe_change(each) for each in list_setting_changes(event)],
        "keys_key": registration.keys_key if with_keys else None,
        "key_changes": (
            [describe_key_decision(each) for each in list_key_decisions(event)]
            if with_keys
            else count_key_changes(event)
        ),
    }


def describe_change(decision: Decision) -> dict[str, Any]:
    """A change of settings: when, by whom, why, and what."""
    old, new = to_change(decision)
    return {
        "made_at": decision.made_at.isoformat(),
        "by": decision.by,
        "reason": decision.note,
        "old": old,
        "new": new,
    }


def describe_key_decision(decision: Decision) -> dict[str, Any]:
    """A decision about a key, without its reason, which may tell of people."""
    return {
        "made_at": decision.made_at.isoformat(),
        "by": decision.by,
        "act": decision.act,
        "matchup": decision.matchup,
        "old": decision.old,
        "new": decision.new,
    }

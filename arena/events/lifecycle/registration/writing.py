"""Registering an event: its rules as canonical JSON, in the transaction that opens it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from django.apps import apps
from django.utils.module_loading import import_string

from arena.events.ledger import REGISTRATION_KIND, append_entries, digest_of, encode_canonically
from arena.events.lifecycle.decisions import count_staff
from arena.events.lifecycle.event_settings import describe_settings
from arena.events.lifecycle.registration.keys import digest_keys, read_keys
from arena.events.models import Event, Registration, draw_secret

Content = dict[str, Any]
FORMAT = 1
"""Raised whenever an older registration could no longer be read."""
UNREGISTERED = frozenset({"email_domains"})
"""Settings that promise nobody anything, and may say who somebody is."""
DIGEST_RULE = (
    "HMAC-SHA256, under a random key that is published with the result, of the canonical JSON of "
    "every key in force by matchup"
)
ALONE = "One person looks after this event and decides alone. Such decisions are public at once."


def register(event: Event, now: datetime) -> Registration:
    """Register an event that has just been opened; call it in the transaction that opens it."""
    keys, keys_key = read_keys(event), draw_secret()
    said = describe_event(event)
    said["registered_at"] = now.astimezone(UTC).isoformat()
    said["controls"] |= {"digest": digest_keys(keys, keys_key), "digest_rule": DIGEST_RULE}
    content = encode_canonically(said)
    registration = Registration.objects.create(
        event=event,
        registered_at=now,
        content=content,
        digest=digest_of(content),
        keys_key=keys_key,
    )
    append_entries(event.pk, REGISTRATION_KIND, [event.pk])
    return registration


def describe_event(event: Event) -> Content:
    """What the event would register as it is set now, but for the time and the keys' digest."""
    people = count_staff(event)
    return {
        "format": FORMAT,
        "settings": describe_registered(event),
        "method": describe_method(event),
        "controls": {"count": len(read_keys(event))},
        "staff": {"people": people} | ({"note": ALONE} if people == 1 else {}),
    }


def describe_registered(event: Event) -> Content:
    """Every setting that is registered, by name."""
    return hide_unregistered(describe_settings(event))


def hide_unregistered(settings: Content) -> Content:
    """Settings without those that are not registered."""
    return {name: value for name, value in settings.items() if name not in UNREGISTERED}


def describe_method(event: Event) -> Content:
    """How results are computed from judgments, as the layer says that computes them.

    That layer is above this one: its `AppConfig` names the function.
    """
    configs = apps.get_app_configs()
    named = next(config for config in configs if hasattr(config, "method_description"))
    describe = cast(Callable[[Event], Content], import_string(named.method_description))
    return describe(event)

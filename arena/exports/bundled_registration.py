"""The registration in a bundle: restored with it, and compared with what the bundle holds."""

import json
from datetime import datetime
from typing import Any
from zipfile import ZipFile

from arena.events.ledger import digest_of
from arena.events.lifecycle.registration.checking import check_keys, check_settings
from arena.events.lifecycle.registration.keys import KeyChange
from arena.events.lifecycle.registration.writing import describe_registered
from arena.events.models import Event, Registration
from arena.exports.bundle import REGISTRATION
from arena.exports.bundle_tables import EVENT

Document = dict[str, Any]
# What a bundle says of an event's settings: no terms, and not whom it lets in.
SETTINGS = frozenset({*EVENT.columns, "guidelines", "questions"})


def read_registration(archive: ZipFile) -> Document | None:
    """The file; None in bundles of events that have registered nothing."""
    if REGISTRATION not in archive.namelist():
        return None
    document: Document = json.loads(archive.read(REGISTRATION))
    return document


def restore_registration(document: Document, event: Event) -> None:
    """Put the row back that the ledger has an entry about."""
    Registration.objects.create(
        event=event,
        registered_at=datetime.fromisoformat(document["registered_at"]),
        content=document["content"],
        digest=document["digest"],
        keys_key=document["keys_key"] or "",
    )


def check_registration(document: Document, event: Event, *, with_controls: bool) -> list[str]:
    """What of a restored event is neither as registered nor as changed with a record since."""
    content, found = json.loads(document["content"]), describe_registered(event)
    here = {name: value for name, value in found.items() if name in SETTINGS}
    changes = [(each["old"], each["new"]) for each in document["changes"]]
    differences = [*check_settings(content["settings"], changes, here)]
    if digest_of(document["content"]) != document["digest"]:
        differences.append("digest")
    if with_controls:
        names = ("act", "matchup", "old", "new")
        key_changes = [
            KeyChange(*(each[name] for name in names)) for each in document["key_changes"]
        ]
        differences += check_keys(event, content, document["keys_key"], key_changes)
    return [f"registration: {name} was changed without a record" for name in differences]

"""Whether an event is as it registered, but for what the record of decisions says was changed."""

from collections.abc import Iterable, Iterator, Sequence

from arena.events.ledger import DECISION_KIND, REGISTRATION_KIND, digest_of, split_keys
from arena.events.lifecycle.registration.changes import (
    Change,
    list_key_decisions,
    list_setting_changes,
    to_change,
    to_key_changes,
)
from arena.events.lifecycle.registration.keys import KeyChange, digest_keys, read_keys, roll_back
from arena.events.lifecycle.registration.writing import (
    Content,
    describe_registered,
)
from arena.events.models import Decision, Event, LedgerEntry, Registration


def find_differences(registration: Registration) -> list[str]:
    """What was changed behind the record, by name; empty where everything is as registered or as
    recorded since."""
    event, content = registration.event, registration.read_content()
    settings, keys = list(list_setting_changes(event)), list(list_key_decisions(event))
    found = [
        *check_digests(registration),
        *check_decisions([*settings, *keys]),
        *check_settings(content["settings"], map(to_change, settings), describe_registered(event)),
        *check_keys(event, content, registration.keys_key, to_key_changes(keys)),
    ]
    return list(dict.fromkeys(found))


def check_digests(registration: Registration) -> Iterator[str]:
    """The registration itself: as its digest says, and as it was entered in the ledger, once."""
    digest = digest_of(registration.content)
    if registration.digest != digest:
        yield "registration"
    entries = LedgerEntry.objects.filter(
        event=registration.event_id, kind=REGISTRATION_KIND.name
    ).order_by("pk")
    if [entry.content.get("sha256") for entry in entries] != [digest]:
        yield "registration in the ledger"


def check_decisions(decisions: Sequence[Decision]) -> Iterator[str]:
    """Decisions that are not as they were entered in the ledger."""
    times = {each.pk: each.made_at for each in decisions}
    for some in split_keys(sorted(times)):
        rows = DECISION_KIND.read(some)
        entries = LedgerEntry.objects.filter(kind=DECISION_KIND.name, subject__in=some)
        entered = dict(entries.newest_first().values_list("subject", "content"))
        for key in some:
            if entered.get(key) != rows[key]:
                yield f"decision of {times[key]:%Y-%m-%d %H:%M:%S}"


def check_settings(registered: Content, changes: Iterable[Change], found: Content) -> Iterator[str]:
    """Settings that are not what was registered and then changed with a record.

    A setting that a later release has added was not registered, and one that it has dropped is
    nowhere: neither is a change.
    """
    said = dict(registered)
    for old, new in changes:
        yield from compare_settings({name: said[name] for name in old if name in said}, old)
        said |= new
    yield from compare_settings(said, found)


def compare_settings(said: Content, found: Content) -> Iterator[str]:
    """The names of settings that differ; parts of terms and questions by names of their own."""
    for name in sorted(said.keys() & found.keys()):
        one, other = said[name], found[name]
        if name == "terms":
            yield from (f"terms.{part}" for part in compare_parts(one, other))
        elif name == "questions" and len(one) == len(other):
            for mine, theirs in zip(one, other, strict=True):
                parts = compare_parts(mine, theirs)
                yield from (f"questions.{mine['name']}.{part}" for part in parts)
        elif one != other:
            yield name


def compare_parts(one: Content, other: Content) -> list[str]:
    """The parts of both that differ."""
    return sorted(part for part in one.keys() & other.keys() if one[part] != other[part])


def check_keys(
    event: Event, content: Content, keys_key: str, changes: Sequence[KeyChange]
) -> Iterator[str]:
    """The controls whose keys are not as recorded, and whether the rest is what was registered."""
    before, odd = roll_back(read_keys(event), changes)
    yield from (f"key of {matchup}" for matchup in odd)
    registered: Content = content["controls"]
    is_same = digest_keys(before, keys_key) == registered["digest"]
    if not is_same or len(before) != registered["count"]:
        yield "keys of controls"

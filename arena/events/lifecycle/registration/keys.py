"""The controls' keys as one digest, and what the record of decisions makes of them since.

The digest is HMAC-SHA256, under a random key that is published with the result, over the canonical
JSON of the keys in force by matchup, "external id of its record: key of the matchup": everything
of it stands in a bundle.
"""

import hmac
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from arena.events.ledger import encode_canonically
from arena.events.models import Act, Control, Event

# What becomes of keys; a corrected record hands its own on to its successor.
KEY_ACTS = (Act.KEY_SET, Act.KEY_CHANGED, Act.KEY_WITHDRAWN)
ACTS_ON_KEYS = (*KEY_ACTS, Act.RECORD_CORRECTED)
# From a matchup's name to the key that is in force.
Keys = dict[str, Any]


@dataclass(frozen=True)
class KeyChange:
    """A decision about a key, as `Decision` has it; of a corrected record, old and new are the
    records' external ids."""

    act: str
    matchup: str
    old: Any
    new: Any


def read_keys(event: Event) -> Keys:
    """The keys in force of everything that has been imported."""
    controls = Control.objects.filter(
        matchup__event=event, retired_at=None, matchup__record__imported_at__isnull=False
    )
    rows = controls.values_list("matchup__record__external_id", "matchup__key", "key")
    return {f"{record}: {matchup}": key for record, matchup, key in rows}


def digest_keys(keys: Keys, keys_key: str) -> str:
    """HMAC-SHA256 of the keys, hexadecimal; keys_key: 256 bits, hexadecimal."""
    said = encode_canonically(keys).encode()
    return hmac.digest(bytes.fromhex(keys_key), said, "sha256").hex()


def roll_back(keys: Keys, changes: Sequence[KeyChange]) -> tuple[Keys, list[str]]:
    """The keys before these changes, which are given from the first to the last, and the matchups
    whose key was another than the changes say."""
    before, odd = dict(keys), []
    for change in reversed(changes):
        if change.act == Act.RECORD_CORRECTED:
            odd += take_out_successor(before, change.old, change.new)
            continue
        if before.get(change.matchup) != in_force(change.new):
            odd.append(change.matchup)
        before.pop(change.matchup, None)
        if in_force(change.old) is not None:
            before[change.matchup] = change.old
    return before, odd


def in_force(said: Any) -> Any:
    """What a decision says of a key; None where it was not in force."""
    return None if said is None or said.get("withdrawn") else said


def take_out_successor(keys: Keys, record: str, successor: str) -> list[str]:
    """Take the keys of a record's new version out; those that the record itself did not have."""
    mine, theirs = (
        {name: key for name, key in keys.items() if name.rpartition(": ")[0] == owner}
        for owner in (record, successor)
    )
    handed_on = Counter(map(encode_canonically, mine.values()))
    handed_on.subtract(map(encode_canonically, theirs.values()))
    for name in theirs:
        del keys[name]
    return sorted(theirs) if min(handed_on.values(), default=0) < 0 else []

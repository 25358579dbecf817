"""Changes of what was registered, as people read them: short values side by side, long texts line
by line."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import unified_diff
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from arena.events.lifecycle.registration.changes import to_change
from arena.events.lifecycle.registration.words import (
    flatten_terms,
    name_setting,
    read_key,
    read_value,
)
from arena.events.lifecycle.registration.writing import UNREGISTERED
from arena.events.models import Act, Decision

MAX_SHORT = 100
"""Characters of a value that is shown whole."""
CONTEXT_LINES = 2
"""Lines around a change that are shown with it."""
HEAD_LINES = 2
"""Lines before the first change, which name two files elsewhere."""
KINDS = {"+": "added", "-": "removed", "@": "gap"}


@dataclass(frozen=True)
class DiffLine:
    """A line of a long text; kind: added, removed, same, or gap for what is left out."""

    kind: str
    text: str


@dataclass(frozen=True)
class FieldChange:
    """One setting before and after; lines: of a long text, in place of both."""

    label: str
    old: str
    new: str
    lines: list[DiffLine] = field(default_factory=list)


@dataclass(frozen=True)
class RecordedChange:
    """A decision that changed settings; is_partly_hidden: some of them are not registered."""

    decision: Decision
    fields: list[FieldChange]
    is_partly_hidden: bool


def describe_changes(decision: Decision, zone: ZoneInfo) -> RecordedChange:
    """What a decision changed, setting by setting."""
    old, new = map(flatten_terms, to_change(decision))
    fields = [
        compare_values(name, old.get(name), new.get(name), zone)
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
    return RecordedChange(decision, fields, bool(UNREGISTERED & (decision.new or {}).keys()))


@dataclass(frozen=True)
class KeyChangeRow:
    """A decision about a key, or a correction that handed keys on, in words."""

    decision: Decision
    subject: str
    old: str
    new: str


def describe_key_change(decision: Decision) -> KeyChangeRow:
    """What became of a key."""
    if decision.act == Act.RECORD_CORRECTED:
        return KeyChangeRow(decision, str(decision.old), str(decision.old), str(decision.new))
    old, new = read_key(decision.old), read_key(decision.new)
    return KeyChangeRow(decision, decision.matchup, old, new)


def compare_values(name: str, old: Any, new: Any, zone: ZoneInfo) -> FieldChange:
    """One setting before and after, in words."""
    before, after = (read_value(name, value, zone) for value in (old, new))
    is_long = any("\n" in text or len(text) > MAX_SHORT for text in (before, after))
    lines = list(diff_lines(before, after)) if is_long else []
    return FieldChange(name_setting(name), before, after, lines)


def diff_lines(before: str, after: str) -> Iterator[DiffLine]:
    """The lines that differ, with a few around them."""
    compared = unified_diff(before.splitlines(), after.splitlines(), n=CONTEXT_LINES, lineterm="")
    for number, line in enumerate(islice(compared, HEAD_LINES, None)):
        kind = KINDS.get(line[:1], "same")
        if kind != "gap":
            yield DiffLine(kind, line[1:])
        elif number:
            yield DiffLine(kind, "…")

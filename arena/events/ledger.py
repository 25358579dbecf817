"""Entries of the ledger about what is judged, and how a row says its part of one.

Whoever changes a row that a board follows from calls `append_entries` in the same transaction: a
row that differs from its latest entry was changed behind the application's back. A row that no
sealed judgment needs yet has no entry; the sealing task writes the first one.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.db.models import Exists, OuterRef

from arena.events.models import (
    COVARIATES,
    Category,
    Competitor,
    Control,
    Decision,
    Event,
    LedgerEntry,
    Matchup,
    MatchupResponse,
    Question,
    Record,
    Registration,
    Response,
)

Content = dict[str, Any]
# Rows read in one statement.
ROWS_AT_ONCE = 1_000
SETTINGS = (
    *("scale", "both_bad", "timezone", "control_interval"),
    *("counts_imported", "counts_simulated", "counts_machine"),
)


@dataclass(frozen=True)
class EntryKind:
    """A kind of entry: its name, what its subject is called, and how rows are read."""

    name: str
    noun: str
    # From primary keys to what each row says; a row that is gone is missing.
    read: Callable[[Collection[int]], dict[int, Content]]
    version: int = 1


def digest_of(value: Any) -> str:
    """SHA-256 of a text, or of the canonical JSON of something else."""
    text = value if isinstance(value, str) else encode_canonically(value)
    return hashlib.sha256(text.encode()).hexdigest()


def encode_canonically(value: Any) -> str:
    """JSON with sorted keys and no spaces: the same bytes on every database."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def read_fields(model: Any, *fields: str) -> Callable[[Collection[int]], dict[int, Content]]:
    """A reader of these columns, by primary key."""

    def read(keys: Collection[int]) -> dict[int, Content]:
        rows = model.objects.filter(pk__in=keys).values("pk", *fields)
        return {row.pop("pk"): row for row in rows}

    return read


def read_records(keys: Collection[int]) -> dict[int, Content]:
    """A record's event, its prompt by digest, and its categories."""
    filed: dict[int, list[int]] = {}
    links = Record.categories.through.objects.filter(record__in=keys).order_by("category_id")
    for record, category in links.values_list("record_id", "category_id"):
        filed.setdefault(record, []).append(category)
    rows = Record.objects.filter(pk__in=keys).values_list("pk", "event_id", "prompt")
    return {
        pk: {"event": event, "prompt": digest_of(prompt), "categories": filed.get(pk, [])}
        for pk, event, prompt in rows
    }


def read_responses(keys: Collection[int]) -> dict[int, Content]:
    """A response's record and competitor, its text by digest, and the covariates of its style."""
    names = [covariate.name for covariate in COVARIATES]
    columns = ("pk", "record_id", "competitor_id", "text", *names)
    return {
        pk: {
            "record": record,
            "competitor": competitor,
            "text": digest_of(text),
            "style": dict(zip(names, style, strict=True)),
        }
        for pk, record, competitor, text, *style in Response.objects.filter(
            pk__in=keys
        ).values_list(*columns)
    }


def read_matchups(keys: Collection[int]) -> dict[int, Content]:
    """A matchup's record, its role, and its responses in canonical order."""
    shown: dict[int, list[list[int]]] = {}
    places = MatchupResponse.objects.filter(matchup__in=keys).order_by("position", "pk")
    for matchup, position, response in places.values_list("matchup_id", "position", "response_id"):
        shown.setdefault(matchup, []).append([position, response])
    rows = Matchup.objects.filter(pk__in=keys).values_list(
        "pk", "event_id", "record_id", "role", "key"
    )
    return {
        pk: {
            "event": event,
            "record": record,
            "role": role,
            "key": key,
            "responses": shown.get(pk, []),
        }
        for pk, event, record, role, key in rows
    }


def read_keys(keys: Collection[int]) -> dict[int, Content]:
    """A control's key, by the primary key of its matchup, and whether it is in force."""
    rows = Control.objects.filter(matchup__in=keys)
    return {
        matchup: {"question": question, "key": key, "in_force": retired_at is None}
        for matchup, question, key, retired_at in rows.values_list(
            "matchup_id", "question_id", "key", "retired_at"
        )
    }


def read_registrations(keys: Collection[int]) -> dict[int, Content]:
    """What an event registered at its opening, by digest, and when; by the event's primary key."""
    rows = Registration.objects.filter(event__in=keys)
    return {
        event: {"sha256": digest_of(content), "at": at.astimezone(UTC).isoformat()}
        for event, content, at in rows.values_list("event_id", "content", "registered_at")
    }


def read_decisions(keys: Collection[int]) -> dict[int, Content]:
    """Each decision by digest, under the event's secret: the chain is published with the result,
    and whom a decision is about could be guessed from a plain one."""
    rows = Decision.objects.filter(pk__in=keys).select_related("event")
    return {row.pk: {"event": row.event_id, "hmac": digest_decision(row)} for row in rows}


def digest_decision(row: Decision) -> str:
    """HMAC-SHA256, hexadecimal, of everything that a decision says."""
    said = [
        *(str(row.uuid), row.act, row.made_at.astimezone(UTC).isoformat(), row.by),
        *(row.confirmed_by, row.is_alone, row.contributor, row.matchup, row.reason, row.note),
        *(row.judgments, row.old, row.new, row.seen),
    ]
    secret = row.event.secret.encode()
    return hmac.digest(secret, encode_canonically(said).encode(), "sha256").hex()


SETTINGS_KIND = EntryKind("settings", "Event", read_fields(Event, *SETTINGS))
QUESTION_KIND = EntryKind(
    "question", "Question", read_fields(Question, "event_id", "name", "kind", "settings")
)
COMPETITOR_KIND = EntryKind(
    "competitor",
    "Model",
    read_fields(Competitor, "event_id", "name", "organization", "licence", "joined_late"),
)
CATEGORY_KIND = EntryKind("category", "Category", read_fields(Category, "event_id", "slug", "name"))
RECORD_KIND = EntryKind("record", "Record", read_records)
RESPONSE_KIND = EntryKind("response", "Response", read_responses)
MATCHUP_KIND = EntryKind("matchup", "Matchup", read_matchups)
KEY_KIND = EntryKind("key", "The key of matchup", read_keys)
REGISTRATION_KIND = EntryKind("registration", "The registration of event", read_registrations)
DECISION_KIND = EntryKind("decision", "Decision", read_decisions)
KINDS = {
    kind.name: kind
    for kind in (
        *(SETTINGS_KIND, QUESTION_KIND, COMPETITOR_KIND, CATEGORY_KIND),
        *(RECORD_KIND, RESPONSE_KIND, MATCHUP_KIND, KEY_KIND),
        *(REGISTRATION_KIND, DECISION_KIND),
    )
}


def append_entries(event_id: int, kind: EntryKind, keys: Collection[int]) -> None:
    """Write down what these rows say now, or that they are gone.

    Call it after the change, in the transaction that makes it: the lock on the changed row then
    keeps the entries in the order of the changes.
    """
    LedgerEntry.objects.bulk_create(build_entries(event_id, kind, keys))


def build_entries(event_id: int, kind: EntryKind, keys: Collection[int]) -> Iterator[LedgerEntry]:
    """Entries of what these rows say now, not yet saved."""
    for some in split_keys(sorted(keys)):
        contents = kind.read(some)
        for key in some:
            yield LedgerEntry(
                event_id=event_id,
                kind=kind.name,
                version=kind.version,
                subject=key,
                content=contents.get(key, {}),
            )


def split_keys(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    """Slices of keys short enough for one statement."""
    for start in range(0, len(keys), ROWS_AT_ONCE):
        yield keys[start : start + ROWS_AT_ONCE]


def has_entry(event_id: int, kind: EntryKind, key: str = "pk") -> Exists:
    """A condition: the ledger has an entry about the row with this primary key."""
    return Exists(LedgerEntry.objects.filter(event=event_id, kind=kind.name, subject=OuterRef(key)))


def find_written(event_id: int, kind: EntryKind, keys: Collection[int]) -> list[int]:
    """Those of these rows about which the ledger has an entry."""
    entries = LedgerEntry.objects.filter(event=event_id, kind=kind.name, subject__in=keys)
    return sorted(set(entries.values_list("subject", flat=True)))

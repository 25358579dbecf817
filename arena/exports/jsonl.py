"""The full record of an event: one JSON object per standing judgment and line.

docs/exports.md says what each field means. Their names and their order are a promise to whoever
reads the file: fields are added at the end, and none is renamed.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from arena.events.models import Event, Matchup, Record
from arena.exports.moments import one_moment
from arena.exports.rows import Row, judgment_rows
from arena.questions import Value

TIE, BOTH_BAD = "tie", "both_bad"


def judgment_lines(event: Event) -> Iterator[str]:
    """One line per standing judgment, as all of them were at one moment."""
    kinds = dict(event.questions.values_list("name", "kind"))
    with one_moment():
        for row in judgment_rows(event):
            yield json_line(as_json(row, kinds, event.scale))


def count_unjudged(event: Event) -> int:
    """Records that no line tells of, since nobody has judged anything of them."""
    judged = event.judgments.standing().values("matchup__record")
    records = Record.objects.filter(event=event, imported_at__isnull=False, retired_at=None)
    return records.exclude(pk__in=judged).count()


def json_line(value: Any) -> str:
    """Compact JSON in one line; text stays readable in every script."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def as_json(row: Row, kinds: dict[str, str], scale: int) -> dict[str, Any]:
    """A row under its published names; `kinds` maps names of questions to their kinds in order.

    The first preference and the first text have fields of their own; what else was asked is
    under `other_answers`.
    """
    first, second = row.sides
    preference = answer_of(row, kinds, "preference")
    comment = answer_of(row, kinds, "text")
    own = {name_of(kinds, "preference"), name_of(kinds, "text")}
    left, right = on_screen(row.order)
    return {
        "uuid": row.uuid,
        "ledger_seq": row.ledger_seq,
        "external_id": row.record.external_id,
        "prompt": row.record.turns,
        "categories": row.record.categories,
        "first_competitor": first.competitor,
        "first_response": first.text,
        "second_competitor": second.competitor,
        "second_response": second.text,
        "left": left,
        "right": right,
        "scale": scale,
        "outcome": preference["outcome"] if preference else None,
        "both_bad": preference["both_bad"] if preference else None,
        "winner": winner_of(row, preference),
        "comment": comment["text"] if comment else None,
        "other_answers": {name: row.answers[name] for name in row.answers if name not in own},
        "pseudonym": row.pseudonym,
        "contributor_kind": row.contributor_kind,
        "guidelines_version": row.guidelines_version,
        "assignment": row.assignment,
        "shown_at": moment(row.shown_at),
        "judged_at": moment(row.judged_at),
        "revision": row.revision,
        "origin": row.origin,
        "role": row.role,
        "is_control": row.role == Matchup.Role.CONTROL,
        "exclusion": row.exclusion,
        "counted": row.counted,
        "metadata": json.dumps(row.record.metadata, ensure_ascii=False),
        "key": row.key,
        "key_reason": row.key_reason,
        "first_competitor_id": first.competitor_id,
        "second_competitor_id": second.competitor_id,
        "contributor_id": row.contributor_id,
        "matchup_id": row.matchup_id,
    }


def name_of(kinds: dict[str, str], kind: str) -> str | None:
    """The first question of a kind."""
    return next((name for name, its in kinds.items() if its == kind), None)


def answer_of(row: Row, kinds: dict[str, str], kind: str) -> Value | None:
    """The answer to the first question of a kind."""
    name = name_of(kinds, kind)
    return row.answers.get(name) if name else None


def on_screen(order: list[int] | None) -> tuple[str | None, str | None]:
    """Which of the two stood left and which right; nulls where the source did not say."""
    if order is None:
        return None, None
    return ("first", "second") if order[0] < order[1] else ("second", "first")


def winner_of(row: Row, preference: Value | None) -> str | None:
    """The better response's competitor, "tie" or "both_bad".

    Null where nothing was preferred, or where a control's response that belongs to nobody was.
    """
    if preference is None:
        return None
    if preference["both_bad"]:
        return BOTH_BAD
    if preference["outcome"] == 0:
        return TIE
    return row.sides[0 if preference["outcome"] > 0 else 1].competitor


def moment(at: datetime | None) -> str | None:
    """ISO 8601 with the offset."""
    return at.isoformat() if at else None

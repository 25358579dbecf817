"""The types of an export's columns, in the form that `datasets.Features.from_dict` reads.

A reader that goes by the first rows takes a column for empty where its first megabytes are null
(comments that begin late, exclusions), and refuses the rest of the file. Told the types, it reads
it.
"""

import json
from typing import Any

from arena.events.models import Event
from arena.exports.jsonl import name_of

Feature = Any


def value(dtype: str) -> Feature:
    """A column of one type."""
    return {"dtype": dtype, "_type": "Value"}


TEXT, FLAG, NUMBER = value("string"), value("bool"), value("int64")
MOMENT = value("timestamp[us, tz=UTC]")
MESSAGES = [{"role": TEXT, "content": TEXT}]
PREFERENCE = {"outcome": NUMBER, "both_bad": FLAG, "first_on_left": FLAG}
COLUMNS: dict[str, Feature] = {
    "uuid": TEXT,
    "ledger_seq": NUMBER,
    "external_id": TEXT,
    "prompt": MESSAGES,
    "categories": [TEXT],
    "first_competitor": TEXT,
    "first_response": TEXT,
    "second_competitor": TEXT,
    "second_response": TEXT,
    "left": TEXT,
    "right": TEXT,
    "scale": NUMBER,
    "outcome": NUMBER,
    "both_bad": FLAG,
    "winner": TEXT,
    "comment": TEXT,
    "other_answers": {},
    "pseudonym": TEXT,
    "contributor_kind": TEXT,
    "guidelines_version": NUMBER,
    "assignment": TEXT,
    "shown_at": MOMENT,
    "judged_at": MOMENT,
    "revision": NUMBER,
    "origin": TEXT,
    "role": TEXT,
    "is_control": FLAG,
    "exclusion": TEXT,
    "counted": FLAG,
    "metadata": TEXT,
    "key": TEXT,
    "key_reason": TEXT,
    "first_competitor_id": NUMBER,
    "second_competitor_id": NUMBER,
    "contributor_id": NUMBER,
    "matchup_id": NUMBER,
}


def judgment_features(event: Event) -> dict[str, Feature]:
    """The columns of the judgments; further answers are those of the event's questions."""
    kinds = dict(event.questions.values_list("name", "kind"))
    own = {name_of(kinds, "preference"), name_of(kinds, "text")}
    others = {
        name: PREFERENCE if kind == "preference" else {"text": TEXT}
        for name, kind in kinds.items()
        if name not in own
    }
    return COLUMNS | {"other_answers": others}


def pair_features(*, as_strings: bool) -> dict[str, Feature]:
    """The columns of the preference pairs."""
    return dict.fromkeys(("prompt", "chosen", "rejected"), TEXT if as_strings else MESSAGES)


def features_text(features: dict[str, Feature]) -> str:
    """The file that stands beside an export."""
    return json.dumps(features, indent=1) + "\n"

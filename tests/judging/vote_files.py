"""Votes as files hold them, and an event with records to vote on."""

import io
import json
from datetime import UTC, datetime
from random import Random
from typing import Any

from arena.events.importing import ImportReport, import_records
from arena.events.models import (
    Competitor,
    Enrollment,
    Event,
    Matchup,
    MatchupResponse,
    Response,
)
from arena.judging.importing import VoteOptions, import_judgments
from arena.judging.models import Answer, Judgment
from tests.factories import NOW

LATER = datetime(2027, 1, 1, tzinfo=UTC)


def with_records(event: Event, count: int = 3) -> Event:
    """Records r0, r1 …, each with responses of Ash, Birch and Cedar, in this order of keys."""
    rows = [
        {
            "external_id": f"r{number}",
            "prompt": f"Is it {number}?",
            "responses": {name: f"{name} says {number}." for name in ("Ash", "Birch", "Cedar")},
        }
        for number in range(count)
    ]
    content = io.BytesIO(json.dumps(rows).encode())
    report = import_records(event, content, accepts_doubts=True, now=NOW, rng=Random(1))
    assert report.landed
    return event


def vote(**fields: Any) -> dict[str, Any]:
    """Worker w1 prefers Ash to Birch on record r0."""
    said = {"worker": "w1", "record": "r0", "model_a": "Ash", "model_b": "Birch", "winner": "a"}
    return {key: value for key, value in (said | fields).items() if value is not None}


def bring(event: Event, votes: list[Any] | bytes, **options: Any) -> ImportReport:
    """Import votes given as objects or bytes."""
    if isinstance(votes, list):
        votes = "".join(json.dumps(one) + "\n" for one in votes).encode()
    said = {"ends": (2, -2)} | {
        name: options.pop(name) for name in VoteOptions.__dataclass_fields__ if name in options
    }
    return import_judgments(
        event,
        io.BytesIO(votes),
        options=VoteOptions(**said),
        **({"now": LATER, "rng": Random(1)} | options),
    )


def everything() -> dict[str, list[Any]]:
    """All rows that an import of votes may touch."""
    models = (Competitor, Enrollment, Response, Matchup, MatchupResponse, Judgment, Answer)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


CSV = (
    "annotator,prompt,model_a,model_b,winner,pair\r\n"
    "w1,r0,Ash,Birch,a,0\r\nw2,r0,Ash,Birch,tie,0\r\n"
)

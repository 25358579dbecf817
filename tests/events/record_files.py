"""Records as files hold them, and what an import of them leaves behind."""

import io
import json
from random import Random
from typing import Any

from arena.events.importing import (
    ImportReport,
    import_records,
)
from arena.events.models import (
    Category,
    Competitor,
    Control,
    Event,
    Matchup,
    MatchupResponse,
    Record,
    Response,
)
from tests.factories import NOW


def record(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A record of two responses."""
    responses = {"Ash 1": f"Yes {number}.", "Birch 2": f"No {number}."}
    said = {"external_id": f"r{number}", "prompt": f"Is it {number}?", "responses": responses}
    return said | fields


def jsonl(*records: Any) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in records).encode()


# What is doubtful is accepted, but in tests of doubts.
TAKEN: dict[str, Any] = {"now": NOW, "rng": Random(1), "accepts_doubts": True}


def bring(event: Event, content: bytes | list[Any], **options: Any) -> ImportReport:
    """Import bytes, or records as JSONL."""
    if isinstance(content, list):
        content = jsonl(*content)
    return import_records(event, io.BytesIO(content), **(TAKEN | options))


def everything() -> dict[str, list[Any]]:
    """All rows that an import may touch."""
    models = (Competitor, Category, Record, Response, Matchup, MatchupResponse, Control)
    links = Record.categories.through
    return {
        model.__name__: list(model.objects.order_by("pk").values()) for model in (*models, links)
    }


def control(expected: str, **fields: Any) -> dict[str, Any]:
    key = {"expected": expected, "reason": "So it is."}
    return record(responses=[{"text": "first"}, {"text": "second"}], control=key) | fields


def broken(**fields: Any) -> bytes:
    """A right line and then one with these fields."""
    return jsonl(record(1), record(2, **fields))


HEADER = b"external_id,prompt,model_a,response_a,model_b,response_b\n"
LINE = b"r1,p,Ash,x,Birch,y\n"

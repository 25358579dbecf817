"""Files of records as a test writes them, imported by the function behind page and command."""

import csv
import io
import json
from random import Random
from typing import Any

from arena.events.importing import ImportReport, import_records
from arena.events.models import Event, Matchup, Record
from tests.factories import NOW


def lines_of(*objects: Any) -> bytes:
    """JSON Lines."""
    return "".join(json.dumps(one) + "\n" for one in objects).encode()


def table(header: list[str], *rows: list[Any], delimiter: str = ",") -> bytes:
    """CSV."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([header, *rows])
    return out.getvalue().encode()


def bring(event: Event, content: bytes, **options: Any) -> ImportReport:
    """Import a file; nothing doubtful is accepted unless the caller says so."""
    return import_records(event, io.BytesIO(content), **({"now": NOW, "rng": Random(1)} | options))


def kinds(report: ImportReport) -> list[str]:
    """The kinds of doubt that a file gave rise to."""
    return sorted(doubt.kind for doubt in report.doubts)


def stored(event: Event) -> dict[str, tuple[Any, dict[str, str]]]:
    """Prompt (the text, where it is one turn of the user's) and responses by model, by id."""
    found = {}
    visible = Record.objects.filter(event=event, imported_at__isnull=False)
    for record in visible.order_by("pk"):
        turns = record.prompt
        is_text = len(turns) == 1 and turns[0]["role"] == "user"
        texts = dict(record.responses.order_by("pk").values_list("competitor__name", "text"))
        found[record.external_id] = (turns[0]["content"] if is_text else turns, texts)
    return found


def matchups(event: Event) -> int:
    """How many pairs there are to be judged."""
    return Matchup.objects.serving().filter(event=event).count()

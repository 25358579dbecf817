"""Votes from elsewhere, imported with nothing said of them but what a test says."""

import io
import json
from random import Random
from typing import Any

from arena.events.importing import ImportReport
from arena.events.models import Event
from arena.judging.importing import VoteOptions, import_judgments
from arena.judging.models import Answer
from tests.judging.vote_files import LATER


def bring(event: Event, votes: list[Any], on_error: str = "stop", **said: Any) -> ImportReport:
    content = "".join(json.dumps(one) + "\n" for one in votes).encode()
    return import_judgments(
        event,
        io.BytesIO(content),
        on_error=on_error,
        options=VoteOptions(**said),
        now=LATER,
        rng=Random(1),
    )


def stored() -> list[tuple[Any, ...]]:
    """Outcome for Ash, both bad, and whether Ash stood left, in the file's order."""
    answers = Answer.objects.filter(outcome__isnull=False).order_by("judgment_id")
    return list(answers.values_list("outcome", "both_bad", "first_on_left"))

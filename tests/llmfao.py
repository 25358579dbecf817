"""The published LLMFAO votes (dustalov/llmfao, CC BY 4.0) as an event, by way of the importers.

Only the crowd's part: 59 models, 13 prompts, 8,931 votes of 124 workers on 2,139 pairs.
"""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from django.db import connection

from arena.events.importing import CompetitorRow, ImportReport, import_records
from arena.events.models import Event
from arena.judging.importing import VoteOptions, import_judgments
from tests.factories import NOW

COMPETITORS, PROMPTS, VOTES, WORKERS, PAIRS, GOLDS = 59, 13, 8_931, 124, 2_139, 7
SETTINGS = {"scale": Event.Scale.THREE, "both_bad": False, "matchups_per_record": 1}


def load_llmfao(
    event: Event, folder: Path, scratch: Path, *, now: datetime = NOW
) -> tuple[ImportReport, ImportReport]:
    """Import the records (the instructor's golds as controls), then the votes.

    `event` has the `SETTINGS`; `folder` holds the published files, `scratch` takes what is made
    of them. The pairs that were voted on become matchups through their votes.
    """
    data = folder / "llmfao"
    records = scratch / "records.jsonl"
    with records.open("w", encoding="utf-8") as file:
        for record in [*crowd_records(data), *gold_records(data)]:
            file.write(json.dumps(record) + "\n")
    first = import_records(
        event,
        records,
        accepts_doubts=True,
        competitors=competitors(data),
        now=now,
        rng=Random(1),
    )
    second = import_judgments(
        event,
        data / "votes.csv",
        mapping={"prompt_id": "record", "pair_id": ""},
        options=VoteOptions(left="a"),
        now=now,
        rng=Random(2),
    )
    # Nothing has told the planner of so many rows: the test's transaction has not ended.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return first, second


def crowd_records(data: Path) -> Iterator[dict[str, Any]]:
    """The prompts that the crowd judged, each with the responses of the models it judged."""
    responses: dict[int, dict[str, str]] = {}
    for response in lines(data / "responses.jsonl"):
        if response["in_crowd"]:
            responses.setdefault(response["prompt_id"], {})[response["model"]] = response["text"]
    for prompt in lines(data / "prompts.jsonl"):
        if prompt["in_crowd"]:
            yield {
                "external_id": prompt["id"],
                "prompt": prompt["prompt"],
                "responses": responses[prompt["id"]],
                "categories": [prompt["type"]],
                "metadata": {"slug": prompt["slug"]},
            }


def gold_records(data: Path) -> Iterator[dict[str, Any]]:
    """The pairs whose right side the instructor gave, with the reason."""
    for gold in lines(data / "gold.jsonl"):
        yield {
            "external_id": f"gold{gold['pair_id']}",
            "prompt": gold["prompt"],
            "responses": [{"text": gold["response_a"]}, {"text": gold["response_b"]}],
            "control": {"expected": gold["gold"], "reason": gold["reason"]},
        }


def competitors(data: Path) -> list[CompetitorRow]:
    """Who makes the models that the crowd judged."""
    with (data / "models.csv").open(encoding="utf-8", newline="") as file:
        return [
            CompetitorRow(row["name"], organization=row["org"])
            for row in csv.DictReader(file)
            if row["in_crowd"] == "1"
        ]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)

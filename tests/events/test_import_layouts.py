"""Files of the layouts in which preference data are published, by page and by command.

What is pairs with the names of models lands right with at most a mapping; nothing lands wrong; the
rest is refused in one sentence. The texts are our own.
"""

import gzip
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from arena.events.models import Event, ImportJob, Membership, Record
from arena.events.tasks import run_import
from tests.events.bringing import lines_of, matchups, stored, table
from tests.factories import make_event, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
YES, NO = "Rain is water that falls.", "It is weather, mostly wet."
Q = "What is rain?"


def turns(*texts: str) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]


def parts(*texts: str) -> list[dict[str, Any]]:
    """Messages whose content is in parts, as the later arena sets have them."""
    return [{"role": turn["role"], "content": [part(turn["content"])]} for turn in turns(*texts)]


def part(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "image": None, "mimeType": None}


@dataclass(frozen=True)
class Layout:
    """A file, what the command is told of its columns, and what is there afterwards."""

    name: str
    content: bytes
    mapping: dict[str, str]
    # By identifier: prompt and texts by model; empty: refused.
    there: dict[str, tuple[Any, dict[str, str]]]


BOTH = {"Ash": YES, "Birch": NO}
ARENA_33K = {
    "question_id": "58210e39",
    "model_a": "Ash",
    "model_b": "Birch",
    "winner": "model_a",
    "judge": "arena_user_9",
    "conversation_a": turns(Q, YES),
    "conversation_b": turns(Q, NO),
    "turn": 1,
    "anony": True,
    "language": "English",
    "tstamp": 1682351591.1,
    "openai_moderation": None,
    "toxic_chat_tag": None,
}
ARENA_55K = table(
    [
        *("id", "model_a", "model_b", "prompt", "response_a", "response_b"),
        *("winner_model_a", "winner_model_b", "winner_tie"),
    ],
    [30192, "Ash", "Birch", json.dumps([Q]), json.dumps([YES]), json.dumps([NO]), 1, 0, 0],
)
ARENA_140K = {
    "id": "c4b9710c",
    "model_a": "Ash",
    "model_b": "Birch",
    "winner": "both_bad",
    "evaluation_session_id": "5f1a",
    "evaluation_order": 4,
    "conversation_a": parts(Q, YES),
    "conversation_b": parts(Q, NO),
    "conv_metadata": {"sum_assistant_a_tokens": 9, "bold_count_a": {"**": 0}},
    "language": "en",
    "is_code": False,
}
MT_BENCH = {
    "question_id": 81,
    "model_a": "Ash",
    "model_b": "Birch",
    "winner": "model_b",
    "judge": "expert_0",
    "conversation_a": turns(Q, YES, "And snow?", "Frozen."),
    "conversation_b": turns(Q, NO, "And snow?", "White."),
    "turn": 2,
}
CONVERSATIONS = {"conversation_a": "response_a", "conversation_b": "response_b"}
ALPACA = [
    {
        "instruction": Q,
        "generator_1": "Ash",
        "output_1": YES,
        "generator_2": "Birch",
        "output_2": NO,
        "annotator": "someone",
        "dataset": "rain",
        "preference": 1.4,
    }
]
OUTPUTS = [
    {"instruction": Q, "output": text, "generator": model, "dataset": "rain"}
    for model, text in BOTH.items()
]
EXCEL = (
    "sep=;\r\nUmfrage Frühling;;;;;\r\n;;;;;\r\n"
    "External ID;Prompt;Model A;Response A;Model B;Response B;\r\n"
    f"1;{Q};Ash;{YES};Birch;{NO};\r\n;;;;;;\r\n"
)
LANDS = {
    "arena 33k": Layout(
        "arena.jsonl",
        lines_of(ARENA_33K),
        {"question_id": "external_id", **CONVERSATIONS},
        {"58210e39": (Q, BOTH)},
    ),
    "arena 55k": Layout("arena.csv", ARENA_55K, {"id": "external_id"}, {"30192": (Q, BOTH)}),
    "arena 140k": Layout(
        "arena.json",
        json.dumps([ARENA_140K]).encode(),
        {"id": "external_id", **CONVERSATIONS},
        {"c4b9710c": (Q, BOTH)},
    ),
    "mt-bench": Layout(
        "bench.jsonl",
        lines_of(MT_BENCH, MT_BENCH | {"turn": 1, "judge": "expert_1", "winner": "tie"}),
        {"question_id": "external_id", **CONVERSATIONS},
        {
            "81": (
                Q,
                {
                    "Ash": f"{YES}\n\n---\n\n*User:*\n\nAnd snow?\n\n---\n\nFrozen.",
                    "Birch": f"{NO}\n\n---\n\n*User:*\n\nAnd snow?\n\n---\n\nWhite.",
                },
            )
        },
    ),
    "alpaca-eval annotations": Layout(
        "annotations.json",
        json.dumps(ALPACA, indent=2).encode(),
        {
            "instruction": "prompt",
            "generator_1": "model_a",
            "output_1": "response_a",
            "generator_2": "model_b",
            "output_2": "response_b",
        },
        {"": (Q, BOTH)},
    ),
    "alpaca-eval outputs": Layout(
        "outputs.json",
        json.dumps(OUTPUTS).encode(),
        {"instruction": "prompt", "generator": "model", "output": "response"},
        {"": (Q, BOTH)},
    ),
    "an Excel CSV": Layout("Mappe1.csv", EXCEL.encode("utf-8-sig"), {}, {"1": (Q, BOTH)}),
    "an Excel text in Unicode": Layout(
        "Mappe1.txt",
        EXCEL.replace("sep=;\r\n", "").replace(";", "\t").encode("utf-16"),
        {},
        {"1": (Q, BOTH)},
    ),
}
HH = {
    "chosen": f"\n\nHuman: {Q}\n\nAssistant: {YES}",
    "rejected": f"\n\nHuman: {Q}\n\nAssistant: {NO}",
}
ULTRA = {
    "source": "evol_instruct",
    "instruction": Q,
    "models": ["Ash", "Birch"],
    "completions": [
        {"model": model, "response": text, "annotations": {"honesty": {"Rating": "4"}}}
        for model, text in BOTH.items()
    ],
    "correct_answers": ["None"],
}
HELPSTEER = {
    "domain": "general",
    "language": "english",
    "context": turns(Q),
    "response1": YES,
    "response2": NO,
    "overall_preference": -2,
    "individual_preference": [{"score": -2, "reasoning": "x", "feedback1": "a", "feedback2": "b"}],
}
ARGILLA_1 = {
    "instruction": Q,
    "response-1": YES,
    "response-2": NO,
    "preference": [{"user_id": "u1", "value": "1", "status": "submitted"}],
    "metadata": "{}",
}
ARGILLA_2 = [
    {
        "id": "7",
        "status": "completed",
        "fields": {"instruction": Q, "response_1": YES, "response_2": NO},
        "metadata": {},
        "suggestions": {},
        "responses": {"preference": [{"value": "response_1", "user_id": "u1"}]},
    }
]
LABEL_STUDIO = [
    {
        "id": 3,
        "data": {"prompt": Q, "answer1": YES, "answer2": NO},
        "annotations": [
            {
                "completed_by": 1,
                "result": [
                    {"type": "pairwise", "from_name": "comparison", "value": {"selected": "left"}}
                ],
            }
        ],
    }
]
POTATO = {
    "user_id": "w1",
    "instance_id": "5",
    "displayed_text": f"{Q} A: {YES} B: {NO}",
    "label_annotations": {"better": {"A": "1"}},
    "behavioral_data": {"time": 12},
}
BATCH = {
    "id": "batch_req_1",
    "custom_id": "r1",
    "response": {
        "status_code": 200,
        "body": {"model": "ash", "choices": [{"message": turns(Q, YES)[1]}]},
    },
    "error": None,
}
REFUSED = {
    "hh-rlhf": Layout("train.jsonl.gz", gzip.compress(lines_of(HH)), {}, {}),
    "ultrafeedback": Layout("ultra.jsonl", lines_of(ULTRA), {}, {}),
    "helpsteer3": Layout("preference.jsonl", lines_of(HELPSTEER), {}, {}),
    "argilla 1": Layout("argilla.jsonl", lines_of(ARGILLA_1), {}, {}),
    "argilla 2": Layout("records.json", json.dumps(ARGILLA_2).encode(), {}, {}),
    "label studio": Layout("project.json", json.dumps(LABEL_STUDIO).encode(), {}, {}),
    "potato": Layout("annotated.jsonl", lines_of(POTATO), {}, {}),
    "openai batch": Layout("batch_output.jsonl", lines_of(BATCH), {}, {}),
}


@pytest.fixture
def event() -> Event:
    return make_event("fair", organizer=make_user("olga"))


def there(event: Event, layout: Layout) -> dict[str, Any]:
    """What is there, an identifier that was made from the texts left out."""
    return {"" if key.startswith("auto-") else key: value for key, value in stored(event).items()}


def by_command(event: Event, layout: Layout, tmp_path: Path, *more: str) -> str:
    """Import by the command; what it prints."""
    path = tmp_path / layout.name
    path.write_bytes(layout.content)
    told = [word for pair in layout.mapping.items() for word in ("--map", "=".join(pair))]
    out = io.StringIO()
    try:
        call_command("import_records", "fair", str(path), *told, *more, stdout=out)
    except CommandError:
        assert "Nothing was imported." in out.getvalue()
    return out.getvalue()


def by_page(event: Event, layout: Layout, client: Client, capture: Any) -> ImportJob:
    """Drop the file, leave every box as it was guessed, confirm what is asked, and import."""
    client.force_login(event.memberships.get(role=Membership.Role.ORGANIZER).user)
    file = SimpleUploadedFile(layout.name, layout.content)
    client.post(reverse("imports:new", args=["fair"]), {"file": file})
    job = ImportJob.objects.get()
    url = reverse("imports:job", args=["fair", job.uuid])
    page = client.get(url)
    form: dict[str, Any] = {box["name"]: box["chosen"] for box in page.context["boxes"]}
    form |= {"mapped": "1", "accept": [doubt["kind"] for doubt in page.context["doubts"]]}
    with capture(execute=True):
        client.post(url, form)
    run_import(job.pk)
    job.refresh_from_db()
    return job


@pytest.fixture
def unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes to a worker: the test is one."""
    monkeypatch.setattr(run_import, "delay", lambda job_id: None)


@pytest.mark.parametrize("name", LANDS)
def test_pairs_with_names_land_right_by_command(event: Event, name: str, tmp_path: Path) -> None:
    layout = LANDS[name]

    by_command(event, layout, tmp_path, "--yes")

    assert there(event, layout) == layout.there
    assert matchups(event) == len(layout.there)


@pytest.mark.parametrize("name", LANDS)
def test_pairs_with_names_land_right_by_page(
    event: Event,
    name: str,
    client: Client,
    unsent: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    layout = LANDS[name]

    job = by_page(event, layout, client, django_capture_on_commit_callbacks)

    assert job.state == ImportJob.State.DONE, job.report
    assert there(event, layout) == layout.there
    assert matchups(event) == len(layout.there)


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_names_or_other_shape_is_refused_in_one_sentence_by_command(
    event: Event, name: str, tmp_path: Path
) -> None:
    by_command(event, REFUSED[name], tmp_path, "--yes")

    assert not Record.objects.exists()
    (error,) = ImportJob.objects.get().report["errors"]
    assert "missing" in error["message"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_names_or_other_shape_is_refused_in_one_sentence_by_page(
    event: Event,
    name: str,
    client: Client,
    unsent: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    job = by_page(event, REFUSED[name], client, django_capture_on_commit_callbacks)

    assert job.state == ImportJob.State.REFUSED
    assert not Record.objects.exists()
    (error,) = job.report["errors"]
    assert "missing" in error["message"] or "must be" in error["message"]


def test_verdicts_among_the_records_are_asked_about(event: Event, tmp_path: Path) -> None:
    printed = by_command(event, LANDS["arena 33k"], tmp_path)

    assert "Verdicts among the records" in printed
    assert "import_judgments" in printed
    assert not Record.objects.exists()


def test_verdicts_among_the_records_are_asked_about_on_the_page_too(
    event: Event, client: Client
) -> None:
    client.force_login(event.memberships.get(role=Membership.Role.ORGANIZER).user)
    layout = LANDS["arena 33k"]
    client.post(
        reverse("imports:new", args=["fair"]),
        {"file": SimpleUploadedFile(layout.name, layout.content)},
    )

    page = client.get(reverse("imports:job", args=["fair", ImportJob.objects.get().uuid]))

    assert [doubt["kind"] for doubt in page.context["doubts"]] == ["votes"]
    assert "as votes" in page.content.decode()

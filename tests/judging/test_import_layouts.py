"""Votes in the layouts in which others publish them: they land right with a mapping at most, or
one sentence says what is missing. Small files, written after each project's documentation."""

import csv
import io
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from arena.events.models import Event
from arena.judging.importing.vote_preview import guess_vote_mapping
from arena.judging.models import Answer, Judgment
from tests.factories import make_event
from tests.judging.vote_files import with_records

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
TALK = [{"content": "Is it 0?", "role": "user"}, {"content": "Ash says 0.", "role": "assistant"}]


@pytest.fixture
def event() -> Event:
    return with_records(make_event(scale=7))


def written(rows: list[dict[str, Any]], path: Path) -> Path:
    """The rows as a file: JSON Lines, a JSON array, or CSV, by its name."""
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows))
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
    return path


def run(event: Event, path: Path, *options: str) -> str:
    """The command's words, whether it succeeds or not; on one line."""
    out = io.StringIO()
    try:
        call_command("import_judgments", event.slug, str(path), *options, stdout=out)
    except CommandError as error:
        out.write(str(error))
    return " ".join(out.getvalue().replace("│", " ").split())


def stored() -> list[tuple[str, str, int, bool, bool | None]]:
    """Worker, record, outcome for Ash, both bad, and whether Ash stood left."""
    answers = Answer.objects.filter(outcome__isnull=False).order_by("judgment_id")
    return list(
        answers.values_list(
            "judgment__enrollment__external_id",
            "judgment__matchup__record__external_id",
            "outcome",
            "both_bad",
            "first_on_left",
        )
    )


def arena_33k(number: int, winner: str, **fields: Any) -> dict[str, Any]:
    return {
        "question_id": f"r{number}", "model_a": "Ash", "model_b": "Birch", "winner": winner,
        "judge": f"arena_user_{number}", "conversation_a": TALK, "conversation_b": TALK,
        "turn": 1, "anony": True, "language": "English", "tstamp": 1682351591.1322,
        "openai_moderation": {"categories": {}}, "toxic_chat_tag": {"roberta-large": {}},
    } | fields  # fmt: skip


@pytest.mark.parametrize("name", ["arena.jsonl", "arena.json", "arena.csv"])
def test_arena_33k(event: Event, tmp_path: Path, name: str) -> None:
    winners = ["model_a", "model_b", "tie"]
    rows = [arena_33k(number, winner) for number, winner in enumerate(winners)]
    rows.append(arena_33k(0, "tie (bothbad)", judge="arena_user_9"))
    names = ("judge=worker", "question_id=record", "tstamp=timestamp")
    options = [word for pair in names for word in ("--map", pair)]

    said = run(event, written(rows, tmp_path / name), *options, "--left", "a")

    assert "Imported: 4 created." in said
    assert stored() == [
        ("arena_user_0", "r0", 1, False, True), ("arena_user_1", "r1", -1, False, True),
        ("arena_user_2", "r2", 0, False, True), ("arena_user_9", "r0", 0, True, True),
    ]  # fmt: skip
    assert {judgment.judged_at.year for judgment in Judgment.objects.all()} == {2023}
    assert "left out: conversation_a, conversation_b, anony, language" in said
    guessed = guess_vote_mapping(list(rows[0]))
    assert {f"{key}={guessed[key]}" for key in ("judge", "question_id", "tstamp")} == set(names)


def test_arena_33k_without_a_mapping_is_refused_in_one_sentence(
    event: Event, tmp_path: Path
) -> None:
    said = run(event, written([arena_33k(0, "model_a")], tmp_path / "arena.csv"))
    assert "no column says worker (who voted), record (the identifier of the record)" in said
    assert "--map question_id=record --map judge=worker" in said
    assert "1 errors" in said


def test_arena_55k(event: Event, tmp_path: Path) -> None:
    flags = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    rows = [
        {
            "id": f"r{number}", "model_a": "Birch", "model_b": "Ash", "prompt": '["Is it?"]',
            "response_a": '["Yes."]', "response_b": '["No."]',
            "winner_model_a": a, "winner_model_b": b, "winner_tie": tie,
        }
        for number, (a, b, tie) in enumerate(flags)
    ]  # fmt: skip
    path = written(rows, tmp_path / "train.csv")
    assert "worker (who voted)" in run(event, path, "--map", "id=record")

    run(event, path, "--map", "id=record", "--worker", "kaggle", "--left", "a")

    assert [one[2:] for one in stored()] == [
        (-1, False, False),
        (1, False, False),
        (0, False, False),
    ]


def test_arena_140k(event: Event, tmp_path: Path) -> None:
    rows = [
        {
            "id": f"r{number}", "model_a": "Ash", "model_b": "Birch", "winner": winner,
            "evaluation_session_id": f"s{number}", "evaluation_order": 1,
            "conversation_a": TALK, "conversation_b": TALK, "conv_metadata": {"sum_user_tokens": 3},
            "category_tag": {"math_v0.1": {"math": False}}, "language": "en", "is_code": False,
            "timestamp": "2025-06-25T18:27:08.000",
        }
        for number, winner in enumerate(["model_a", "both_bad", "model_b"])
    ]  # fmt: skip
    said = run(
        event, written(rows, tmp_path / "a.jsonl"),
        "--map", "id=record", "--map", "evaluation_session_id=worker",
    )  # fmt: skip
    assert "Imported: 3 created." in said
    assert [one[2:4] for one in stored()] == [(1, False), (0, True), (-1, False)]


def test_mt_bench_does_not_put_the_second_turn_on_the_first(event: Event, tmp_path: Path) -> None:
    rows = [
        arena_33k(0, "model_a", judge="author_2"),
        arena_33k(0, "model_b", judge="author_2", turn=2),
    ]
    options = ("--map", "judge=worker", "--map", "question_id=record", "--map", "tstamp=")
    path = written(rows, tmp_path / "human.jsonl")

    assert "a vote on a later turn needs a record of its own" in run(event, path, *options)
    assert stored() == []
    run(event, path, *options, "--on-error", "skip")
    assert [one[2] for one in stored()] == [1]


HELPSTEER = {
    "domain": "general", "language": "english",
    "context": [{"role": "user", "content": "Is it 0?"}],
    "response1": "Yes.", "response2": "No.", "overall_preference": -3,
    "individual_preference": [{"score": -3, "reasoning": "r", "feedback1": "f", "feedback2": "g"}],
}  # fmt: skip


def test_helpsteer3_names_no_models_and_says_so(event: Event, tmp_path: Path) -> None:
    said = run(event, written([HELPSTEER], tmp_path / "train.jsonl"))
    for word in ("worker", "record", "model_a (one model's name)", "model_b"):
        assert word in said
    assert "1 errors" in said


def test_helpsteer3_with_models_is_not_turned_round(event: Event, tmp_path: Path) -> None:
    rows = [
        HELPSTEER
        | {"id": f"r{number}", "overall_preference": number * 3 - 3, "m1": "Ash", "m2": "Birch"}
        for number in range(3)
    ]
    names = ("id=record", "m1=model_a", "m2=model_b", "overall_preference=outcome")
    options = [word for pair in names for word in ("--map", pair)] + ["--worker", "helpsteer"]
    path = written(rows, tmp_path / "train.jsonl")

    said = run(event, path, *options)
    assert "The value -3 is a grade, and nothing says which end is which" in said
    assert stored() == []
    run(event, path, *options, "--ends", "a=-3,b=3")
    assert [one[2] for one in stored()] == [3, 0, -3]


def test_alpaca_eval_annotations(tmp_path: Path) -> None:
    event = with_records(make_event(scale=3))
    rows = [
        {
            "instruction": "Is it?", "output_1": "Yes.", "generator_1": "Ash", "output_2": "No.",
            "generator_2": "Birch", "annotator": "alpaca_eval_gpt4", "preference": preference,
            "dataset": "helpful_base", "idx": f"r{number}",
        }
        for number, preference in enumerate([1.0, 2.0, 1.5])
    ]  # fmt: skip
    names = (
        *("generator_1=model_a", "generator_2=model_b", "annotator=worker", "idx=record"),
        "preference=outcome",
    )
    options = [word for pair in names for word in ("--map", pair)]
    path = written(rows, tmp_path / "annotations.json")
    said = run(event, path, *options, "--kind", "machine", "--ends", "a=1,b=2")
    assert "Imported: 3 created." in said
    assert [one[2] for one in stored()] == [1, -1, 0]
    assert set(Judgment.objects.values_list("origin", flat=True)) == {"machine"}


NONE_OF_OURS: dict[str, dict[str, Any]] = {
    "hh-rlhf": {"chosen": "\n\nHuman: Hi\n\nAssistant: A", "rejected": "\n\nHuman: Hi"},
    "ultrafeedback": {
        "source": "evol", "instruction": "Is it?", "models": ["Ash", "Birch"],
        "completions": [{"model": "Ash", "response": "Yes.", "overall_score": 8.5}],
    },
    "argilla 1": {
        "id": "r0", "fields": {"prompt": "?", "response-a": "x"},
        "preference": [{"user_id": "u1", "value": "a", "status": "submitted"}],
    },
    "argilla 2": {
        "id": "r0", "status": "completed", "fields": {"prompt": "?"}, "metadata": {},
        "suggestions": {}, "responses": {"preference": [{"value": "a", "user_id": "u1"}]},
    },
    "label studio": {
        "id": 1, "data": {"prompt": "?", "answer1": "x", "answer2": "y"},
        "annotations": [
            {"completed_by": 1, "result": [{"type": "pairwise", "value": {"selected": "left"}}]}
        ],
    },
    "potato": {
        "user": "u1", "instance_id": "r0", "displayed_text": "…",
        "label_annotations": {"preference": {"A": "true"}}, "behavioral_data": {},
    },
    "openai batch": {
        "id": "batch_req_1", "custom_id": "r0",
        "response": {"body": {"choices": [{"message": {"content": "A"}}]}}, "error": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("layout", NONE_OF_OURS)
@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_what_is_no_list_of_votes_is_refused_in_one_sentence(
    event: Event, tmp_path: Path, layout: str, suffix: str, on_error: str
) -> None:
    path = written([NONE_OF_OURS[layout]] * 3, tmp_path / f"file{suffix}")

    said = run(event, path, "--on-error", on_error)

    assert "These are no votes yet: no column says" in said
    assert "model_a (one model's name), model_b (the other model's name)" in said
    assert "1 errors; nothing was changed." in said
    assert stored() == []


def test_label_studios_left_and_right_land_with_a_mapping(event: Event, tmp_path: Path) -> None:
    rows = [
        {
            "annotator": 3, "task": f"r{number}", "answer1_model": "Birch",
            "answer2_model": "Ash", "selected": side, "lead_time": 3.5,
            "created_at": "2026-05-01T10:00:00.123456Z",
        }
        for number, side in enumerate(["left", "right"])
    ]  # fmt: skip
    names = (
        *("annotator=worker", "task=record", "answer1_model=model_a", "answer2_model=model_b"),
        *("selected=winner", "created_at=timestamp"),
    )
    options = [word for pair in names for word in ("--map", pair)]
    run(event, written(rows, tmp_path / "flat.json"), *options, "--left", "a")
    assert stored() == [("3", "r0", -1, False, False), ("3", "r1", 1, False, False)]


def test_a_csv_as_a_european_excel_writes_it(event: Event, tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    lines = [
        "sep=;", "Bewerter;Aufgabe;model_a;model_b;Urteil;Zeit",
        "Anna;r0;Ash;Birch;−3,0;2026-05-01 10:00", "Béla;r1;Ash;Birch;2;01.05.2026 10:00", ";;;;;",
    ]  # fmt: skip
    path.write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode())
    names = ("Bewerter=worker", "Aufgabe=record", "Urteil=outcome", "Zeit=timestamp")
    options = [word for pair in names for word in ("--map", pair)]

    said = run(event, path, *options, "--ends", "a=3,b=-3")

    assert "Imported: 2 created." in said
    assert [(worker, outcome) for worker, _, outcome, *_ in stored()] == [("Anna", -3), ("Béla", 2)]


def test_random_columns_never_become_votes(event: Event, tmp_path: Path) -> None:
    rng = Random(5)
    names = ["record", "model_a", "winner", "worker", "text", "id", "score", "label", "model_b"]
    for number in range(12):
        chosen = rng.sample(names, 4)
        rows = [{name: rng.choice(["Ash", "r0", "1", "a", "-3"]) for name in chosen}] * 2
        said = run(event, written(rows, tmp_path / f"{number}.csv"), "--on-error", "skip")
        assert "Nothing was imported" in said
    assert stored() == []

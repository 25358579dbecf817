"""Preference pairs: the documented rules of the columns, and which votes make a pair."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.errors import ArenaError
from arena.events.decision_record import Ruling
from arena.events.models import Event
from arena.exports import rows
from arena.exports.formats.trl import FORMAT, PairOptions, find_split
from arena.judging.models import Answer, Exclusion, Judgment
from arena.judging.review.exclusions import exclude
from tests.exports.cast import Cast, make_stranger, vote, vote_often
from tests.factories import (
    NOW,
    make_companion,
    make_competitors,
    make_control,
    make_event,
    make_matchup,
    make_record,
)
from tests.llmfao import SETTINGS, load_llmfao

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Why does ice float?"},
]


def pair_lines(event: Event, options: PairOptions) -> Iterator[tuple[str, str]]:
    """Each line and the part it belongs to."""
    for piece in FORMAT.export(event, options):
        yield piece.part, piece.data.decode()


def pairs(event: Event, **options) -> list[dict]:
    return [json.loads(line) for _, line in pair_lines(event, PairOptions(**options))]


def check_messages(messages: object, *, completion: bool) -> None:
    """A list of at least one message, each with a known role and text and nothing else."""
    assert isinstance(messages, list)
    assert messages
    for message in messages:
        assert set(message) == {"role", "content"}
        assert message["role"] in ("system", "user", "assistant")
        assert isinstance(message["content"], str)
    assert messages[-1]["role"] == ("assistant" if completion else "user")


def check_preference_rules(found: list[dict]) -> None:
    """TRL's explicit preference type: three columns, all strings or all messages in every row."""
    conversational = {isinstance(value, list) for row in found for value in row.values()}
    assert len(conversational) <= 1
    for row in found:
        assert set(row) == {"prompt", "chosen", "rejected"}
        assert row["chosen"] != row["rejected"]
        for name in ("chosen", "rejected"):
            if conversational == {True}:
                check_messages(row[name], completion=True)
                assert not [message for message in row[name] if message in row["prompt"]]
            else:
                assert isinstance(row[name], str)
                assert not row[name].startswith(row["prompt"])
        if conversational == {True}:
            check_messages(row["prompt"], completion=False)
        else:
            assert isinstance(row["prompt"], str)


def test_a_preference_is_a_row_of_messages() -> None:
    cast = Cast()
    cast.judge_all()
    pair = {
        "prompt": [{"role": "user", "content": "Why does ice float?"}],
        "chosen": [{"role": "assistant", "content": "It is less dense."}],
        "rejected": [{"role": "assistant", "content": "Because."}],
    }
    assert pairs(cast.event) == [pair, pair]


def test_a_string_prompt_and_its_response_do_not_run_together() -> None:
    cast = Cast()
    cast.judge_all()
    [row, _] = pairs(cast.event, separator="\n")
    assert row["prompt"] + row["chosen"] == "Why does ice float?\nIt is less dense."


def test_a_prompt_that_ends_with_the_separator_ends_with_one() -> None:
    event = make_event()
    record = make_record(event, "Complete this:\n")
    vote_often(event, make_matchup(event, make_competitors(event, 2), record=record), 1)
    assert pairs(event, separator="\n")[0]["prompt"] == "Complete this:\n"


def test_ties_controls_anchors_and_excluded_ones_give_no_pair() -> None:
    cast = Cast()
    cast.judge_all()
    # Of seven judgments: a tie, both bad, a control's, an anchor's, an excluded one.
    assert len(pairs(cast.event)) == 2
    Event.objects.update(counts_imported=False)
    assert len(pairs(cast.event)) == 1


def test_a_lost_preference_turns_the_pair() -> None:
    event = make_event()
    matchup = make_matchup(event, make_competitors(event, 2), texts=("one", "two"))
    vote_often(event, matchup, 1, -3)
    assert [
        (row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in pairs(event)
    ] == [
        ("one", "two"),
        ("two", "one"),
    ]


def test_conversations_and_single_turns_are_rows_of_one_type() -> None:
    event = make_event()
    models = make_competitors(event, 2)
    plain = make_matchup(event, models, texts=("one", "two"))
    vote_often(event, plain, 1)
    check_preference_rules(pairs(event))
    check_preference_rules(pairs(event, separator="\n"))
    longer = make_matchup(event, models, record=make_record(event), texts=("three", "four"))
    longer.record.prompt = CONVERSATION
    longer.record.save()
    vote_often(event, longer, -1)
    found = pairs(event)
    check_preference_rules(found)
    assert found[1] == {
        "prompt": CONVERSATION,
        "chosen": [{"role": "assistant", "content": "four"}],
        "rejected": [{"role": "assistant", "content": "three"}],
    }
    assert found[0]["prompt"] == plain.record.prompt
    with pytest.raises(ArenaError, match="several turns"):
        pairs(event, separator="\n")


def test_a_system_turn_is_no_plain_string() -> None:
    event = make_event()
    matchup = make_matchup(event, make_competitors(event, 2))
    matchup.record.prompt = CONVERSATION[:2]
    matchup.record.save()
    vote_often(event, matchup, 1)
    assert pairs(event)[0]["prompt"] == CONVERSATION[:2]


def test_two_responses_of_the_same_text_teach_nothing() -> None:
    event = make_event()
    matchup = make_matchup(event, make_competitors(event, 2), texts=("same", "same"))
    vote_often(event, matchup, 1)
    assert pairs(event) == []


@pytest.mark.parametrize(
    ("outcomes", "options", "expected"),
    [
        ((2, 1, -1), {}, "AAB"),
        ((2, 1, -1), {"aggregate": "majority"}, "A"),
        ((2, 1, -1), {"aggregate": "unanimous"}, ""),
        ((-1, -3), {"aggregate": "unanimous"}, "B"),
        ((1, -1), {"aggregate": "majority"}, ""),
        ((1, 0), {"aggregate": "majority"}, ""),
        ((1, 1, 0), {"aggregate": "majority"}, "A"),
        ((1, 1, 0), {"aggregate": "unanimous"}, ""),
        ((0, 0), {"aggregate": "majority"}, ""),
        ((1,), {"min_votes": 2}, ""),
        ((1, 0), {"min_votes": 2}, "A"),
        ((1, 1, -1), {"min_agreement": 0.66}, "AA"),
        ((1, 1, -1), {"min_agreement": 0.67}, ""),
        ((1, 1, 0, 0), {"min_agreement": 0.5}, "AA"),
        ((1,) * 7 + (-1,) * 3, {"min_agreement": 0.7, "aggregate": "majority"}, "A"),
        ((1, 1, -1), {"min_agreement": 0.7, "aggregate": "majority"}, ""),
    ],
)
def test_votes_become_pairs(outcomes, options, expected) -> None:
    event = make_event()
    matchup = make_matchup(event, make_competitors(event, 2), texts=("A", "B"))
    vote_often(event, matchup, *outcomes)
    found = pairs(event, **options)
    assert "".join(row["chosen"][0]["content"] for row in found) == expected


def test_an_excluded_vote_is_no_vote_of_the_majority() -> None:
    event = make_event()
    matchup = make_matchup(event, make_competitors(event, 2))
    vote_often(event, matchup, 1)
    against = vote(make_stranger(event), matchup, -1)
    assert pairs(event, aggregate="majority") == []
    exclude(against, Exclusion.Reason.RIGGING, Ruling(None, NOW))
    assert len(pairs(event, aggregate="majority")) == 1


def test_a_prompt_is_in_one_part_with_all_its_votes() -> None:
    event = make_event()
    models = make_competitors(event, 3)
    for number in range(60):
        for one, two in ((0, 1), (1, 2)):
            # The same prompt twice, under two identifiers.
            record = make_record(event, f"Question {number}?")
            matchup = make_matchup(event, [models[one], models[two]], record=record)
            vote_often(event, matchup, 1, -1)
    found = list(pair_lines(event, PairOptions(test_share=0.3)))
    prompts = {"train": set(), "test": set()}
    for part, line in found:
        prompts[part].add(json.loads(line)["prompt"][0]["content"])
    assert not prompts["train"] & prompts["test"]
    assert len(prompts["train"] | prompts["test"]) == 60
    assert 8 <= len(prompts["test"]) <= 28
    assert found == list(pair_lines(event, PairOptions(test_share=0.3)))
    larger = {
        line for part, line in pair_lines(event, PairOptions(test_share=0.6)) if part == "test"
    }
    assert {line for part, line in found if part == "test"} < larger


@pytest.mark.parametrize(("share", "part"), [(0.0, "train"), (1.0, "test")])
def test_all_or_nothing_for_testing(share: float, part: str) -> None:
    assert {find_split([{"role": "user", "content": str(n)}], share) for n in range(50)} == {part}


def test_no_preference_question_no_pairs() -> None:
    event = make_event()
    make_control(event)
    assert pairs(event) == []
    event.questions.filter(kind="preference").update(kind="text")
    assert pairs(event) == []


def test_the_queries_of_a_chunk_are_always_as_many(monkeypatch) -> None:
    monkeypatch.setattr(rows, "CHUNK_SIZE", 2)
    event = make_event()
    models = make_competitors(event, 2)
    counts = []
    for _ in range(2):
        for _ in range(2):
            vote_often(event, make_matchup(event, models), 1, 1, 1)
        with CaptureQueriesContext(connection) as queries:
            pairs(event)
        counts.append(len(queries))
    assert counts[1] - counts[0] == 5


# --- as a trainer reads it -------------------------------------------------------------------
@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The library with which trainers read files, told at its import not to ask the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hf")))
        return import_module("datasets")


def load(datasets: ModuleType, event: Event, folder: Path, **options) -> list[dict]:
    """The rows of the event's file, which has just the three columns, as a trainer gets them."""
    file = folder / "pairs.jsonl"
    file.write_text("".join(line for _, line in pair_lines(event, PairOptions(**options))))
    loaded = datasets.load_dataset(
        "json", data_files=str(file), split="train", cache_dir=str(folder / "cache")
    )
    assert loaded.column_names == ["prompt", "chosen", "rejected"]
    return list(loaded)


@pytest.mark.parametrize("options", [{}, {"separator": "\n"}])
def test_the_file_loads_with_datasets(datasets: ModuleType, tmp_path: Path, options) -> None:
    cast = Cast()
    cast.judge_all()
    vote_often(cast.event, cast.third, -1, 1)
    found = load(datasets, cast.event, tmp_path, **options)
    check_preference_rules(found)
    assert found == pairs(cast.event, **options)


def test_thousands_of_published_votes_load_with_datasets(
    datasets: ModuleType, shared_data: Path, tmp_path: Path
) -> None:
    event = make_event("llmfao", **SETTINGS)
    load_llmfao(event, shared_data, tmp_path)
    decided = Answer.objects.filter(judgment__in=Judgment.objects.counted()).exclude(outcome=0)
    for options in ({}, {"separator": "\n"}):
        found = load(datasets, event, tmp_path, **options)
        check_preference_rules(found)
        assert found == pairs(event, **options)
        # Two models gave the same text now and then: a preference between them teaches nothing.
        assert 0.95 * decided.count() < len(found) <= decided.count()


def test_a_companion_of_a_control_gives_no_pair() -> None:
    cast = Cast()
    companion = make_companion(cast.control)
    vote_often(cast.event, companion, 2, 1)
    assert pairs(cast.event) == []
    vote_often(cast.event, cast.first, 2)
    assert len(pairs(cast.event)) == 1

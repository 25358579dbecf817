"""Real data through both importers: the counts that the publication gives."""

import csv
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from django.db.models import Count

from arena.events.importing import import_records
from arena.events.models import Competitor, Control, Enrollment, Event, Matchup, Record, Response
from arena.judging.importing import VoteOptions, import_judgments
from arena.judging.models import Answer, Judgment
from tests import llmfao
from tests.factories import NOW, make_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return make_event("llmfao", **llmfao.SETTINGS)


def test_the_published_votes_become_an_event(
    event: Event, shared_data: Path, tmp_path: Path
) -> None:
    records, votes = llmfao.load_llmfao(event, shared_data, tmp_path)

    assert (records.created, records.errors) == (llmfao.PROMPTS + llmfao.GOLDS, [])
    assert (votes.created, votes.errors) == (llmfao.VOTES, [])
    assert Competitor.objects.filter(event=event).count() == llmfao.COMPETITORS
    assert Competitor.objects.get(event=event, name="Claude v2").organization == "Anthropic"
    prompts = Record.objects.filter(event=event, external_id__regex=r"^\d+$")
    assert prompts.count() == llmfao.PROMPTS
    wanted = Counter(
        str(response["prompt_id"])
        for response in llmfao.lines(shared_data / "llmfao" / "responses.jsonl")
        if response["in_crowd"]
    )
    sizes = prompts.annotate(size=Count("responses")).values_list("external_id", "size")
    assert dict(sizes) == wanted
    assert max(wanted.values()) == llmfao.COMPETITORS
    assert Control.objects.filter(matchup__event=event).count() == llmfao.GOLDS
    assert Enrollment.objects.filter(event=event).count() == llmfao.WORKERS
    assert Judgment.objects.counted().filter(event=event).count() == llmfao.VOTES
    judged = Matchup.objects.filter(event=event, judgments__isnull=False).distinct()
    assert judged.count() == llmfao.PAIRS
    assert set(judged.values_list("open_slots", flat=True)) == {event.overlap}
    assert not judged.exclude(retired_at=None).exists()


def test_every_vote_says_what_its_line_said_in_the_order_of_the_file(
    event: Event, shared_data: Path, tmp_path: Path
) -> None:
    llmfao.load_llmfao(event, shared_data, tmp_path)

    with (shared_data / "llmfao" / "votes.csv").open(encoding="utf-8", newline="") as file:
        wanted = [
            (row["worker"], row["prompt_id"], row["model_a"], row["model_b"], row["winner"])
            for row in csv.DictReader(file)
        ]
    owners = dict(
        Response.objects.filter(record__event=event, competitor__isnull=False).values_list(
            "pk", "competitor__name"
        )
    )
    found = []
    for worker, record, first, second, outcome, first_on_left in (
        Answer.objects.filter(judgment__event=event)
        .order_by("judgment_id")
        .values_list(
            "judgment__enrollment__external_id",
            "judgment__matchup__record__external_id",
            "first_id",
            "second_id",
            "outcome",
            "first_on_left",
        )
    ):
        left, right = (first, second) if first_on_left else (second, first)
        winner = {1: "a", 0: "tie", -1: "b"}[outcome if first_on_left else -outcome]
        found.append((worker, record, owners[left], owners[right], winner))
    assert found == wanted


def test_a_second_import_changes_nothing(event: Event, shared_data: Path, tmp_path: Path) -> None:
    llmfao.load_llmfao(event, shared_data, tmp_path)

    records, votes = llmfao.load_llmfao(event, shared_data, tmp_path)

    assert (records.created, records.updated, records.unchanged) == (0, 0, 20)
    assert (votes.created, votes.unchanged, votes.error_total) == (0, llmfao.VOTES, 0)
    assert Judgment.objects.filter(event=event).count() == llmfao.VOTES


def test_machines_vote_on_the_same_pairs(event: Event, shared_data: Path, tmp_path: Path) -> None:
    llmfao.load_llmfao(event, shared_data, tmp_path)

    report = import_judgments(
        event,
        shared_data / "llmfao" / "votes_gpt4.csv",
        mapping={"prompt_id": "record", "pair_id": ""},
        options=VoteOptions(kind=Enrollment.Kind.MACHINE),
        now=NOW,
        rng=Random(3),
    )

    assert report.landed
    machine = Enrollment.objects.get(event=event, external_id="gpt4")
    assert machine.kind == Enrollment.Kind.MACHINE
    assert set(machine.judgments.values_list("origin", flat=True)) == {"machine"}
    assert Judgment.objects.counted().filter(event=event).count() == llmfao.VOTES


def test_no_response_is_taken_for_a_leak_that_is_none(
    event: Event, shared_data: Path, tmp_path: Path
) -> None:
    records, _votes = llmfao.load_llmfao(event, shared_data, tmp_path)

    leaks = [warning.message for warning in records.warnings if "away" in warning.message]
    # What some models left of their chat templates is all that gives them away.
    assert {message.split("“")[1].strip(" ”") for message in leaks} == {"</s>", "<|end|>"}
    assert {doubt.kind for doubt in records.doubts} == {"leak", "same_responses", "blank_response"}


def test_responses_that_were_voted_on_are_frozen(
    event: Event, shared_data: Path, tmp_path: Path
) -> None:
    llmfao.load_llmfao(event, shared_data, tmp_path)
    changed = tmp_path / "changed.jsonl"
    text = (tmp_path / "records.jsonl").read_text(encoding="utf-8")
    changed.write_text(
        text.replace('"Alpaca (7B)": "', '"Alpaca (7B)": "Edited. '), encoding="utf-8"
    )
    before = list(Response.objects.order_by("pk").values_list("text", flat=True))

    report = import_records(event, changed, accepts_doubts=True, now=NOW, rng=Random(4))

    assert not report.landed
    assert report.error_total == llmfao.PROMPTS
    assert {error.field for error in report.errors} == {"responses.Alpaca (7B)"}
    assert list(Response.objects.order_by("pk").values_list("text", flat=True)) == before

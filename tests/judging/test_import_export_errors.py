"""Exports that were changed, written again or meet another scale; imports of them that die."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from arena.events.models import ImportJob, Record
from arena.judging.importing.writing import judgments as writing
from arena.judging.importing.writing import records as copying_records
from arena.judging.models import Judgment
from tests.exports.cast import Cast, judgment_lines
from tests.factories import (
    make_event,
    make_user,
)
from tests.judging.campaign import SETTINGS, Campaign, bring, export_of, told

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "another prompt": ({"prompt": "Another?"}, "prompt", "is not that of record"),
    "another text": ({"first_response": "Other."}, "first_response", "in an earlier line"),
    "no answer of a control": ({"key": "", "role": "control"}, "key", "export the event anew"),
    "a degree too many": ({"outcome": 3, "both_bad": False}, "outcome", "2 degrees, not 3"),
    "another role": ({"role": "anchor"}, "role", "earlier line"),
    "twice": ({}, "pseudonym", "in an earlier line"),
    "no side": ({"left": "top"}, "left", "first, second or null"),
    "no origin": ({"origin": "dream"}, "origin", "one of"),
    "future reason": ({"exclusion": "mood"}, "exclusion", "one of"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_line_that_was_changed_is_named_and_nothing_comes(case: str) -> None:
    changes, field, words = WRONG[case]
    source = Cast()
    source.judge(source.ada, source.first, "a1", "so")
    source.judge(source.ben, source.first, "a1", "so")
    lines = [json.loads(line) for line in judgment_lines(source.event)]
    copy = make_event("copy")
    wrong = lines[0 if case == "twice" else 1] | changes

    report = bring(copy, "".join(json.dumps(line) + "\n" for line in [lines[0], wrong]).encode())

    assert [(error.line, error.field) for error in report.errors] == [(2, field)]
    assert words in report.errors[0].message
    assert not report.landed
    assert not Record.objects.filter(event=copy).exists()
    assert not copy.enrollments.exists()


@pytest.mark.parametrize("scale", [3, 5])
def test_an_export_of_a_scale_with_other_degrees_is_refused_in_one_sentence(scale: int) -> None:
    source = Campaign()
    copy = make_event("copy", scale=scale, both_bad=True)

    (error,) = bring(copy, export_of(source.event)).errors

    assert (error.field, error.count) == ("scale", 1)
    assert f"a scale of 7, and this event has one of {scale}" in error.message
    assert not Record.objects.filter(event=copy).exists()


def test_an_export_that_another_program_has_written_again_is_known() -> None:
    source = Campaign()
    lines = [json.loads(line) for line in judgment_lines(source.event)]
    numbers = ("first_competitor_id", "second_competitor_id", "matchup_id")
    floats = [
        line | {name: float(line[name]) for name in numbers if line[name] is not None}
        for line in lines
    ]
    again = "".join(json.dumps(line, sort_keys=True) + "\n" for line in floats).encode()
    copy = make_event("copy", **SETTINGS)

    assert bring(copy, again).errors == []
    assert told(copy) == told(source.event)


def test_a_process_that_dies_leaves_no_votes_and_the_next_import_finishes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = Cast()
    source.judge_all()
    copy = make_event("copy")
    content = export_of(source.event)

    def dies(*_args: Any) -> None:
        raise KeyboardInterrupt

    for module, name in (
        (copying_records, "create_further_matchups"),
        (copying_records, "apply_staged"),
        (writing, "write_batch"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, dies)
            with pytest.raises(KeyboardInterrupt):
                bring(copy, content)
        assert not Judgment.objects.landed().filter(event=copy).exists()

    assert bring(copy, content).landed
    assert told(copy) == told(source.event)


def test_an_import_that_dies_after_its_records_does_not_say_that_nothing_was_imported(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    source = Cast()
    source.judge_all()
    organizer = make_user("organizer-of-the-copy")
    copy = make_event("copy", organizer=organizer)
    content = export_of(source.event)

    def dies(*_args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_batch", dies)
        with pytest.raises(KeyboardInterrupt):
            bring(copy, content)

    assert Record.objects.filter(event=copy, imported_at__isnull=False).count() == 5
    client.force_login(organizer)
    for page in (
        reverse("votes:new", args=["copy"]),
        reverse("votes:job", args=["copy", ImportJob.objects.get(event=copy).uuid]),
    ):
        text = client.get(page).content.decode()
        assert "records are here, its votes are not" in text
        assert "othing was imported" not in text


def test_a_model_that_stands_in_no_order_is_told(tmp_path: Path) -> None:
    source = Cast()
    copy = make_event("copy")
    source.judge(source.ada, source.first, "a1")
    [line] = [json.loads(line) for line in judgment_lines(source.event)]
    turned = line | {"pseudonym": "other", "matchup_id": line["matchup_id"] + 1}
    for name in ("competitor", "response", "competitor_id"):
        one, other = f"first_{name}", f"second_{name}"
        turned[one], turned[other] = line[other], line[one]

    report = bring(copy, (json.dumps(line) + "\n" + json.dumps(turned)).encode())

    assert [(error.line, error.field) for error in report.errors] == [(2, "role")]

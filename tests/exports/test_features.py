"""The types of an export's columns, beside the file: what `datasets` needs to read it whole."""

import json
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from arena.events.models import Event, Question
from arena.exports.formats import FORMATS
from arena.exports.formats.columns import render_features
from tests.exports.cast import Cast, judgment_lines, make_stranger, vote, vote_often
from tests.factories import make_competitors, make_event, make_matchup, make_record

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
# The reader's block of lines: types are taken from it alone. Two of the texts fill it.
BLOCK = 1 << 20
LONG = "word " * 100_000


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The library with which trainers read files, told at its import not to ask the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hf")))
        return import_module("datasets")


def read(datasets: ModuleType, file: Path, features: Any = None) -> Any:
    if features is not None:
        features = datasets.Features.from_dict(features)
    return datasets.load_dataset(
        "json",
        data_files=str(file),
        features=features,
        split="train",
        cache_dir=str(file.parent / f"cache{features is not None}"),
        chunksize=BLOCK,
    )


def long_event() -> Event:
    """Some megabytes of judgments, of which only the last says more than which is better."""
    event = make_event("long")
    models = make_competitors(event, 2)
    stranger = make_stranger(event)
    for number in range(5):
        matchup = make_matchup(event, models, texts=(LONG + str(number), LONG))
        vote(stranger, matchup, 1)
    return event


def test_a_file_whose_comments_begin_near_its_end_loads(
    datasets: ModuleType, tmp_path: Path
) -> None:
    event = long_event()
    record = make_record(event, metadata={"level": 3})
    matchup = make_matchup(event, list(event.competitors.all()), record=record)
    last = vote(make_stranger(event), matchup, -2, judged_at=datetime(2026, 5, 1, 10, 0, 0, 5, UTC))
    last.answers.create(question=event.questions.get(name="comment"), value={"text": "Late."})
    last.answers.update(first_on_left=True)
    file = tmp_path / "judgments.jsonl"
    call_command("export", "long", "--out", str(file))
    assert file.stat().st_size > 4 * BLOCK
    types = json.loads((tmp_path / "judgments.features.json").read_text())
    with pytest.raises(Exception, match="generating the dataset"):  # what happens without them
        read(datasets, file)

    found = read(datasets, file, types)

    assert len(found) == 6
    row, written = found[5], json.loads(file.read_text().splitlines()[5])
    assert row.pop("judged_at") == datetime(2026, 5, 1, 10, 0, 0, 5, UTC)
    assert written.pop("judged_at") == "2026-05-01T10:00:00.000005+00:00"
    assert row == written
    assert (row["comment"], row["left"], row["metadata"]) == ("Late.", "first", '{"level": 3}')


def test_every_column_has_a_type_and_keeps_it(datasets: ModuleType, tmp_path: Path) -> None:
    cast = Cast()
    Question.objects.create(
        event=cast.event, position=3, name="why", kind="text", title="Why?", required=False
    )
    cast.judge_all()
    vote_often(cast.event, cast.third, 0, 2)
    file = tmp_path / "judgments.jsonl"
    file.write_text("".join(judgment_lines(cast.event)))
    types = json.loads(render_features(FORMATS["jsonl"].list_columns(cast.event, {})))
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert all(list(row) == list(types) for row in rows)
    assert types["other_answers"] == {"why": {"text": {"dtype": "string", "_type": "Value"}}}

    for found, row in zip(read(datasets, file, types), rows, strict=True):
        for name in ("shown_at", "judged_at"):
            moment = row.pop(name)
            assert found.pop(name) == (moment and datetime.fromisoformat(moment))
        assert found.pop("other_answers") == {"why": None}
        assert row.pop("other_answers") == {}
        assert found == row


def test_the_types_are_downloads_for_organizers(client: Client) -> None:
    cast = Cast()
    for each in FORMATS.values():
        url = reverse("exports:features", args=["fair", each.name])
        client.force_login(cast.ada.user)
        assert client.get(url).status_code == 404
        client.force_login(cast.organizer)
        response = client.get(url)
        assert "attachment" in response["Content-Disposition"]
        assert "features.json" in response["Content-Disposition"]
        assert response.json()

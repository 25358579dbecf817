"""manage.py export."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from tests.exports.cast import Cast, judgment_lines, vote_often
from tests.factories import make_matchup, make_matchups

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    cast = Cast()
    cast.judge_all()
    return cast


def test_writes_every_judgment(cast: Cast, tmp_path: Path, capsys) -> None:
    out = tmp_path / "all.jsonl"
    call_command("export", "fair", "--out", str(out))
    assert out.read_text().splitlines(keepends=True) == list(judgment_lines(cast.event))
    types = tmp_path / "all.features.json"
    said = f"7 rows in {out}.\nThe types of the columns are in {types}.\n"
    assert capsys.readouterr().out == said
    assert sorted(tmp_path.iterdir()) == [types, out]
    row = json.loads(out.read_text().splitlines()[0])
    assert list(json.loads(types.read_text())) == list(row)


def test_records_that_nobody_has_judged_are_counted_by_command_and_page(
    cast: Cast, tmp_path: Path, capsys, client: Client
) -> None:
    make_matchups(cast.event, cast.models, 3)

    call_command("export", "fair", "--out", str(tmp_path / "all.jsonl"))
    client.force_login(cast.organizer)
    page = client.get(reverse("exports:downloads", args=["fair"]))

    assert "Not included: 3 records that nobody has judged." in capsys.readouterr().out
    assert "Not included: 3 records that nobody has judged." in page.content.decode()


def test_writes_pairs(cast: Cast, tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    call_command("export", "fair", "--format=trl", "--aggregate=majority", "--out", str(out))
    assert [list(json.loads(line)) for line in out.read_text().splitlines()] == [
        ["prompt", "chosen", "rejected"]
    ]


def test_writes_two_parts(cast: Cast, tmp_path: Path) -> None:
    for _ in range(30):
        vote_often(cast.event, make_matchup(cast.event, cast.models), 1)
    out = tmp_path / "pairs.jsonl"
    call_command("export", "fair", "--format=trl", "--test-share=0.5", "--out", str(out))
    parts = [tmp_path / "pairs.train.jsonl", tmp_path / "pairs.test.jsonl"]
    assert set(tmp_path.iterdir()) == {*parts, tmp_path / "pairs.features.json"}
    assert sum(len(part.read_text().splitlines()) for part in parts) == 32
    assert all(part.stat().st_size for part in parts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "There is no event 'nowhere'"),
        (["fair", "--format=trl", "--min-agreement=2"], "--min-agreement: .* equal to 1"),
        (["fair", "--format=trl", "--min-votes=many"], "--min-votes: Enter a whole number"),
        (["fair", "--format=trl", "--aggregate=lot"], "--aggregate: .* lot is not one of"),
        (["fair", "--format=csv"], "invalid choice"),
        (["fair", "--format=trl", "--strings="], "--strings is empty"),
    ],
)
def test_refuses(cast: Cast, tmp_path: Path, arguments, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("export", *arguments, "--out", str(tmp_path / "x"))
    assert list(tmp_path.iterdir()) == []


def test_says_where_it_cannot_write(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Cannot write"):
        call_command("export", "fair", "--out", str(tmp_path / "missing" / "x"))


@pytest.mark.parametrize(
    ("said", "end"),
    [("newline", "\n"), ("blank-line", "\n\n"), ("space", " "), ("\\nA: ", "\nA: ")],
)
def test_strings_end_their_prompt_with_the_separator(
    cast: Cast, tmp_path: Path, said: str, end: str
) -> None:
    out = tmp_path / "pairs.jsonl"
    call_command("export", "fair", "--format=trl", "--strings", said, "--out", str(out))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["prompt"] for row in rows} == {"Why does ice float?" + end}
    types = json.loads((tmp_path / "pairs.features.json").read_text())
    assert types["chosen"] == {"dtype": "string", "_type": "Value"}


def test_conversations_are_no_strings(cast: Cast, tmp_path: Path) -> None:
    record = cast.first.record
    record.prompt = [{"role": "system", "content": "Be brief."}, *record.prompt]
    record.save()
    with pytest.raises(CommandError, match="take the pairs as messages"):
        call_command(
            "export", "fair", "--format=trl", "--strings=newline", "--out", str(tmp_path / "x")
        )
    assert list(tmp_path.iterdir()) == []

"""What every export format keeps, and that a further one is a module and nothing else."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from arena.events.models import Event
from arena.exports.documentation import render_columns, render_formats
from arena.exports.formats import FORMATS, find_formats
from arena.exports.formats.base import ExportFormat, OptionsForm, Piece
from arena.exports.formats.columns import FLAG, TEXT, ExportColumn, render_features
from arena.exports.rows import JudgmentRow, read_judgments
from tests.exports.cast import Cast
from tests.services import ROOT

EVERY_FORMAT = pytest.mark.parametrize("identifier", FORMATS)
DOCUMENT = "docs/exports.md"


@pytest.fixture
def cast(db: None) -> Cast:
    cast = Cast()
    cast.judge_all()
    return cast


@pytest.fixture
def organizer(cast: Cast, client: Client) -> Client:
    client.force_login(cast.organizer)
    return client


def default_options(chosen: ExportFormat[Any, Any], event: Event) -> Any:
    """What is chosen where nothing is said."""
    form = chosen.options_form(event, {})
    assert form.is_valid(), form.errors
    return form.options


def block(name: str) -> str:
    """What the documentation says between the marks of a table."""
    text = (ROOT / DOCUMENT).read_text(encoding="utf-8")
    mark = f"<!-- {name} -->\n"
    assert mark in text, f"{DOCUMENT} has no {mark}"
    return text.split(mark)[1].split("<!-- end -->")[0]


@EVERY_FORMAT
def test_the_command_and_the_address_write_the_same(
    cast: Cast, organizer: Client, tmp_path: Path, identifier: str
) -> None:
    chosen, out = FORMATS[identifier], tmp_path / "out"
    call_command("export", "fair", "--format", identifier, "--out", str(out))
    answer = organizer.get(reverse("exports:export", args=["fair", chosen.file]))
    types = organizer.get(reverse("exports:features", args=["fair", chosen.name]))

    assert answer.streaming
    assert answer["Content-Type"] == chosen.content_type
    assert answer["Content-Disposition"] == f'attachment; filename="fair-{chosen.file}"'
    assert answer.getvalue() == out.read_bytes() != b""
    assert types.content == out.with_suffix(".features.json").read_bytes()


@EVERY_FORMAT
def test_the_page_offers_it(cast: Cast, organizer: Client, identifier: str) -> None:
    chosen = FORMATS[identifier]
    page = organizer.get(reverse("exports:downloads", args=["fair"])).content.decode()
    for name, argument in (("export", chosen.file), ("features", chosen.name)):
        assert f'"{reverse(f"exports:{name}", args=["fair", argument])}"' in page
    assert f'<h2 id="{chosen.name}">{chosen.label}</h2>' in page
    for name in chosen.options_form.base_fields:
        assert f'name="{name}"' in page


@EVERY_FORMAT
def test_nobody_is_named(cast: Cast, identifier: str) -> None:
    chosen = FORMATS[identifier]
    options = default_options(chosen, cast.event)
    written = b"".join(piece.data for piece in chosen.export(cast.event, options)).decode()
    for user in (cast.organizer, cast.ada.user, cast.ben.user):
        assert user.email not in written
        assert f'"{user.username}"' not in written


@EVERY_FORMAT
def test_the_columns_are_those_of_the_rows(cast: Cast, identifier: str) -> None:
    chosen = FORMATS[identifier]
    options = default_options(chosen, cast.event)
    names = [column.name for column in chosen.list_columns(cast.event, options)]
    pieces = list(chosen.export(cast.event, options))
    written = b"".join(piece.data for piece in pieces).decode()
    if chosen.extension == "jsonl":
        rows = [json.loads(line) for line in written.splitlines()]
        assert all(list(row) == names for row in rows)
        assert sum(piece.rows for piece in pieces) == len(rows)
    elif chosen.extension == "csv":
        found = list(csv.reader(io.StringIO(written)))
        assert found[0] == names
        assert sum(piece.rows for piece in pieces) == len(found) - 1
    else:
        pytest.fail(f"say here how the columns of a .{chosen.extension} are read back")


@EVERY_FORMAT
def test_identifiers_and_names_are_told_apart(identifier: str) -> None:
    others = [each for name, each in FORMATS.items() if name != identifier]
    chosen = FORMATS[identifier]
    assert chosen.identifier == identifier
    assert chosen.name not in {each.name for each in others}


def test_the_documentation_lists_the_formats() -> None:
    assert block("formats") == render_formats(FORMATS)


@EVERY_FORMAT
def test_the_documentation_lists_the_columns(identifier: str) -> None:
    assert block(f"columns of {identifier}") == render_columns(FORMATS[identifier])


def test_every_module_with_a_format_is_found() -> None:
    folder = ROOT / "arena" / "exports" / "formats"
    modules = [path for path in folder.glob("*.py") if "\nFORMAT = " in path.read_text()]
    assert len(modules) == len(find_formats())
    assert {"jsonl", "trl"} <= set(FORMATS)


class ToyForm(OptionsForm):
    """An option of its own."""

    shout = forms.BooleanField(label="In capitals", required=False)


class ToyFormat(ExportFormat[JudgmentRow, dict[str, Any]]):
    """Who judged which record, as CSV."""

    identifier = "toy"
    name = "tally"
    label = "Tally"
    help = "Who judged which record."
    action = "Download the tally"
    extension = "csv"
    content_type = "text/csv; charset=utf-8"
    options_form = ToyForm

    def read_rows(self, event: Event) -> Iterator[JudgmentRow]:
        return read_judgments(event)

    def list_columns(self, event: Event | None, options: dict[str, Any]) -> Sequence[ExportColumn]:
        return (
            ExportColumn("record", TEXT, "the record"),
            ExportColumn("counted", FLAG, "whether it counts"),
        )

    def write(
        self, event: Event, rows: Iterable[JudgmentRow], options: dict[str, Any]
    ) -> Iterator[Piece]:
        yield Piece(b"record,counted\r\n", rows=0)
        for row in rows:
            line = f"{row.record.external_id},{row.counted}\r\n"
            yield Piece((line.upper() if options["shout"] else line).encode())


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> ToyFormat:
    """A further format, registered and nothing else."""
    toy = ToyFormat()
    monkeypatch.setitem(FORMATS, toy.identifier, toy)
    return toy


def test_a_further_format_is_in_command_page_address_and_documentation(
    toy: ToyFormat,
    cast: Cast,
    organizer: Client,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    test_the_command_and_the_address_write_the_same(cast, organizer, tmp_path, "toy")
    assert f"7 rows in {tmp_path / 'out'}." in capsys.readouterr().out
    test_the_page_offers_it(cast, organizer, "toy")
    test_the_columns_are_those_of_the_rows(cast, "toy")
    test_nobody_is_named(cast, "toy")
    loud = organizer.get("/events/fair/exports/tally.csv?shout=on").getvalue().decode()
    quiet = organizer.get("/events/fair/exports/tally.csv").getvalue().decode()
    assert loud.splitlines()[1:] == quiet.upper().splitlines()[1:] != quiet.splitlines()[1:]
    call_command("export", "fair", "--format=toy", "--shout=on", "--out", str(tmp_path / "loud"))
    assert (tmp_path / "loud").read_bytes().decode() == loud
    assert "| `toy` | `tally.csv` | Who judged which record. | `--shout` |" in render_formats(
        FORMATS
    )
    assert "| `counted` | bool | whether it counts |" in render_columns(toy)


def test_without_it_nothing_of_it_is_there(cast: Cast, organizer: Client) -> None:
    assert organizer.get("/events/fair/exports/tally.csv").status_code == 404
    assert organizer.get("/events/fair/exports/tally.features.json").status_code == 404
    assert "Tally" not in organizer.get("/events/fair/exports/").content.decode()
    assert "`toy`" not in render_formats(FORMATS)


def test_types_follow_from_the_columns() -> None:
    columns = ToyFormat().list_columns(None, {})
    assert json.loads(render_features(columns)) == {"record": TEXT, "counted": FLAG}

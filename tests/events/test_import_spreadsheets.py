"""Tables as spreadsheets, pandas and people write them; and files that are no text at all."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from arena.events.importing import import_records
from arena.events.importing.preview import build_preview
from arena.events.models import Event, ImportJob, Record
from tests.events.bringing import bring, kinds, stored
from tests.factories import NOW, make_event

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
HEADER = "external_id,prompt,model_a,response_a,model_b,response_b"
LINE = "r1,Why?,Ash,So.,Birch,Thus."
SAID = {"r1": ("Why?", {"Ash": "So.", "Birch": "Thus."})}


@pytest.fixture
def event() -> Event:
    return make_event("fair")


def semicolons(text: str) -> str:
    return text.replace(",", ";")


AROUND = [
    f"{HEADER}\n{LINE}\n",
    f"{HEADER}\r\n{LINE}\r\n",
    f"{HEADER}\n,,,,,\n{LINE}\n , ,,,,\n",
    semicolons(f"{HEADER}\n;;;;;\n{LINE}\n;;;;;\n"),
    f"{HEADER},,\n{LINE},,\n",
    f"{HEADER}\n{LINE},,\n",
    f"sep=,\n{HEADER}\n{LINE}\n",
    f"sep=;\n{semicolons(HEADER)}\n{semicolons(LINE)}\n",
    f'"sep=;"\r\n{semicolons(HEADER)}\r\n{semicolons(LINE)}\r\n',
    f"sep=|\n{HEADER}\n{LINE}\n".replace(",", "|"),
    f"{HEADER}\n{LINE}\n".replace(",", "\t"),
    f"\n\n{HEADER}\n{LINE}\n",
    f"Survey of spring 2024\n\n{HEADER}\n{LINE}\n",
    f"Survey of spring 2024,,,,,\n,,,,,\n{HEADER}\n{LINE}\n",
    semicolons(f"Answers,,,,,\nexported on Monday,,,,,\n{HEADER}\n{LINE}\n"),
    f",{HEADER}\n0,{LINE}\n",
    f"Unnamed: 0,{HEADER}\n0,{LINE}\n",
    f'"",{HEADER}\n1,{LINE}\n',
    f"{HEADER}\n{LINE}\n{HEADER}\n",
    f"{HEADER.upper()}\n{LINE}\n",
    f"{HEADER.replace('_', ' ').title()}\n{LINE}\n",
    f"{HEADER.replace(',', ' , ')}\n{LINE}\n",
]
# What an encoding could hide: the first cell, a line about the separator, a title, an empty name.
FIRST = [AROUND[0], AROUND[6], AROUND[12], AROUND[17]]


@pytest.mark.parametrize("text", AROUND)
def test_what_stands_around_a_table_is_taken_off(event: Event, text: str) -> None:
    report = bring(event, text.encode())

    assert (report.errors, report.doubts, report.landed) == ([], [], True)
    assert stored(event) == SAID


@pytest.mark.parametrize("text", FIRST, ids=["table", "separator", "title", "index"])
@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        lambda text: gzip.compress(text.encode()),
    ],
    ids=["utf-8 with a mark", "utf-16", "utf-16, the other way round", "gzip"],
)
def test_so_it_is_in_every_encoding(
    event: Event, text: str, encode: Callable[[str], bytes]
) -> None:
    report = bring(event, encode(text))

    assert (report.errors, report.doubts, report.landed) == ([], [], True)
    assert stored(event) == SAID


def test_a_short_row_is_asked_about(event: Event) -> None:
    content = f"{HEADER},metadata.level\n{LINE}\n".encode()

    (doubt,) = bring(event, content).doubts

    assert (doubt.kind, doubt.line) == ("short_row", 2)
    assert "6 cells where the header has 7 columns" in doubt.message
    assert bring(event, content, accepts_doubts=True).landed
    assert stored(event) == SAID


def test_a_second_header_is_asked_about(event: Event) -> None:
    labels = "ID,The prompt,Model A,Answer A,Model B,Answer B"

    report = bring(event, f"{HEADER}\n{labels}\nr1,Why?,Ash,So.,Birch,Thus.\n".encode())

    assert kinds(report) == ["header"]
    assert [(doubt.line, doubt.count) for doubt in report.doubts] == [(2, 1)]
    assert not report.landed


def test_a_long_row_is_refused(event: Event) -> None:
    (error,) = bring(event, f"{HEADER}\n{LINE},x\n".encode()).errors

    assert error.message == "7 cells where the header has 6 columns"


def test_a_column_without_a_name_that_says_something_is_asked_about(event: Event) -> None:
    content = f"{HEADER},\n{LINE},look here\n".encode()

    assert kinds(bring(event, content)) == ["nameless"]
    assert bring(event, content, accepts_doubts=True).landed
    assert Record.objects.get().metadata == {}


def test_two_columns_of_one_name_can_be_mapped_away(event: Event) -> None:
    content = f"{HEADER},prompt\n{LINE},Other?\n".encode()

    (error,) = bring(event, content).errors
    assert (error.field, "two columns are called prompt" in error.message) == ("prompt (2)", True)
    assert bring(event, content, mapping={"prompt (2)": ""}).landed
    assert stored(event) == SAID


def test_rows_keep_the_lines_of_an_editor_under_titles(event: Event) -> None:
    content = f"Title\n\n{HEADER}\n{LINE}\nr2,,Ash,x,Birch,y\n".encode()

    assert [(error.line, error.field) for error in bring(event, content).errors] == [(5, "prompt")]


def test_windows_1252_is_refused_once_with_what_to_do(event: Event) -> None:
    lines = "".join(f"r{n},Käse?,Ash,x{n},Birch,y\n" for n in range(500))

    (error,) = bring(event, f"{HEADER}\n{lines}".encode("cp1252")).errors

    assert (error.field, error.count) == ("prompt", 500)
    assert "save it as UTF-8" in error.message


def workbook() -> bytes:
    """What an Excel workbook begins with."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "what", "advice"),
    [
        ("a.xlsx", workbook(), "an Excel workbook", "CSV UTF-8"),
        ("a", workbook(), "an Excel workbook", "CSV UTF-8"),
        ("a.csv", workbook(), "an Excel workbook", "CSV UTF-8"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook", "CSV UTF-8"),
        ("a.parquet", b"PAR1\x15\x04", "a Parquet file", 'read_parquet("a.parquet")'),
        ("data", b"PAR1\x15\x04", "a Parquet file", "JSON Lines"),
        ("a.parquet", b"external_id,prompt\n", "a Parquet file", "read_parquet"),
        ("a.feather", b"ARROW1\x00", "an Arrow file", "read_feather"),
        ("a.pdf", b"%PDF-1.7", "a PDF document", "CSV"),
        ("a.zip", b"PK\x03\x04aaaa", "an archive", "Unpack"),
        ("a.ods", b"PK\x03\x04aaaa", "an OpenDocument spreadsheet", "CSV"),
        ("a.csv", b"<!DOCTYPE html><html>", "a web page", "links"),
        (
            "a.tar.gz",
            gzip.compress(b"a.csv".ljust(257, b"\0") + b"ustar\0"),
            "an archive",
            "Unpack",
        ),
        ("a.pkl", b"\x80\x04\x95\x10", "a pickle", "read_pickle"),
        ("a.json", b"\x80\x05\x95\x10", "a pickle", "JSON Lines"),
        ("a.npy", b"\x93NUMPY\x01\x00", "a NumPy array", "CSV"),
        ("a.xml", b"<?xml version='1.0'?>", "an XML file", "CSV"),
        ("a.csv", rb"{\rtf1\ansi prompt", "a text document", "CSV"),
        ("a.csv", b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS", "pull"),
    ],
)
def test_files_of_another_kind_are_told_by_name_what_to_do(
    event: Event, tmp_path: Path, name: str, content: bytes, what: str, advice: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    report = import_records(event, path, now=NOW, rng=Random(1))

    (error,) = report.errors
    assert what in error.message
    assert advice in error.message
    assert build_preview(path, "csv", name=name).errors[0].message == error.message
    assert ImportJob.objects.get().state == ImportJob.State.REFUSED

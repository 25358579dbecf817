"""The sheet of printed seats, read back."""

import csv
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from arena.people.codes import draw_code, draw_token
from arena.people.seats import printed_sheet
from arena.people.seats.printed_sheet import (
    SheetContext,
    build_sheet_csv,
    build_sheet_pdf,
    build_sheet_zip,
    safe_cell,
)
from arena.people.seats.provisioning import Slip, draw_username

OCCASION = SheetContext(
    title="Which answer helps more?",
    slug="helpful",
    login_url="https://arena.example/account/login/",
    claim_url="https://arena.example/seats/{token}/",
)


def make_slips(count: int) -> list[Slip]:
    return [Slip(draw_username(), draw_code(), draw_token()) for _ in range(count)]


def test_the_zip_holds_every_seat_as_csv_and_as_pdf() -> None:
    slips = make_slips(23)
    with zipfile.ZipFile(io.BytesIO(build_sheet_zip(OCCASION, slips))) as archive:
        assert archive.namelist() == ["seats.csv", "seats.pdf"]
        table = archive.read("seats.csv").decode("utf-8-sig")
        pdf = PdfReader(io.BytesIO(archive.read("seats.pdf")))
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["username"], row["access_code"]) for row in rows] == [
        (slip.username, slip.code) for slip in slips
    ]
    assert rows[0]["claim_link"] == f"https://arena.example/seats/{slips[0].token}/"
    assert len(pdf.pages) == 3
    text = "".join(page.extract_text() for page in pdf.pages)
    for slip in slips:
        assert slip.username in text
        assert slip.code in text
        assert slip.token not in text  # the link is a picture, not to be typed
    assert sum(len(page.images) for page in pdf.pages) == 23


def test_a_title_in_another_script_does_not_break_the_pdf() -> None:
    occasion = SheetContext("模型评测 🎉", "model-test", OCCASION.login_url, OCCASION.claim_url)
    pdf = PdfReader(io.BytesIO(build_sheet_pdf(occasion, make_slips(1))))
    assert "model-test" in pdf.pages[0].extract_text()
    assert "模型评测 🎉" in build_sheet_csv(occasion, make_slips(1))


def test_a_slip_without_a_link_has_no_picture() -> None:
    slip = Slip(draw_username(), draw_code(), "")
    pdf = PdfReader(io.BytesIO(build_sheet_pdf(OCCASION, [slip])))
    assert len(pdf.pages[0].images) == 0
    assert slip.code in pdf.pages[0].extract_text()


def test_a_huge_sheet_is_a_csv_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printed_sheet, "MAX_PDF_SLIPS", 2)
    with zipfile.ZipFile(io.BytesIO(build_sheet_zip(OCCASION, make_slips(3)))) as archive:
        assert archive.namelist() == ["seats.csv"]


@given(st.text(max_size=20))
def test_no_cell_is_a_formula(cell: str) -> None:
    assert not safe_cell(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert safe_cell(cell).removeprefix("'") == cell.removeprefix("'")


def test_a_title_like_a_formula_is_text() -> None:
    occasion = SheetContext('=HYPERLINK("x")', "x", OCCASION.login_url, OCCASION.claim_url)
    rows = list(csv.reader(io.StringIO(build_sheet_csv(occasion, make_slips(1)))))
    assert rows[1][0] == '\'=HYPERLINK("x")'

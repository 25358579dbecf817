"""The sheet of printed seats: a ZIP with a CSV and a PDF to cut up, built once and not stored."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import segno
from fpdf import FPDF

from arena.people.seats.provisioning import Slip
from arena.spreadsheets import safe_cell

# A4 in millimetres: two columns of five slips with room for scissors between them.
SLIP_COLUMNS, SLIP_ROWS = 2, 5
SLIP_WIDTH, SLIP_HEIGHT = 95.0, 55.4
PAGE_MARGIN = 10.0
CODE_SIZE = 34.0
SLIP_PADDING = 5.0
# Larger sheets have a CSV only; nobody cuts up so many pages.
MAX_PDF_SLIPS = 5_000


@dataclass(frozen=True)
class SheetContext:
    """What slips are printed for: the event's title, its slug as an ASCII substitute, and links."""

    title: str
    slug: str
    login_url: str
    claim_url: str  # with "{token}" in the place of the token

    def link(self, slip: Slip) -> str:
        """The claim link of a slip."""
        return self.claim_url.replace("{token}", slip.token)


def build_sheet_zip(occasion: SheetContext, slips: Sequence[Slip]) -> bytes:
    """`seats.csv` and, up to `MAX_PDF_SLIPS`, `seats.pdf` in one ZIP."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("seats.csv", build_sheet_csv(occasion, slips))
        if len(slips) <= MAX_PDF_SLIPS:
            archive.writestr("seats.pdf", build_sheet_pdf(occasion, slips))
    return buffer.getvalue()


def build_sheet_csv(occasion: SheetContext, slips: Iterable[Slip]) -> str:
    """One row per seat, every cell quoted; with a byte order mark for spreadsheets."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["event", "username", "access_code", "claim_link"])
    for slip in slips:
        link = occasion.link(slip) if slip.token else ""
        cells = (occasion.title, slip.username, slip.code, link)
        writer.writerow([safe_cell(cell) for cell in cells])
    return "\ufeff" + text.getvalue()


def build_sheet_pdf(occasion: SheetContext, slips: Sequence[Slip]) -> bytes:
    """Ten slips per page, each with its QR code."""
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(auto=False)
    pdf.set_margin(0)
    pdf.set_title(f"Seats: {occasion.slug}")
    # The PDF's own fonts know Latin letters only; the slug stands in for any other title.
    title = occasion.title if is_latin(occasion.title) else occasion.slug
    for index, slip in enumerate(slips):
        place = index % (SLIP_COLUMNS * SLIP_ROWS)
        if place == 0:
            pdf.add_page()
        row, column = divmod(place, SLIP_COLUMNS)
        corner = Corner(PAGE_MARGIN + column * SLIP_WIDTH, PAGE_MARGIN + row * SLIP_HEIGHT)
        draw_slip(pdf, corner, occasion, slip, title)
    return bytes(pdf.output())


def is_latin(text: str) -> bool:
    """Whether the PDF's built-in fonts can print this text."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True)
class Corner:
    """The upper left corner of a slip, in millimetres."""

    left: float
    top: float


def draw_slip(pdf: FPDF, corner: Corner, occasion: SheetContext, slip: Slip, title: str) -> None:
    """Draw one slip: the event, the name, the code, how to begin, and the link as a QR code."""
    pdf.set_draw_color(190)
    pdf.set_line_width(0.1)
    pdf.rect(corner.left, corner.top, SLIP_WIDTH, SLIP_HEIGHT)
    whole = SLIP_WIDTH - 2 * SLIP_PADDING

    def line(offset: float, text: str, font: str, size: float, style: str = "") -> None:
        pdf.set_font(font, style, size)
        pdf.set_xy(corner.left + SLIP_PADDING, corner.top + offset)
        pdf.cell(whole, 4, text)

    pdf.set_font("Helvetica", "B", 11)
    line(4, shorten_to_width(pdf, title, whole), "Helvetica", 11, "B")
    line(14, "Username", "Helvetica", 7)
    line(18, slip.username, "Courier", 11, "B")
    line(26, "Access code", "Helvetica", 7)
    line(30, slip.code, "Courier", 11, "B")
    line(39, "Scan, or sign in at" if slip.token else "Sign in at", "Helvetica", 7)
    pdf.set_font("Helvetica", "", 7)
    line(
        43,
        shorten_to_width(pdf, occasion.login_url.split("://")[-1], whole - CODE_SIZE),
        "Helvetica",
        7,
    )
    line(48, "Keep this slip: it brings you back on any device.", "Helvetica", 7)
    if slip.token:
        image = io.BytesIO()
        # A fixed mask: trying all eight takes most of the time and gains nothing for readers.
        code = segno.make_qr(occasion.link(slip), error="m", mask=4)
        code.save(image, kind="png", scale=4, border=2)
        x = corner.left + SLIP_WIDTH - SLIP_PADDING - CODE_SIZE
        pdf.image(image, x=x, y=corner.top + 12, w=CODE_SIZE, h=CODE_SIZE)


def shorten_to_width(pdf: FPDF, text: str, width: float) -> str:
    """Shorten the text to this width in the current font."""
    width -= 2 * pdf.c_margin
    if pdf.get_string_width(text) <= width:
        return text
    while text and pdf.get_string_width(text + "...") > width:
        text = text[:-1]
    return text + "..."

"""What goes into files that people open in a spreadsheet."""

import re

# What a spreadsheet would take for a formula, in half and full width, be it after blanks that it
# strips, and what it would strip.
FORMULA_START = re.compile(r"^(?:\s*[=+\-@＝＋－＠]|[\t\r\n])")


def safe_cell(cell: str) -> str:
    """The cell with an apostrophe before what a spreadsheet would execute."""
    return f"'{cell}" if FORMULA_START.match(cell) else cell

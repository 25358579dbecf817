"""Escaping cells of files that people open in a spreadsheet."""

import re

# The start of a formula, in half or full width, perhaps after white space that spreadsheets strip;
# and the white space itself.
FORMULA_START = re.compile(r"^(?:\s*[=+\-@＝＋－＠]|[\t\r\n])")


def safe_cell(cell: str) -> str:
    """The cell, with an apostrophe before a formula that a spreadsheet would execute."""
    return f"'{cell}" if FORMULA_START.match(cell) else cell

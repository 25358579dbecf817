"""Cells of a CSV file that a spreadsheet would run.

A CSV file is opened in spreadsheets, before and after it comes here; JSON is not, and our exports
escape such cells. So a formula is refused in CSV alone.
"""

import re
from collections.abc import Collection, Mapping

from arena.events.importing.checks import Problem

# What a spreadsheet strips, and then a sign of a formula, in half or full width.
SIGN = re.compile(r"\s*([=+\-@＝＋－＠])")
NUMBER = re.compile(r"\s*[+-]?\d+([.,]\d+)?\s*")
# In a text only what would be run: "=…", and a sign with a call or DDE behind it, be it after some
# arithmetic ("-2+3+cmd|…"). Lists ("- item", "+ item"), "@name hello" and "-5 degrees" are texts.
RUN = re.compile(r"\s*(?:[=＝]|[+\-@＋－＠](?:\s*[\d.]+\s*[-+*/^&])*\s*[A-Za-z_.][\w.]*[(|])")
MESSAGE = (
    "begins with {sign}, which a spreadsheet takes for a formula; "
    "begin it with something else, or bring the file as JSONL"
)


def formulas_in(cells: Mapping[str, str], names: Collection[str]) -> list[Problem]:
    """The cells that a spreadsheet would run; in the columns of `names`, which people and joins
    go by and which hold no sentences, any sign but that of a number is one."""
    return [
        Problem(column, MESSAGE.format(sign=sign[1]))
        for column, cell in cells.items()
        if (sign := SIGN.match(cell))
        and (RUN.match(cell) or (column in names and not NUMBER.fullmatch(cell)))
    ]

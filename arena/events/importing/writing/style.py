"""What a response looks like, apart from what it says: the covariates of style control.

`leaderboard/ratings/extended/style.py` compares them between two responses of a matchup. Plain
functions of a text; counted once, at import.
"""

import re
from typing import NamedTuple

# Each line begins with its line feed here: a pattern that begins with a certain character is found
# many times faster than one that begins with ^.
FENCE = re.compile(r"\n {0,3}(```|~~~).*?(?:\n {0,3}\1|\Z)", re.DOTALL)
HEADER = re.compile(r"\n {0,3}#{1,6}\s")
BOLD = re.compile(r"\*\*[^*\n]+\*\*|(?<!\w)__[^_\n]+__(?!\w)")
# Spaces and tabs, not \s: a run of blank lines must not be scanned again from each of them.
LIST_ITEM = re.compile(r"\n[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S")


class Style(NamedTuple):
    """Counts: whitespace-separated tokens, headers, bold spans, list items, code blocks."""

    length: int
    headers: int
    bold: int
    lists: int
    code: int


def style_of(text: str) -> Style:
    """Count the marks of style in a response written as Markdown.

    Nothing inside a fenced code block counts as a header, bold or list item; a block that is
    never closed runs to the end, as Markdown renders it.
    """
    length, code = len(text.split()), 0
    text = f"\n{text}"
    if "```" in text or "~~~" in text:
        text, code = FENCE.subn("", text)
    return Style(
        length=length,
        headers=len(HEADER.findall(text)) if "#" in text else 0,
        bold=len(BOLD.findall(text)) if "**" in text or "__" in text else 0,
        lists=len(LIST_ITEM.findall(text)),
        code=code,
    )

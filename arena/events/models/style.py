"""What a response looks like, apart from what it says: the covariates of style control.

Each is declared once, as a field of `Styled`: how it is counted, and its words for people. Imports,
boards, pages, bundles and docs/ratings.md follow from these declarations.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Label = str | Promise

# Each line begins with its line feed here: a pattern that begins with a certain character is found
# many times faster than one that begins with ^.
FENCE = re.compile(r"\n {0,3}(```|~~~).*?(?:\n {0,3}\1|\Z)", re.DOTALL)
HEADER = re.compile(r"\n {0,3}#{1,6}\s")
BOLD = re.compile(r"\*\*[^*\n]+\*\*|(?<!\w)__[^_\n]+__(?!\w)")
# Spaces and tabs, not \s: a run of blank lines must not be scanned again from each of them.
LIST_ITEM = re.compile(r"\n[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S")


@dataclass(frozen=True, slots=True)
class MarkdownText:
    """A response as the counts read it.

    text: all of it; outside_code: without fenced code blocks, beginning with a line feed, so that
    each of its lines does; code_blocks: how many there are. A block that is never closed runs to
    the end, as Markdown renders it.
    """

    text: str
    outside_code: str
    code_blocks: int

    @classmethod
    def parse(cls, text: str) -> "MarkdownText":
        outside_code, code_blocks = f"\n{text}", 0
        if "```" in text or "~~~" in text:
            outside_code, code_blocks = FENCE.subn("", outside_code)
        return cls(text, outside_code, code_blocks)


def count_words(response: MarkdownText) -> int:
    """Tokens separated by white space, those of code included."""
    return len(response.text.split())


def count_headers(response: MarkdownText) -> int:
    """Lines that begin with 1 to 6 # signs."""
    text = response.outside_code
    return len(HEADER.findall(text)) if "#" in text else 0


def count_bold(response: MarkdownText) -> int:
    """Passages between ** or __."""
    text = response.outside_code
    return len(BOLD.findall(text)) if "**" in text or "__" in text else 0


def count_list_items(response: MarkdownText) -> int:
    """Lines that begin with a bullet or a number."""
    return len(LIST_ITEM.findall(response.outside_code))


def count_code_blocks(response: MarkdownText) -> int:
    """Fenced blocks."""
    return response.code_blocks


def count_nothing(_response: MarkdownText) -> int:
    """What a copy of a field counts that migrations make: they have no texts."""
    return 0


class StyleCovariate(models.PositiveIntegerField):  # type: ignore[type-arg]
    """A count of a response's text, made when the text is stored; 0 where it was not counted.

    count: from a text to the number; heading: of its row on the board; unit: what is counted, as
    in "compared in words and headers"; meaning: for the documentation. Migrations see a plain
    integer field: words for people are no part of the database.
    """

    def __init__(
        self,
        *,
        count: Callable[[MarkdownText], int] = count_nothing,
        heading: Label = "",
        unit: Label = "",
        meaning: str = "",
        **options: Any,
    ) -> None:
        self.count, self.heading, self.unit, self.meaning = count, heading, unit, meaning
        super().__init__(**{"default": 0} | options)

    def deconstruct(self) -> Any:
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.PositiveIntegerField", args, options


class Styled(models.Model):
    """The covariates of a response. A further one is a field here, with its migration."""

    length = StyleCovariate(
        count=count_words,
        heading=_("Length in words"),
        unit=_("words"),
        meaning="Tokens separated by white space.",
    )
    headers = StyleCovariate(
        count=count_headers,
        heading=_("Headers"),
        unit=_("headers"),
        meaning="Lines that begin with 1 to 6 `#`, outside code blocks.",
    )
    bold = StyleCovariate(
        count=count_bold,
        heading=_("Bold passages"),
        unit=_("bold passages"),
        meaning="Passages between `**` or `__`, outside code blocks.",
    )
    lists = StyleCovariate(
        count=count_list_items,
        heading=_("List items"),
        unit=_("list items"),
        meaning="Lines that begin with a bullet or a number, outside code blocks.",
    )
    code = StyleCovariate(
        count=count_code_blocks,
        heading=_("Code blocks"),
        unit=_("code blocks"),
        meaning="Fenced blocks; one that is never closed runs to the end.",
    )

    class Meta:
        abstract = True


COVARIATES: tuple[StyleCovariate, ...] = tuple(
    field for field in Styled._meta.local_fields if isinstance(field, StyleCovariate)
)


def count_style(text: str) -> dict[str, int]:
    """The covariates of a response written as Markdown, by the names of their fields."""
    response = MarkdownText.parse(text)
    return {covariate.name: covariate.count(response) for covariate in COVARIATES}


def describe_covariates() -> str:
    """The covariates as a Markdown table, for docs/ratings.md."""
    lines = ["| covariate | counts | how |", "|---|---|---|"]
    lines += [f"| `{c.name}` | {c.unit} | {c.meaning} |" for c in COVARIATES]
    return "\n".join(lines) + "\n"

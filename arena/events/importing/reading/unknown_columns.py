"""Columns and keys that mean nothing to us: kept as metadata, refused where probably mistyped."""

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from arena.events.importing.checking.checks import Checker
from arena.events.importing.reading.flat_rows import RECORD_COLUMNS, SINGLE_COLUMNS, is_flat_key
from arena.events.importing.reading.foreign_columns import (
    COMMON_METADATA,
    VERDICT_COLUMNS,
    resolve_alias,
)
from arena.events.importing.reading.formats.csv_files import NAMELESS_COLUMN
from arena.events.importing.reading.records import RECORD_KEYS

REPEATED_COLUMN = re.compile(r"(.+) \((\d+)\)")
VERDICT_AS_METADATA = (
    "is kept as metadata and is not a vote; to count it, import this file again as votes "
    "(import_judgments)"
)
# Our own names where they mean nothing, and what would mean it there.
MEANT_INSTEAD = {"responses": "response_a", "control": "expected", "expected": "control"}


def explain_wrong_column(column: str, columns: Iterable[str]) -> str:
    """Why a column that means nothing is refused; empty where it may be kept as metadata."""
    if NAMELESS_COLUMN.fullmatch(column):
        return ""
    if column in RECORD_KEYS or is_flat_key(column):
        return f"has no place here; did you mean {MEANT_INSTEAD.get(column, 'metadata.' + column)}?"
    twin = REPEATED_COLUMN.fullmatch(column)
    if twin and twin[1] in columns:
        return f"two columns are called {twin[1]}; map this one to something else, or leave it out"
    if column.strip().casefold() in COMMON_METADATA | VERDICT_COLUMNS:
        return ""
    meant = resolve_alias(column)
    if meant and meant in columns:
        return ""
    if not meant:
        close = get_close_matches(column.casefold(), known_names(), n=1, cutoff=0.78)
        meant = close[0] if close else ""
    return f"is unknown; did you mean {meant}?" if meant else ""


@lru_cache(maxsize=1)
def known_names() -> tuple[str, ...]:
    """The names that somebody may have mistyped."""
    letters = ("a", "b", "c")
    pairs = (f"{word}_{letter}" for letter in letters for word in SINGLE_COLUMNS)
    return (*RECORD_COLUMNS, *RECORD_KEYS, *SINGLE_COLUMNS, *pairs)


def collect_extra_metadata(
    data: Mapping[str, Any], is_ours: Callable[[str], bool], check: Checker
) -> tuple[dict[str, Any], list[str]]:
    """What stands in columns or under keys that mean nothing, to be kept as metadata, and their
    names as far as they have to be told of."""
    spare: dict[str, Any] = {}
    told = []
    for column, value in data.items():
        if value in (None, ""):
            continue
        if is_ours(column):
            # The page suggests so where it knows nothing better.
            if column.removeprefix("metadata.").casefold() in VERDICT_COLUMNS:
                check.doubt("votes", column, VERDICT_AS_METADATA)
            continue
        if problem := explain_wrong_column(column, data):
            check.refuse(column, problem)
        elif NAMELESS_COLUMN.fullmatch(column):
            check.doubt("nameless", column, "has no name in the header, and is left out")
        else:
            spare[column] = value
            name = column.strip().casefold()
            if name in VERDICT_COLUMNS:
                check.doubt("votes", column, VERDICT_AS_METADATA)
            elif name not in COMMON_METADATA:
                told.append(column)
    return spare, told

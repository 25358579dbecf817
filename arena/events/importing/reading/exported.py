"""Knowing an export of judgments, our own JSON Lines, by its first bytes."""

import re
from typing import BinaryIO

from arena.events.importing.reading.files import opened, peek
from arena.events.importing.report import Unreadable

EXPORT = re.compile(rb'\s*\[?\s*\{\s*"uuid"\s*:\s*"[0-9a-f-]{36}"\s*,\s*"ledger_seq"\s*:')

EXPORT_MESSAGE = (
    "This is an export of judgments. Import it as votes, and its records come along: "
    "manage.py import_judgments EVENT FILE, or the import page."
)


def is_export(head: bytes) -> bool:
    """Whether a file that begins like this is an export of judgments, as it was written."""
    return EXPORT.match(head) is not None


def is_export_file(source: BinaryIO) -> bool:
    """The same of an open file, gzipped or not."""
    try:
        with opened(source) as inner:
            return is_export(peek(inner.stream, 1_000))
    except Unreadable:  # the check of the file will say what is wrong
        return False

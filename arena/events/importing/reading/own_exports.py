"""Knowing an export of judgments, our own JSON Lines, by its first bytes."""

import re
from typing import BinaryIO

from arena.events.importing.reading.files import open_source, peek_bytes
from arena.events.importing.report import UnreadableFileError

# Bytes in which an export is looked for.
HEAD_BYTES = 64_000
EXPORT_START = re.compile(
    rb'\s*\[?\s*\{\s*"uuid"\s*:\s*"[0-9a-f-]{36}"\s*,\s*"ledger_seq"\s*:'
)  # Keys that together only an export has, in whatever order another program has put them.
EXPORT_KEYS = [
    re.compile(rb'(?<!\\)"%s"\s*:' % key)
    for key in (b"ledger_seq", b"first_competitor", b"second_response", b"pseudonym")
]

EXPORT_MESSAGE = (
    "This is an export of judgments. Import it as votes, and its records come along: "
    "manage.py import_judgments EVENT FILE, or the import page."
)


def looks_like_export(head: bytes) -> bool:
    """Whether a file that begins like this is an export of judgments."""
    is_json = head.lstrip()[:1] in (b"{", b"[")
    return bool(EXPORT_START.match(head)) or (
        is_json and all(key.search(head) for key in EXPORT_KEYS)
    )


def is_export_file(source: BinaryIO) -> bool:
    """Whether an open file, gzipped or not, is an export of judgments."""
    try:
        with open_source(source) as inner:
            return looks_like_export(peek_bytes(inner.stream, HEAD_BYTES))
    except UnreadableFileError:  # the check of the file will say what is wrong
        return False

"""Knowing an export of judgments, our own JSON Lines, by its first bytes."""

import re

EXPORT = re.compile(rb'\s*\[?\s*\{\s*"uuid"\s*:\s*"[0-9a-f-]{36}"\s*,\s*"ledger_seq"\s*:')


def is_export(head: bytes) -> bool:
    """Whether a file that begins like this is an export of judgments, as it was written."""
    return EXPORT.match(head) is not None


EXPORT_MESSAGE = (
    "This is an export of judgments. Import it as votes, and its records come along: "
    "manage.py import_judgments EVENT FILE, or the import page."
)

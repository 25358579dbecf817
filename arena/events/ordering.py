"""The order in which people expect names: by the numbers in them, 81 before 100."""

import re

MAX_KEY_LENGTH = 500


def natural_key(name: str) -> str:
    """A text whose order is that of names with numbers in them: "q81" comes before "q100".

    Each number is written with its length before it, so that longer ones come later.
    """
    return re.sub(r"[0-9]+", pad_number, name.lower())[:MAX_KEY_LENGTH]


def pad_number(number: re.Match[str]) -> str:
    """A number without leading zeros, its length in three digits before it."""
    digits = number[0].lstrip("0")
    return f"{len(digits):03}{digits}"

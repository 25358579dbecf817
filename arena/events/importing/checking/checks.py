"""Checks of single values, shared by every parser of imported rows."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

MAX_DEPTH = 20
# Invisible, and part of how Persian and the Indic languages are written.
JOINERS = re.compile("[\u200c\u200d]")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of a row."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something valid that was probably meant otherwise, so that a person has to confirm it; `kind`
    is one of `doubts.DOUBT_KINDS`."""

    kind: str
    field: str
    message: str
    # 0: the line of the row in which it was found.
    line: int = 0


class InvalidRowError(ValueError):
    """The row cannot be imported; `problems` has every field that is wrong."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.message}" for p in problems))
        self.problems = problems


@dataclass(slots=True)
class Checker:
    """Collects the problems of one row, so that all of them are reported at once; and doubts."""

    problems: list[Problem] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    def refuse(self, field: str, message: str) -> None:
        """Note that a field is wrong."""
        self.problems.append(Problem(field, message))

    def doubt(self, kind: str, field: str, message: str) -> None:
        """Note something valid that was probably meant otherwise."""
        self.doubts.append(Doubt(kind, field, message))

    def raise_problems(self) -> None:
        """Raise `InvalidRowError` where anything was refused."""
        if self.problems:
            raise InvalidRowError(self.problems)

    def check_text(self, value: object, field: str) -> str:
        """A string that the database can hold; kept verbatim."""
        if not isinstance(value, str):
            self.refuse(field, f"must be text, not {json_type(value)}")
            return ""
        # ASCII without NUL is the common case, and both tests run at memory speed.
        if "\x00" in value or not (value.isascii() or is_encodable(value)):
            self.refuse(field, explain_unstorable(value))
            return ""
        return value

    def check_name(self, value: object, field: str, longest: int) -> str:
        """A short single-line string that people and joins go by: trimmed and normalised."""
        name = normalize_name(self.check_text(value, field))
        if not name:
            if not self.has_problem(field):
                self.refuse(field, "must not be empty")
        elif len(name) > longest:
            self.refuse(field, f"is longer than {longest} characters")
        elif not JOINERS.sub("", name).isprintable():
            self.refuse(field, "holds an invisible character")
        return name

    def has_problem(self, field: str) -> bool:
        """Whether this field has been refused already."""
        return any(problem.field == field for problem in self.problems)

    def check_keys(self, data: Mapping[str, Any], known: Collection[str], prefix: str = "") -> None:
        """Refuse keys that mean nothing here, naming the one that was probably meant."""
        for key in data:
            if key not in known:
                self.refuse(prefix + key, explain_unknown(key, known))

    def check_json(self, value: object, field: str, depth: int = 0) -> None:
        """Refuse a JSON value that is nested too deeply or holds text that cannot be stored."""
        if depth > MAX_DEPTH:
            self.refuse(field, f"is nested more than {MAX_DEPTH} levels deep")
        elif isinstance(value, dict):
            for key, item in value.items():
                self.check_text(key, field)
                self.check_json(item, f"{field}.{key}", depth + 1)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self.check_json(item, f"{field}[{index}]", depth + 1)
        elif isinstance(value, str):
            self.check_text(value, field)


def normalize_name(name: str) -> str:
    """A name with single spaces and in Unicode's NFC form, so that equal-looking names are
    equal."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


@lru_cache(maxsize=4096)
def fold_column(column: str) -> str:
    """A column's name for comparison: case folded, with _ for blanks and hyphens."""
    return re.sub(r"[\s\-]+", "_", column.strip().casefold())


def is_encodable(text: str) -> bool:
    """Whether the text has a UTF-8 form: no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def explain_unstorable(text: str) -> str:
    """Why this text cannot be stored, with the place."""
    found = UNSTORABLE.search(text)
    assert found is not None
    code, place = ord(found[0]), found.start() + 1
    if code == 0:
        return f"holds a NUL byte (character {place})"
    if 0xDC80 <= code <= 0xDCFF:  # an undecodable byte, as `surrogateescape` keeps it
        return (
            f"is not UTF-8: byte 0x{code - 0xDC00:02X} (character {place}); the file looks like "
            "Latin-1 or Windows-1252, save it as UTF-8"
        )
    return f"holds half of a surrogate pair, U+{code:04X} (character {place})"


def json_type(value: object) -> str:
    """The JSON word for a value's type."""
    kinds = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number" if isinstance(value, int | float) else "text")


def explain_unknown(name: str, known: Collection[str]) -> str:
    """ "Unknown", with the name that was probably meant."""
    close = get_close_matches(name.casefold(), {word.casefold(): word for word in known}, n=1)
    meant = [word for word in known if close and word.casefold() == close[0]]
    return f"is unknown; did you mean {meant[0]}?" if meant else "is unknown"

"""What can be asked about a matchup. Plain Python: no Django, no database.

`KINDS` maps the name of a kind to the kind. A further kind is a further module and one line here.
"""

from arena.questions.base import (
    InvalidAnswerError,
    Kind,
    ScaleOption,
    Settings,
    Value,
)
from arena.questions.preference import PreferenceKind
from arena.questions.text import TextKind

KINDS: dict[str, Kind] = {kind.name: kind for kind in (PreferenceKind(), TextKind())}

__all__ = [
    "KINDS",
    "InvalidAnswerError",
    "Kind",
    "PreferenceKind",
    "ScaleOption",
    "Settings",
    "TextKind",
    "Value",
]

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
from arena.questions.preference import Preference
from arena.questions.text import Text

KINDS: dict[str, Kind] = {kind.name: kind for kind in (Preference(), Text())}

__all__ = [
    "KINDS",
    "InvalidAnswerError",
    "Kind",
    "Preference",
    "ScaleOption",
    "Settings",
    "Text",
    "Value",
]

"""The options of a vote import: what the organizer says about a file besides its columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from arena.errors import ArenaError
from arena.events.models import Enrollment
from arena.judging.models import Origin

# What to do if a worker voted on the same pair more than once.
DUPLICATE_POLICIES = ("stop", "first", "last", "both")
LEFT_CHOICES = ("", "a", "b", "unknown")
ScaleEnds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class VoteOptions:
    """What a file of votes does not say itself.

    left: the model shown on the left if no column says it: a, b, unknown, or empty (not asked).
    ends: the values of `outcome` for "model A is much better" and "model B is much better"; never
    guessed. values: words of the file → answers (a, b, tie, both_bad, a2, b3; "" leaves the vote
    out). duplicates: stop (an error), first, last, or both (the later vote stands, the earlier is
    kept as its earlier revision). worker: who voted if no column says it. origin: empty means
    imported, or machine if machines voted.
    """

    left: str = ""
    ends: ScaleEnds | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    duplicates: str = "stop"
    worker: str = ""
    kind: str = Enrollment.Kind.HUMAN
    origin: str = ""

    def as_json(self) -> dict[str, Any]:
        """The JSON stored with the import."""
        return {
            "left": self.left,
            "ends": list(self.ends) if self.ends else None,
            "values": dict(self.values),
            "duplicates": self.duplicates,
            "worker": self.worker,
            "kind": str(self.kind),
            "origin": str(self.origin),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `checked_to_json`; missing options have their defaults."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        if known.get("ends"):
            known["ends"] = tuple(known["ends"])
        return cls(**known)

    def judgments_origin(self) -> str:
        """The origin of the judgments. Raises `ArenaError` if it contradicts the kind of voter."""
        is_machine = self.kind == Enrollment.Kind.MACHINE
        origin = self.origin or (Origin.MACHINE if is_machine else Origin.IMPORTED)
        if origin == Origin.SCREEN or is_machine != (origin == Origin.MACHINE):
            message = f"A {self.kind}'s judgments cannot be of origin {origin}."
            raise ArenaError(message, "wrong_origin")
        return origin

    def check(self) -> None:
        """Raises `ArenaError` for an option with an unknown value."""
        if self.left not in LEFT_CHOICES:
            raise ArenaError("Left is a, b or unknown.", "unknown_side")
        if self.duplicates not in DUPLICATE_POLICIES:
            raise ArenaError("Duplicates is stop, first, last or both.", "unknown_duplicates")
        if self.ends and self.ends[0] == self.ends[1]:
            raise ArenaError("The two ends of the scale are the same number.", "same_ends")
        self.judgments_origin()

"""What an organizer says about a file of votes, beside what its columns mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from arena.errors import ArenaError
from arena.events.models import Enrollment
from arena.judging.models import Origin

# Where one worker has voted on one pair more than once.
DUPLICATES = ("stop", "first", "last", "both")
LEFT = ("", "a", "b", "unknown")
Ends = tuple[float, float]


@dataclass(frozen=True, slots=True)
class VoteOptions:
    """What a file of votes does not say by itself.

    left: which model stood left where the file has no such column: a, b, unknown, or empty where
    nobody was asked. ends: the numbers in `outcome` that say that model A, and model B, is much
    better; never guessed. values: words of the file → answers (a, b, tie, both_bad, a2, b3, or ""
    to leave the vote out). duplicates: stop (an error), first, last, or both: the later one
    stands, the earlier one is kept as its earlier revision. worker: who voted where the file has
    no such column. origin: empty: imported, or machine where machines voted.
    """

    left: str = ""
    ends: Ends | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    duplicates: str = "stop"
    worker: str = ""
    kind: str = Enrollment.Kind.HUMAN
    origin: str = ""

    def as_json(self) -> dict[str, Any]:
        """As it is stored with the import."""
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
        """The inverse of `as_json`; what is not said is as by default."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        if known.get("ends"):
            known["ends"] = tuple(known["ends"])
        return cls(**known)

    def judgments_origin(self) -> str:
        """The origin of the judgments. Raises `ArenaError` where it would be a lie."""
        is_machine = self.kind == Enrollment.Kind.MACHINE
        origin = self.origin or (Origin.MACHINE if is_machine else Origin.IMPORTED)
        if origin == Origin.SCREEN or is_machine != (origin == Origin.MACHINE):
            message = f"A {self.kind}'s judgments cannot be of origin {origin}."
            raise ArenaError(message, "wrong_origin")
        return origin

    def check(self) -> None:
        """Raises `ArenaError` where an option is none of its words."""
        if self.left not in LEFT:
            raise ArenaError("Left is a, b or unknown.", "unknown_side")
        if self.duplicates not in DUPLICATES:
            raise ArenaError("Duplicates is stop, first, last or both.", "unknown_duplicates")
        if self.ends and self.ends[0] == self.ends[1]:
            raise ArenaError("The two ends of the scale are the same number.", "same_ends")
        self.judgments_origin()

"""A checked vote as it waits to be written, and what writing needs to know of the event."""

import json
from dataclasses import astuple, dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Self

from arena.errors import ArenaError
from arena.events.importing.jobs import JobHold
from arena.events.importing.writing.batches import matchup_key
from arena.events.models import Event, Question
from arena.judging.importing.options import VoteOptions
from arena.judging.importing.reading.vote_lines import Terms


@dataclass(frozen=True, slots=True)
class ImportedVote:
    """A checked vote in canonical order, as it is kept for the second pass."""

    line: int
    worker: str
    record: int
    first: int
    second: int
    # Null: the preference was not answered.
    outcome: int | None
    both_bad: bool
    first_on_left: bool | None
    judged_at: str | None
    comment: str
    # Whether the same worker has voted on the same pair in an earlier line.
    repeats: bool = False
    # Empty: as the whole import.
    origin: str = ""
    # Why it does not count; empty: it does.
    exclusion: str = ""
    note: str = ""
    # Texts that answer further questions, by the question's key.
    others: dict[str, str] = field(default_factory=dict)

    def key(self) -> str:
        """Its matchup's key."""
        return matchup_key((self.first, self.second))

    def who(self) -> str:
        """Whose vote on what: at most one stands."""
        return f"{self.key()} {self.worker}"

    def said(self) -> str:
        """What it says, to be compared with another vote of this worker on this matchup."""
        return say(self.outcome, self.both_bad, self.first_on_left, self.judged_at, self.comment)

    def as_json(self) -> list[Any]:
        """As it is kept on the disk."""
        return list(astuple(self))

    @classmethod
    def from_json(cls, data: list[Any]) -> Self:
        """The inverse of `as_json`."""
        return cls(*data)


def say(*said: object) -> str:
    """What a vote says, as one comparable string."""
    return json.dumps(said)


@dataclass(frozen=True, slots=True)
class VoteWriter:
    """Everything that writing votes into one event needs."""

    event: Event
    hold: JobHold
    preference: Question
    # Takes comments; null where the event asks for no text.
    comment: Question | None
    options: VoteOptions
    rng: Random

    def vote_rules(self, now: datetime) -> Terms:
        """What votes of this import may say, given the event's settings and the options."""
        return Terms(
            scale=self.event.scale,
            both_bad=self.event.both_bad,
            takes_comments=self.comment is not None,
            zone=self.event.zone(),
            now=now,
            options=self.options,
        )


def writer_for(hold: JobHold, options: VoteOptions, rng: Random) -> VoteWriter:
    """A writer that knows the event's questions. Raises `ArenaError` without a preference."""
    event = hold.job.event
    questions = list(event.questions.all())
    preference = next((one for one in questions if one.kind == "preference"), None)
    if preference is None:
        raise ArenaError("This event asks for no preference, so it takes no votes.", "no_votes")
    comment = next((one for one in questions if one.kind == "text"), None)
    return VoteWriter(event, hold, preference, comment, options, rng)

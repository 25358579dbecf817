"""Checked votes waiting to be written, and what writing them needs to know about the event."""

import json
from dataclasses import astuple, dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Self

from arena.errors import ArenaError
from arena.events.importing.jobs import JobHold
from arena.events.importing.writing.batches import build_matchup_key
from arena.events.models import Event, Question
from arena.judging.importing.options import VoteOptions
from arena.judging.importing.reading.vote_lines import VoteRules


@dataclass(frozen=True, slots=True)
class ImportedVote:
    """A checked vote with its responses in canonical order, as spooled for the writing pass."""

    line: int
    worker: str
    record: int
    first: int
    second: int
    # None: the preference was not answered.
    outcome: int | None
    both_bad: bool
    first_on_left: bool | None
    judged_at: str | None
    comment: str
    # Whether an earlier line holds this worker's vote on the same matchup.
    repeats: bool = False
    # Empty: the origin of the import as a whole.
    origin: str = ""
    # Reason of its exclusion; empty: it counts.
    exclusion: str = ""
    note: str = ""
    # Answers to further text questions, by the question's primary key.
    others: dict[str, str] = field(default_factory=dict)

    def matchup_key(self) -> str:
        """The key of its matchup."""
        return build_matchup_key((self.first, self.second))

    def duplicate_key(self) -> str:
        """Matchup and worker: at most one vote with this key stands."""
        return f"{self.matchup_key()} {self.worker}"

    def content(self) -> str:
        """What the vote says, to compare it with another vote with the same duplicate key."""
        return serialize_content(
            self.outcome, self.both_bad, self.first_on_left, self.judged_at, self.comment
        )

    def as_json(self) -> list[Any]:
        """The list of fields that is spooled to disk."""
        return list(astuple(self))

    @classmethod
    def from_json(cls, data: list[Any]) -> Self:
        """The inverse of `checked_to_json`."""
        return cls(*data)


def serialize_content(*said: object) -> str:
    """The content of a vote as one comparable string."""
    return json.dumps(said)


@dataclass(frozen=True, slots=True)
class VoteWriter:
    """The context for writing votes into one event."""

    event: Event
    hold: JobHold
    preference: Question
    # The text question that stores comments; None if the event has none.
    comment: Question | None
    options: VoteOptions
    rng: Random

    def vote_rules(self, now: datetime) -> VoteRules:
        """What votes of this import may say, given the event's settings and the options."""
        return VoteRules(
            scale=self.event.scale,
            both_bad=self.event.both_bad,
            takes_comments=self.comment is not None,
            zone=self.event.zone(),
            now=now,
            options=self.options,
        )


def build_vote_writer(hold: JobHold, options: VoteOptions, rng: Random) -> VoteWriter:
    """The writer for an event's questions. Raises `ArenaError` if it asks for no preference."""
    event = hold.job.event
    questions = list(event.questions.all())
    preference = next((one for one in questions if one.kind == "preference"), None)
    if preference is None:
        raise ArenaError("This event asks for no preference, so it takes no votes.", "no_votes")
    comment = next((one for one in questions if one.kind == "text"), None)
    return VoteWriter(event, hold, preference, comment, options, rng)

"""Choosing the matchups of a chunk: ordinary ones from a random entry point, controls to match.

Every query walks an index from where it enters it, so that its cost depends on the chunk and not
on how many matchups an event has or how many of them are done.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from random import Random

from arena.cache import keep
from arena.events.lifecycle.hiding import Regime, find_regime
from arena.events.models import Enrollment, Event, Matchup
from arena.judging.serving.chunk_sql import TurnState, read_turn_state
from arena.judging.serving.pair_weights import draw_pairs
from arena.judging.serving.schedule import is_anchor_turn, is_control_turn
from arena.judging.serving.windows import (
    Unmet,
    count_showings,
    lock_controls,
    sample_level,
    sample_pairs,
    sample_window,
)

# Candidates fetched for each matchup wanted: some share a prompt, some are taken by others.
CANDIDATES_PER_MATCHUP = 3
MIN_CANDIDATES = 12
# Controls among which one with a fitting number of showings is looked for.
CONTROL_CANDIDATES = 48
REGIME_SECONDS = 60
Role = Matchup.Role


@dataclass(frozen=True)
class Turn:
    """A contributor's turn to be served: everything the choice depends on."""

    event: Event
    enrollment: Enrollment
    # The first ordinal of the chunk.
    ordinal: int
    now: datetime
    rng: Random

    @cached_property
    def state(self) -> TurnState:
        """What the event and this contributor's assignments are like now."""
        return read_turn_state(self.enrollment)

    def list_unmet(
        self, role: str, recent_records: Sequence[int] = (), *, is_open: bool = False
    ) -> Unmet:
        """What may be chosen from."""
        return Unmet(self.event.pk, self.enrollment.pk, role, recent_records, is_open)

    @cached_property
    def regime(self) -> Regime:
        """What hides the controls of the event."""
        return get_regime(self.event)

    def find_role(self, ordinal: int) -> str:
        """What the schedule of this contributor has at this ordinal."""
        event = self.event
        key = (event.secret, str(self.enrollment.public_id), ordinal, event.control_interval)
        if is_control_turn(*key):
            return Role.CONTROL
        is_anchored = self.regime is Regime.ANCHORED
        return Role.ANCHOR if is_anchored and is_anchor_turn(*key) else Role.ORDINARY


@dataclass(frozen=True)
class Candidate:
    """A matchup that may be reserved."""

    matchup: Matchup
    # With which its pair of competitors was drawn; None where pairs were not weighed.
    probability: float | None = None


def find_ordinary(turn: Turn, wanted: int) -> list[Candidate]:
    """Up to so many candidates of different prompts, in the order in which to take them.

    They are open ordinary matchups that this contributor has not met. Where every open one has a
    prompt that recurs too early, one of those is returned: nobody is stuck while slots are open.
    """
    recent = turn.state.recent_records
    spaced = turn.list_unmet(Role.ORDINARY, recent, is_open=True)
    size = max(wanted * CANDIDATES_PER_MATCHUP, MIN_CANDIDATES)
    is_uniform = turn.event.choosing == Event.Choosing.UNIFORM
    find = sample_window if is_uniform else find_by_coverage
    is_active = turn.event.choosing == Event.Choosing.ACTIVE
    candidates = find_actively(spaced, turn, wanted) if is_active else []
    if len(candidates) < wanted:
        candidates += map(Candidate, find(spaced, turn.rng, size))
    if not candidates and recent:
        every = turn.list_unmet(Role.ORDINARY, is_open=True)
        return [Candidate(matchup) for matchup in find(every, turn.rng, MIN_CANDIDATES)[:1]]
    return pick_records_once(candidates)


def find_actively(unmet: Unmet, turn: Turn, wanted: int) -> list[Candidate]:
    """For each of so many pairs of competitors, drawn by weight, one of its open matchups from a
    random entry point; fewer where pairs have none left, none where there are no weights."""
    drawn = draw_pairs(turn.event, turn.rng, wanted)
    times = Counter(weight.pair for weight in drawn)
    sizes = {pair: count * CANDIDATES_PER_MATCHUP for pair, count in times.items()}
    windows = {pair: iter(found) for pair, found in sample_pairs(unmet, turn.rng, sizes).items()}
    found: list[Candidate] = []
    used: set[int] = set()
    for weight in drawn:
        unused = (m for m in windows[weight.pair] if m.record_id not in used)
        if matchup := next(unused, None):
            used.add(matchup.record_id)
            found.append(Candidate(matchup, weight.probability))
    return found


def find_by_coverage(unmet: Unmet, rng: Random, size: int) -> list[Matchup]:
    """A window of those with the fewest judgments, followed by one of the next fewest, and so on
    until there are enough."""
    found: list[Matchup] = []
    below = None
    # Each window as large as the first: the statement stays the same, and prepared.
    while len(found) < size and (level := sample_level(unmet, rng, size, below)):
        found += level
        below = level[0].open_slots
    return found[:size]


def pick_records_once(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The first candidate of each record."""
    first: dict[int, Candidate] = {}
    for candidate in candidates:
        first.setdefault(candidate.matchup.record_id, candidate)
    return list(first.values())


class SpecialPool:
    """The controls, and the anchors, from which those of one chunk are drawn.

    In a matched pool a control is drawn with as many earlier showings as the ordinary matchup whose
    turn it takes, and is shown at most `overlap` times, as that one is. In any other everybody may
    meet every control, and every anchor where there are any.
    """

    def __init__(self, turn: Turn) -> None:
        self.overlap, self.now = turn.event.overlap, turn.now
        self.is_matched = turn.regime is Regime.MATCHED
        recent = turn.state.recent_records
        roles = (Role.CONTROL, Role.ANCHOR) if turn.regime is Regime.ANCHORED else (Role.CONTROL,)
        size = CONTROL_CANDIDATES if self.is_matched else MIN_CANDIDATES
        self.candidates: dict[str, list[Matchup]] = {
            role: sample_window(turn.list_unmet(role, recent), turn.rng, size) for role in roles
        }
        self.showings: dict[int, int] = {}
        if self.is_matched:
            self.count_showings()

    def count_showings(self) -> None:
        """Lock the controls, inside the caller's transaction, and count who has met them."""
        found = self.candidates[Role.CONTROL]
        locked = sorted(lock_controls([matchup.pk for matchup in found])) if found else []
        self.showings = count_showings(locked, self.now) if locked else {}
        self.candidates[Role.CONTROL] = [
            matchup
            for matchup in found
            if matchup.pk in locked and self.showings.get(matchup.pk, 0) < self.overlap
        ]

    def draw(self, role: str, instead_of: Matchup, used_records: set[int]) -> Matchup | None:
        """Take one of this role out of the pool for the turn of this ordinary matchup; None where
        none is left for it, so that the turn is ordinary."""
        found = [m for m in self.candidates.get(role, ()) if m.record_id not in used_records]
        if self.is_matched:
            found = self.match(found, self.overlap - instead_of.open_slots)
        if not found:
            return None
        self.candidates[role].remove(found[0])
        return found[0]

    def match(self, controls: list[Matchup], earlier: int) -> list[Matchup]:
        """Those with so many showings; else the one with the fewest, which must be fewer: what
        was shown more often than the ordinary matchup would stand out.

        The fewest rather than the next fewer: controls that fall behind catch up one after the
        other, and none of them comes up again and again.
        """
        by_showings = sorted(controls, key=lambda matchup: self.showings.get(matchup.pk, 0))
        same = [m for m in by_showings if self.showings.get(m.pk, 0) == earlier]
        fewer = [m for m in by_showings if self.showings.get(m.pk, 0) < earlier]
        return same or fewer


def get_regime(event: Event) -> Regime:
    """What hides the controls of the event.

    Imports and retirements seldom change that, and counting takes longer the larger an event is:
    the answer is kept for a minute.
    """
    key = f"regime:{event.pk}:{event.control_interval}"
    return Regime(keep(key, REGIME_SECONDS, lambda: find_regime(event).value))

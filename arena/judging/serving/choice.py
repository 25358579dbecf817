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
from arena.events.models import Enrollment, Event, Matchup
from arena.judging.serving.chunk_sql import TurnState, read_turn_state
from arena.judging.serving.pair_weights import draw_pairs
from arena.judging.serving.schedule import is_control_turn
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
# A pool of controls hides among ordinary matchups if it is at least this share of them, which is
# c/(1−c) for c, the share of controls over the expected activity: .13 for one control in 20
# turns, .145 for one in 12 (measured with the front-loaded schedule).
MATCHED_POOL_SHARE = {20: 0.13, 12: 0.145}
MATCHED_SECONDS = 60
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

    def is_control_turn(self, ordinal: int) -> bool:
        """Whether the schedule of this contributor has a control at this ordinal."""
        event = self.event
        person = str(self.enrollment.public_id)
        return is_control_turn(event.secret, person, ordinal, event.control_interval)


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


class ControlPool:
    """The controls from which those of one chunk are drawn.

    Where the pool is large enough to hide among the ordinary matchups, a control is drawn with as
    many earlier showings as the ordinary matchup whose turn it takes, and is shown at most
    `overlap` times, as that one is. A smaller pool has no such limit: everybody meets it.
    """

    def __init__(self, turn: Turn) -> None:
        self.overlap, self.now = turn.event.overlap, turn.now
        self.is_matched = is_pool_matched(turn.event)
        recent = turn.state.recent_records
        size = CONTROL_CANDIDATES if self.is_matched else MIN_CANDIDATES
        spaced = turn.list_unmet(Role.CONTROL, recent)
        self.candidates = sample_window(spaced, turn.rng, size)
        if not self.candidates and recent:
            self.candidates = sample_window(turn.list_unmet(Role.CONTROL), turn.rng, size)
        self.showings: dict[int, int] = {}
        if self.is_matched and self.candidates:
            self.count_showings()

    def count_showings(self) -> None:
        """Lock the candidates, inside the caller's transaction, and count who has met them."""
        locked = sorted(lock_controls([matchup.pk for matchup in self.candidates]))
        self.showings = count_showings(locked, self.now) if locked else {}
        self.candidates = [
            matchup
            for matchup in self.candidates
            if matchup.pk in locked and self.showings.get(matchup.pk, 0) < self.overlap
        ]

    def draw(self, instead_of: Matchup, used_records: set[int]) -> Matchup | None:
        """Take a control out of the pool for the turn of this ordinary matchup; None if empty."""
        candidates = [m for m in self.candidates if m.record_id not in used_records]
        if not candidates:
            return None
        earlier = self.overlap - instead_of.open_slots
        control = min(candidates, key=lambda m: abs(self.showings.get(m.pk, 0) - earlier))
        self.candidates.remove(control)
        return control


def is_pool_matched(event: Event) -> bool:
    """Whether there are enough controls to recur exactly as ordinary matchups do.

    Imports and retirements seldom change that, and counting takes longer the larger an event is:
    the answer is kept for a minute.
    """
    key = f"matched-pool:{event.pk}:{event.control_interval}"
    return keep(key, MATCHED_SECONDS, lambda: count_matched_pool(event))


def count_matched_pool(event: Event) -> bool:
    """The same, counted; only as many ordinary matchups as decide the question."""
    in_service = Matchup.objects.filter(event=event, retired_at=None)
    controls = in_service.filter(role=Role.CONTROL).count()
    share = MATCHED_POOL_SHARE[12 if event.control_interval <= 12 else 20]
    most = int(controls / share)
    ordinary = in_service.filter(role=Role.ORDINARY).order_by().values("pk")[: most + 1].count()
    return 0 < ordinary <= most

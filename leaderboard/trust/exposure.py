"""What accounts that compare notes can find out about which matchups are controls.

Two pure parts: the attack, on who met what at which turn, and a fast simulation of the draw on an
event's own numbers, which says beforehand what the attack would find.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
# People's judgments are a truncated Pareto of this shape between these numbers: median 9, mean 25.
ACTIVITY, LEAST, MOST = 0.95, 5, 500
# Controls among which one with a fitting number of showings is looked for, as in serving.
CONTROL_CANDIDATES = 48
ORDINARY, CONTROL, ANCHOR = range(3)
# For an estimate: accounts that collude, the largest event that is simulated, and how often it is.
ACCOUNTS = (10, 5, 2)
MAX_ORDINARY, TURNS_SIMULATED, MIN_RUNS, MAX_RUNS = 20_000, 400_000, 4, 60


# --- the attack ---------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class Meetings:
    """Who met what: a row for each meeting of one of some accounts with a matchup.

    person, ordinal (1-based, of that person's turns), matchup, record: int64 (n,); role: int64
    (n,), the matchup's: `ORDINARY`, `CONTROL` or `ANCHOR`; beside: int64 (n,), 1 where the record
    has a control, whether or not they have met it.
    """

    person: Ints
    ordinal: Ints
    matchup: Ints
    record: Ints
    role: Ints
    beside: Ints

    def take(self, rows: Mask) -> "Meetings":
        """These rows."""
        columns = (self.person, self.ordinal, self.matchup, self.record, self.role, self.beside)
        return Meetings(*(column[rows] for column in columns))


@dataclass(frozen=True)
class Findings:
    """What the accounts learn. An AUC of .5 is nothing and 1 or 0 everything; it is NaN where they
    met no two of a kind that could be compared.

    by_matchup, by_prompt: how often a control has been met more often by them than another matchup
    at the same turn, a tie being half; certain: controls that more of them met than there are
    people who may meet an ordinary matchup, where nothing else is met as often.
    """

    by_matchup: float
    by_prompt: float
    certain: int


def attack(meetings: Meetings, overlap: int, among: int | None = None) -> Findings:
    """Tell controls by how often the accounts have met each matchup, and each prompt.

    Only turns of the same ordinal are compared, since the schedule of controls is public. among:
    the role of the matchups that controls are to be told from; None: everything else. A control's
    prompt is compared with those of records that have no control.
    """
    control = meetings.role == CONTROL
    other = ~control if among is None else meetings.role == among
    met = count_alike(meetings.matchup)
    seen = count_alike(meetings.record)
    too_often = control & (met > overlap) & (among is None)
    return Findings(
        compare(met, meetings.ordinal, control, other),
        compare(seen, meetings.ordinal, control, other & (meetings.beside == 0)),
        len(np.unique(meetings.matchup[too_often])),
    )


def count_alike(values: Ints) -> Ints:
    """How many rows have the value of each row: int64 (n,)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray(counts[place], dtype=np.int64)


def compare(score: Ints, ordinal: Ints, control: Mask, other: Mask) -> float:
    """How often a control scores above another row of the same ordinal, ties being half; NaN
    where no two can be compared."""
    above, pairs = 0.0, 0
    for turn in np.unique(ordinal[control]):
        these = score[control & (ordinal == turn)]
        those = np.sort(score[other & (ordinal == turn)])
        below = np.searchsorted(those, these, "left") + np.searchsorted(those, these, "right")
        above += float(below.sum()) / 2.0
        pairs += len(these) * len(those)
    return above / pairs if pairs else float("nan")


# --- the draw -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Draw:
    """An event as the draw sees it.

    ordinary: matchups in service that want judgments, companions of controls among them; controls,
    anchors: matchups in service of these roles; per_record, per_control: matchups in service of a
    record without and with a control, of all roles; overlap: judgments that an ordinary matchup
    wants; is_matched: whether a control is drawn with as many earlier showings as the ordinary
    matchup whose turn it takes, else with the fewest if these are fewer, so that none has more than
    `overlap`; picks_least: whether matchups with the fewest judgments come first; gap: turns before
    a prompt recurs to the same person; get_run: the first and last ordinal of the run of turns that
    an ordinal is in, which brings one control, and two anchors where there are any, at places drawn
    at random.
    """

    ordinary: int
    controls: int
    overlap: int
    get_run: Callable[[int], tuple[int, int]]
    anchors: int = 0
    per_record: int = 1
    per_control: int = 1
    is_matched: bool = True
    picks_least: bool = False
    gap: int = 5


class Pool:
    """The matchups of one event while they are served, one turn after the other."""

    def __init__(self, draw: Draw, rng: Random) -> None:
        self.draw, self.rng = draw, rng
        size = draw.ordinary + draw.controls + draw.anchors
        self.role = [ORDINARY] * draw.ordinary
        self.role += [CONTROL] * draw.controls + [ANCHOR] * draw.anchors
        self.record = self.group()
        self.showings = [0] * size
        # Open ordinary matchups by how often they have been shown; together where all are alike.
        self.open = [list(range(draw.ordinary))]
        self.controls = list(range(draw.ordinary, draw.ordinary + draw.controls))
        self.anchors = list(range(draw.ordinary + draw.controls, size))

    def group(self) -> list[int]:
        """The record of each matchup: controls and anchors have records of their own, with ordinary
        matchups beside them; the other ordinary ones are grouped."""
        draw = self.draw
        special = draw.controls + draw.anchors
        beside = [draw.per_control - 1] * draw.controls + [draw.per_record - 1] * draw.anchors
        companions = [record for record, count in enumerate(beside) for _ in range(count)]
        companions = companions[: draw.ordinary]
        others = draw.ordinary - len(companions)
        ordinary = companions + [special + place // draw.per_record for place in range(others)]
        return ordinary + list(range(special))

    def pick_ordinary(self, person: "Account") -> int | None:
        """An open matchup that this person may meet now, taken; None where there is none."""
        for level in self.open:
            if found := self.find(level, person):
                matchup, place = found
                level[place] = level[-1]
                level.pop()
                self.show(matchup)
                return matchup
        return None

    def find(self, level: list[int], person: "Account") -> tuple[int, int] | None:
        """A matchup of these that this person may meet now, drawn at random, and its place."""
        if not level:
            return None
        for _ in range(20):
            place = self.rng.randrange(len(level))
            if person.may_meet(level[place], self.record):
                return level[place], place
        places = [p for p, one in enumerate(level) if person.may_meet(one, self.record)]
        if not places:
            return None
        place = self.rng.choice(places)
        return level[place], place

    def show(self, matchup: int) -> None:
        """Count a showing of an ordinary matchup, which stays open below the overlap."""
        self.showings[matchup] += 1
        if self.showings[matchup] < self.draw.overlap:
            level = self.showings[matchup] if self.draw.picks_least else 0
            while len(self.open) <= level:
                self.open.append([])
            self.open[level].append(matchup)

    def pick_special(self, role: int, person: "Account", instead_of: int) -> int | None:
        """What the schedule has for the turn of an ordinary matchup; None where none is left."""
        if role == CONTROL:
            return self.pick_control(person, instead_of)
        found = self.find(self.anchors, person)
        return found[0] if found else None

    def pick_control(self, person: "Account", instead_of: int) -> int | None:
        """A control for the turn of an ordinary matchup that has just been taken; None where none
        is left."""
        size = min(CONTROL_CANDIDATES, len(self.controls))
        sample = self.rng.sample(self.controls, size)
        found = [one for one in sample if person.may_meet(one, self.record)]
        if self.draw.is_matched:
            earlier = self.showings[instead_of] - 1
            same = [one for one in found if self.showings[one] == earlier]
            fewer = [one for one in found if self.showings[one] < earlier]
            found = same or sorted(fewer, key=self.showings.__getitem__)
        if not found:
            return None
        self.showings[found[0]] += 1
        return found[0]


class Account:
    """A person: what they have met, and where their special turns are."""

    def __init__(self, draw: Draw, rng: Random) -> None:
        self.draw, self.rng = draw, rng
        self.met: set[int] = set()
        self.recent: deque[int] = deque(maxlen=draw.gap)
        # The record of the ordinary matchup that they have next.
        self.next_record = -1
        self.turns: list[int] = []
        self.special: dict[int, int] = {}
        self.planned = 0

    def may_meet(self, matchup: int, record: list[int]) -> bool:
        """Whether they have not met it, nor its prompt lately, nor are about to."""
        prompt = record[matchup]
        return not (matchup in self.met or prompt in self.recent or prompt == self.next_record)

    def role_of_turn(self, ordinal: int) -> int:
        """What the schedule has at an ordinal."""
        while self.planned < ordinal:
            first, last = self.draw.get_run(self.planned + 1)
            wanted = 3 if self.draw.anchors else 1
            places = self.rng.sample(range(first, last + 1), min(wanted, last - first + 1))
            self.special.update(zip(places, (CONTROL, ANCHOR, ANCHOR), strict=False))
            self.planned = last
        return self.special.get(ordinal, ORDINARY)

    def judge(self, pool: Pool, turns: int) -> None:
        """Take so many turns or one more, or as many as there is something for."""
        while len(self.turns) < turns and (following := pool.pick_ordinary(self)) is not None:
            self.next_record = pool.record[following]
            while role := self.role_of_turn(len(self.turns) + 1):
                found = pool.pick_special(role, self, following)
                if found is None:
                    break
                self.meet(found, pool)
            self.next_record = -1
            self.meet(following, pool)

    def meet(self, matchup: int, pool: Pool) -> None:
        """Take a turn with this matchup."""
        self.turns.append(matchup)
        self.met.add(matchup)
        self.recent.append(pool.record[matchup])


def simulate_meetings(draw: Draw, accounts: int, turns: int, rng: Random) -> Meetings:
    """What so many colluding accounts of so many turns meet until everything has been judged.

    They come at random times among honest people, whose numbers of judgments are drawn as
    `ACTIVITY` says; one person after the other.
    """
    pool = Pool(draw, rng)
    colluders = [Account(draw, rng) for _ in range(accounts)]
    starts = sorted(rng.random() * draw.ordinary * draw.overlap for _ in colluders)
    taken = 0
    for colluder, start in zip(colluders, starts, strict=True):
        while taken < start:
            before = taken
            taken += take_turns(Account(draw, rng), pool, draw_activity(rng))
            if taken == before:
                break
        taken += take_turns(colluder, pool, turns)
    return collect(colluders, pool, turns)


def take_turns(person: Account, pool: Pool, turns: int) -> int:
    """Let somebody judge; how many ordinary matchups they took."""
    person.judge(pool, turns)
    return sum(pool.role[matchup] == ORDINARY for matchup in person.turns)


def draw_activity(rng: Random) -> int:
    """Judgments of an honest person."""
    low, high = LEAST**-ACTIVITY, (MOST + 1.0) ** -ACTIVITY
    return int((low - rng.random() * (low - high)) ** (-1.0 / ACTIVITY))


def collect(colluders: list[Account], pool: Pool, turns: int) -> Meetings:
    """What these accounts have met in so many turns."""
    rows = [
        (number, ordinal, matchup, record, pool.role[matchup], record < pool.draw.controls)
        for number, person in enumerate(colluders)
        for ordinal, matchup in enumerate(person.turns[:turns], start=1)
        for record in [pool.record[matchup]]
    ]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 6).T
    return Meetings(*columns)


# --- both ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Estimate:
    """What so many accounts would find out, as `Findings`: means over simulated events, and how
    many controls are given away for certain in one of them."""

    accounts: int
    by_matchup: float
    by_prompt: float
    certain: float


def estimate_exposure(draw: Draw, turns: int, rng: Random) -> list[Estimate]:
    """What ten, five and two accounts of so many turns each would find out.

    Where anchors hide the controls, they are what controls are told from. Events larger than
    `MAX_ORDINARY` are simulated in that size: the accounts then meet more of it than they would.
    """
    if draw.ordinary > MAX_ORDINARY:
        part = MAX_ORDINARY / draw.ordinary
        draw = replace(
            draw,
            ordinary=MAX_ORDINARY,
            controls=round(draw.controls * part),
            anchors=round(draw.anchors * part),
        )
    most = max(ACCOUNTS)
    size = max(draw.ordinary * draw.overlap, most * turns)
    runs = min(MAX_RUNS, max(MIN_RUNS, TURNS_SIMULATED // size))
    among = ANCHOR if draw.anchors else None
    found: dict[int, list[Findings]] = {accounts: [] for accounts in ACCOUNTS}
    for _ in range(runs):
        meetings = simulate_meetings(draw, most, turns, rng)
        for accounts in ACCOUNTS:
            chosen = rng.sample(range(most), accounts)
            some = meetings.take(np.isin(meetings.person, chosen))
            found[accounts].append(attack(some, draw.overlap, among))
    return [
        Estimate(
            accounts,
            average([one.by_matchup for one in these]),
            average([one.by_prompt for one in these]),
            average([float(one.certain) for one in these]),
        )
        for accounts, these in found.items()
    ]


def average(values: list[float]) -> float:
    """The mean of those that are numbers; NaN without any."""
    known = [value for value in values if value == value]  # noqa: PLR0124 - NaN is not itself
    return sum(known) / len(known) if known else float("nan")

"""The world of `bench.trust`: people of known kinds who judge models of known strength.

People: 80% honest, with a sensitivity, a tie width and a share of careless answers of their own;
10% click at random, 5% take the left always, 3% lift one model and judge honestly otherwise, 2% are
bots, which click at random four times as much. Activity is a truncated Pareto, median 9, mean 26.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from arena.judging.serving.schedule import get_run
from leaderboard.ratings import Floats
from leaderboard.trust.gaps import UNKEYED, Matchups
from leaderboard.trust.reliability import Answers

Ints = npt.NDArray[np.int64]
HONEST, RANDOM, LEFT, RIGGER, BOT = range(5)
KINDS = {HONEST: 0.80, RANDOM: 0.10, LEFT: 0.05, RIGGER: 0.03, BOT: 0.02}
BAD = (RANDOM, LEFT, BOT)  # no reliability can see who rigs and reads
STRENGTH_SPREAD, RECORD_SPREAD = 0.7, 1.0
CUTS = np.array([1.6, 0.45, -0.45, -1.6])
TIE_HABITS, DISCRIMINATIONS, CARELESS = 0.4, 0.35, (1.0, 12.0)
ACTIVITY, LEAST, MOST, BOT_VOLUME = 0.95, 5, 500, 4
CLEAR, IDENTICAL, IDENTICAL_TIES = (1.8, 3.8), 0.10, 0.9
KNOWN_TARGET = 0.95
TARGET = 0


@dataclass(frozen=True)
class World:
    """What is set before the seed is drawn."""

    people: int = 1_000
    models: int = 100
    overlap: int = 3
    kinds: dict[int, float] = field(default_factory=lambda: dict(KINDS))
    controls: int = 200
    interval: int = 20
    record_spread: float = RECORD_SPREAD


@dataclass(frozen=True, eq=False)
class Crowd:
    """Who judged what. kind, sensitivity, careless, width: by person; strengths: by model; gaps:
    the true one of each matchup, first minus second; answers: as the product reads them."""

    kind: Ints
    sensitivity: Floats
    careless: Floats
    width: Floats
    strengths: Floats
    gaps: Floats
    answers: Answers

    def is_bad(self) -> npt.NDArray[np.bool_]:
        """Whoever answers without reading."""
        return np.isin(self.kind, BAD)

    def true_signal(self) -> Floats:
        """What `Classes.signal` would be of each person: float64 (U,), about 1 of honest ones."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(41)
        gaps = 1.4 * nodes
        location = self.sensitivity[:, None] * gaps
        width = self.width[:, None]
        inner = CUTS[1]
        side = expit(location - inner * width) - expit(-location - inner * width)
        truth = np.tanh(gaps / 2.0)
        signal = (1.0 - self.careless) * ((side * truth) @ weights) / (weights @ truth**2)
        return np.where(self.is_bad(), 0.0, signal)


def draw_crowd(world: World, seed: int) -> Crowd:
    """Everybody, and everything they answered."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(list(world.kinds), world.people, p=list(world.kinds.values()))
    people = world.people
    sensitivity = rng.lognormal(0.0, DISCRIMINATIONS, people)
    careless = rng.beta(*CARELESS, people)
    width = rng.lognormal(0.0, TIE_HABITS, people)
    activity = draw_activity(rng, people)
    activity[kind == BOT] *= BOT_VOLUME
    who = np.repeat(np.arange(people), activity)
    on_control = draw_turns(rng, activity, world.interval) & (world.controls > 0)
    matchups, strengths, gaps, ordinary = draw_matchups(rng, world, int((~on_control).sum()))
    what = np.empty(len(who), dtype=np.int64)
    what[~on_control] = rng.permutation(np.repeat(np.arange(ordinary), world.overlap))[
        : (~on_control).sum()
    ]
    what[on_control] = ordinary + rng.integers(0, max(world.controls, 1), int(on_control.sum()))
    _, once = np.unique(who * np.int64(len(gaps)) + what, return_index=True)
    who, what = who[once], what[once]
    left = rng.choice([-1, 1], len(who))
    traits = (kind, sensitivity, careless, width)
    outcome = left * answer(rng, who, what, left, gaps, matchups, traits)
    answers = Answers(who, what, outcome, left, matchups, people, 5)
    return Crowd(kind, sensitivity, careless, width, strengths, gaps, answers)


def draw_activity(rng: np.random.Generator, people: int) -> Ints:
    """Judgments of each person."""
    low, high = LEAST**-ACTIVITY, (MOST + 1.0) ** -ACTIVITY
    drawn = (low - rng.random(people) * (low - high)) ** (-1.0 / ACTIVITY)
    return drawn.astype(np.int64)


def draw_turns(rng: np.random.Generator, activity: Ints, interval: int) -> npt.NDArray[np.bool_]:
    """Which of everybody's turns, one person after the other, are controls: one in each run of the
    product's schedule."""
    most = int(activity.max())
    runs = {get_run(ordinal, interval) for ordinal in range(1, most + 1)}
    places = np.zeros((len(activity), most), dtype=bool)
    everybody = np.arange(len(activity))
    for start, last in sorted(runs):
        column = rng.integers(start - 1, last, len(activity))
        inside = column < most
        places[everybody[inside], column[inside]] = True
    return places[np.arange(most) < activity[:, None]]


def draw_matchups(
    rng: np.random.Generator, world: World, judgments: int
) -> tuple[Matchups, Floats, Floats, int]:
    """Matchups, ordinary ones first, with strengths and true gaps; how many are ordinary."""
    ordinary = -(-judgments // world.overlap)
    strengths = rng.normal(0.0, STRENGTH_SPREAD, world.models)
    first = rng.integers(0, world.models, ordinary)
    second = (first + rng.integers(1, world.models, ordinary)) % world.models
    gaps = strengths[first] - strengths[second] + rng.normal(0.0, world.record_spread, ordinary)
    key = np.where(rng.random(world.controls) < IDENTICAL, 0, rng.choice([-1, 1], world.controls))
    clear = key * rng.uniform(*CLEAR, world.controls)
    nobody = np.full(world.controls, -1)
    matchups = Matchups(
        np.concatenate([first, nobody]),
        np.concatenate([second, nobody]),
        np.concatenate([np.full(ordinary, UNKEYED), key]),
        world.models,
    )
    return matchups, strengths, np.concatenate([gaps, clear]), ordinary


def answer(
    rng: np.random.Generator, who: Ints, what: Ints, left: Ints, gaps: Floats,
    matchups: Matchups, traits: tuple[Ints, Floats, Floats, Floats],
) -> Ints:  # fmt: skip
    """What each says as displayed: 2 where the left is much better … -2 where the right is."""
    kind, sensitivity, careless, width = (one[who] for one in traits)
    attends = rng.random(len(who)) >= careless
    location = np.where(attends, sensitivity * gaps[what] * left, 0.0)
    noise = rng.logistic(size=len(who))
    said = order(location + noise, width)
    same = matchups.key[what] == 0
    said[same & attends & (rng.random(len(who)) < IDENTICAL_TIES)] = 0
    clicks = np.isin(kind, (RANDOM, BOT))
    said[clicks] = rng.integers(-2, 3, int(clicks.sum()))
    one_sided = kind == LEFT
    said[one_sided] = rng.integers(1, 3, int(one_sided.sum()))
    lifts = (kind == RIGGER) & (rng.random(len(who)) < KNOWN_TARGET)
    for side, owners in ((2, matchups.first), (-2, matchups.second)):
        theirs = lifts & (owners[what] == TARGET)
        said[theirs] = side * left[theirs]
    return said


def order(location: Floats, width: Floats) -> Ints:
    """The category, 2 … -2, by a person's own cuts."""
    above = (location[:, None] > CUTS * width[:, None]).sum(1)
    return above.astype(np.int64) - 2

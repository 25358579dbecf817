"""The world of `bench.trust`: people of known kinds who judge models of known strength.

By default 80% are honest, with a sensitivity, a tie width and a share of careless answers of their
own; 10% click at random, 5% take the left always, 3% lift one model and judge honestly otherwise,
2% are bots, which click at random four times as much. Activity is a truncated Pareto, median 9,
mean 26. Further kinds, where a world asks for them: dissenters read and have a taste of their own;
the control-aware read controls with care, and nothing else; the omnipresent lower the stronger
model in every answer; agents read better than people do, all alike; pasters give the choice of one
model judge, the same for all of them, whose taste is near the crowd's and which likes length.
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
Mask = npt.NDArray[np.bool_]
HONEST, RANDOM, LEFT, RIGGER, BOT, DISSENTER, AWARE, OMNIPRESENT, AGENT, PASTER = range(10)
KINDS = {HONEST: 0.80, RANDOM: 0.10, LEFT: 0.05, RIGGER: 0.03, BOT: 0.02}
BLIND = (RANDOM, LEFT, BOT)  # no reliability can see who reads and rigs
STRENGTH_SPREAD, RECORD_SPREAD = 0.7, 1.0
CUTS = np.array([1.6, 0.45, -0.45, -1.6])
TIE_HABITS, DISCRIMINATIONS, CARELESS = 0.4, 0.35, (1.0, 12.0)
ACTIVITY, LEAST, MOST, BOT_VOLUME = 0.95, 5, 500, 4
CLEAR, IDENTICAL, IDENTICAL_TIES = (1.8, 3.8), 0.10, 0.9
KNOWN_TARGET = 0.95
# A language model: sensitivity, share of careless answers, tie width.
MODEL_READER = (2.0, 0.01, 0.5)
# The model judge of the pasters: correlation of its taste with the crowd's, by model and by record,
# and the weight of a difference in length of one standard deviation.
JUDGE_AGREEMENT, LENGTH_BIAS = 0.8, 0.5
TARGET = 0


@dataclass(frozen=True)
class World:
    """What is set before the seed is drawn.

    agreement: correlation of dissenters' strengths with the crowd's; cheating: how many times as
    much as others those work who are not honest.
    """

    people: int = 1_000
    models: int = 100
    overlap: int = 3
    kinds: dict[int, float] = field(default_factory=lambda: dict(KINDS))
    controls: int = 200
    interval: int = 20
    agreement: float = 0.0
    cheating: int = 1


SMALL, LARGE = World(people=1_000, models=100), World(people=3_000, models=20)


@dataclass(frozen=True, eq=False)
class People:
    """Everybody by index: kind, and how they would read."""

    kind: Ints
    sensitivity: Floats
    careless: Floats
    width: Floats

    @property
    def is_blind(self) -> Mask:
        """Whoever answers without reading."""
        return np.isin(self.kind, BLIND)

    def signal(self) -> Floats:
        """What `Classes.signal` would be of each person: float64 (U,), 0 of the blind."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(41)
        gaps = 1.4 * nodes
        location, width = self.sensitivity[:, None] * gaps, CUTS[1] * self.width[:, None]
        side = expit(location - width) - expit(-location - width)
        truth = np.tanh(gaps / 2.0)
        signal = (1.0 - self.careless) * ((side * truth) @ weights) / (weights @ truth**2)
        return np.where(self.is_blind, 0.0, signal)


@dataclass(frozen=True, eq=False)
class Crowd:
    """Who judged what. strengths: of the models; gaps: of the matchups, first minus second;
    answers: as the product reads them, each person's in the order in which they were given."""

    people: People
    strengths: Floats
    gaps: Floats
    answers: Answers

    @property
    def kind(self) -> Ints:
        return self.people.kind


def draw_crowd(world: World, seed: int) -> Crowd:
    """Everybody, and everything they answered."""
    rng = np.random.default_rng(seed)
    people = draw_people(rng, world)
    activity = draw_activity(rng, world, people.kind)
    who = np.repeat(np.arange(world.people), activity)
    on_control = draw_turns(rng, activity, world.interval) & (world.controls > 0)
    asked = int((~on_control).sum())
    strengths = rng.normal(0.0, STRENGTH_SPREAD, world.models)
    matchups, gaps = draw_matchups(rng, world, strengths, -(-asked // world.overlap))
    ordinary = len(gaps) - world.controls
    what = np.empty(len(who), dtype=np.int64)
    what[~on_control] = rng.permutation(np.repeat(np.arange(ordinary), world.overlap))[:asked]
    what[on_control] = ordinary + rng.integers(0, max(world.controls, 1), int(on_control.sum()))
    _, once = np.unique(who * np.int64(len(gaps)) + what, return_index=True)
    once.sort()  # nobody judges anything twice
    who, what = who[once], what[once]
    left = rng.choice([-1, 1], len(who))
    said = Saying(rng, people, who, what, left, matchups, gaps, strengths).say(world)
    answers = Answers(who, what, left * said, left, matchups, world.people, 5)
    return Crowd(people, strengths, gaps, answers)


def draw_people(rng: np.random.Generator, world: World) -> People:
    """Kinds by their shares, and everybody's habits."""
    people = People(
        rng.choice(list(world.kinds), world.people, p=list(world.kinds.values())),
        rng.lognormal(0.0, DISCRIMINATIONS, world.people),
        rng.beta(*CARELESS, world.people),
        rng.lognormal(0.0, TIE_HABITS, world.people),
    )
    people.careless[people.kind == AWARE] = 0.0  # of a control they take care
    models = np.isin(people.kind, (AGENT, PASTER))
    columns = (people.sensitivity, people.careless, people.width)
    for column, value in zip(columns, MODEL_READER, strict=True):
        column[models] = value
    return people


def draw_activity(rng: np.random.Generator, world: World, kind: Ints) -> Ints:
    """Judgments of each person."""
    low, high = LEAST**-ACTIVITY, (MOST + 1.0) ** -ACTIVITY
    drawn = (low - rng.random(world.people) * (low - high)) ** (-1.0 / ACTIVITY)
    activity = drawn.astype(np.int64)
    activity[kind == BOT] *= BOT_VOLUME
    activity[~np.isin(kind, (HONEST, DISSENTER))] *= world.cheating
    return activity


def draw_turns(rng: np.random.Generator, activity: Ints, interval: int) -> Mask:
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
    rng: np.random.Generator, world: World, strengths: Floats, ordinary: int
) -> tuple[Matchups, Floats]:
    """Matchups, ordinary ones first, and their true gaps, first minus second."""
    first = rng.integers(0, world.models, ordinary)
    second = (first + rng.integers(1, world.models, ordinary)) % world.models
    gaps = strengths[first] - strengths[second] + rng.normal(0.0, RECORD_SPREAD, ordinary)
    key = np.where(rng.random(world.controls) < IDENTICAL, 0, rng.choice([-1, 1], world.controls))
    clear = key * rng.uniform(*CLEAR, world.controls)
    nobody = np.full(world.controls, -1)
    matchups = Matchups(
        np.concatenate([first, nobody]),
        np.concatenate([second, nobody]),
        np.concatenate([np.full(ordinary, UNKEYED), key]),
        world.models,
    )
    return matchups, np.concatenate([gaps, clear])


@dataclass(frozen=True, eq=False)
class Saying:
    """What is asked of whom: a row for each answer, as in `Answers`."""

    rng: np.random.Generator
    people: People
    who: Ints
    what: Ints
    left: Ints
    matchups: Matchups
    gaps: Floats
    strengths: Floats

    def say(self, world: World) -> Ints:
        """The answers as displayed: 2 where the left is much better … -2 where the right is."""
        kind = self.people.kind[self.who]
        on_control = self.matchups.key[self.what] != UNKEYED
        said = self.read(np.where(kind == DISSENTER, self.taste(world), self.gaps[self.what]))
        if PASTER in world.kinds:
            said = np.where(kind == PASTER, self.paste(), said)
        clicks = np.isin(kind, (RANDOM, BOT)) | ((kind == AWARE) & ~on_control)
        said[clicks] = self.rng.integers(-2, 3, int(clicks.sum()))
        one_sided = kind == LEFT
        said[one_sided] = self.rng.integers(1, 3, int(one_sided.sum()))
        said = np.where((kind == OMNIPRESENT) & ~on_control, self.lower_the_stronger(), said)
        knows = np.isin(kind, (RIGGER, OMNIPRESENT))
        knows &= self.rng.random(len(kind)) < KNOWN_TARGET
        for side, owners in ((2, self.matchups.first), (-2, self.matchups.second)):
            said = np.where(knows & (owners[self.what] == TARGET), side * self.left, said)
        return said

    def read(self, gaps: Floats) -> Ints:
        """An honest answer to these gaps, first minus second."""
        people, size = self.people, len(self.who)
        attends = self.rng.random(size) >= people.careless[self.who]
        pull = people.sensitivity[self.who] * gaps * self.left
        location = np.where(attends, pull, 0.0) + self.rng.logistic(size=size)
        cuts = CUTS * people.width[self.who][:, None]
        said = (location[:, None] > cuts).sum(1).astype(np.int64) - 2
        same = self.matchups.key[self.what] == 0
        said[same & attends & (self.rng.random(size) < IDENTICAL_TIES)] = 0
        return said

    def taste(self, world: World) -> Floats:
        """The gap of each row to somebody whose strengths of models, and records, are their own."""
        shape = (world.people, world.models)
        other = self.rng.normal(0.0, STRENGTH_SPREAD, shape) * np.sqrt(1.0 - world.agreement**2)
        own = world.agreement * self.strengths + other
        first, second = self.matchups.first[self.what], self.matchups.second[self.what]
        gap = own[self.who, first] - own[self.who, second]
        gap += self.rng.normal(0.0, RECORD_SPREAD, len(gap))
        return np.where(self.matchups.key[self.what] == UNKEYED, gap, self.gaps[self.what])

    def paste(self) -> Ints:
        """The choice of one model judge: the same answer to a matchup, whoever pastes it."""
        ordinary = self.matchups.key == UNKEYED
        own = self.rng.normal(0.0, STRENGTH_SPREAD, len(self.strengths))
        lead = own[self.matchups.first] - own[self.matchups.second]
        lead += self.rng.normal(0.0, RECORD_SPREAD, len(ordinary))
        other = np.sqrt(1.0 - JUDGE_AGREEMENT**2) * lead
        seen = np.where(ordinary, JUDGE_AGREEMENT * self.gaps + other, self.gaps)
        seen += LENGTH_BIAS * self.rng.normal(size=len(seen))
        sensitivity, careless, width = MODEL_READER
        attends = self.rng.random(len(seen)) >= careless
        location = np.where(attends, sensitivity * seen, 0.0) + self.rng.logistic(size=len(seen))
        said = (location[:, None] > CUTS * width).sum(1) - 2
        said[(self.matchups.key == 0) & attends] = 0
        return said[self.what] * self.left

    def lower_the_stronger(self) -> Ints:
        """Against whichever model of a pair is stronger."""
        first, second = self.matchups.first[self.what], self.matchups.second[self.what]
        first_is_stronger = self.strengths[first] > self.strengths[second]
        return np.where(first_is_stronger, -2, 2) * self.left

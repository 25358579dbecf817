"""What ten accounts learn of controls from all shown places and bands (`bench.trust_publishing`).

They know the right answers, give wrong ones to a part of what they meet, and weigh each matchup by
how the shown bands and ranks of those who judged it moved afterwards. The places come from the
product's own functions. Runs where Django is set up.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from arena.judging.serving.schedule import count_turns_until_controls, get_run
from bench.trust_boards import area_under_curve
from leaderboard.ratings import Floats, Ints
from leaderboard.trust.gaps import UNKEYED, Matchups
from leaderboard.trust.quality import (
    MIN_CONTROLS_FOR_QUALITY,
    QUALITY_UNIT,
    UNRATED,
    last_look,
    rank_scores,
    to_band,
)
from leaderboard.trust.reliability import Answers, estimate_reliability
from leaderboard.trust.scoring import limit_quality

ACCOUNTS, HONEST, INTERVAL, TURNS = 10, 50, 20, 450
ORDINARY, CONTROLS, MODELS = 800, 104, 20
"""Matchups that they are served from, a pool of .13, and the models of the ordinary ones."""
HONEST_CREDIT, BATCH = 0.85, 100
WRONG_SHARES = (0.1, 0.3, 0.5)
"""Of what the accounts answer wrongly: the attack takes the share that tells most."""


class PlacesEvent:
    """Everybody's turns, in which they take part alike, and what was shown after each batch."""

    def __init__(self, seed: int, wrong_share: float) -> None:
        self.rng = np.random.default_rng(seed)
        self.people = ACCOUNTS + HONEST
        shape = (self.people, TURNS)
        self.on_control = np.array([self.draw_schedule() for _ in range(self.people)])
        ordinary = self.rng.integers(0, ORDINARY, shape)
        controls = ORDINARY + self.rng.integers(0, CONTROLS, shape)
        self.matchup = np.where(self.on_control, controls, ordinary)
        right = self.rng.random(shape) < HONEST_CREDIT
        right[:ACCOUNTS] = self.rng.random((ACCOUNTS, TURNS)) >= wrong_share
        self.right = right
        self.draw_truth()

    def draw_truth(self) -> None:
        """Which response of each matchup is better: of ordinary ones by their models."""
        rng, size = self.rng, ORDINARY + CONTROLS
        first = np.full(size, -1)
        second = np.full(size, -1)
        first[:ORDINARY] = rng.integers(0, MODELS, ORDINARY)
        second[:ORDINARY] = (first[:ORDINARY] + rng.integers(1, MODELS, ORDINARY)) % MODELS
        strength = rng.normal(0.0, 0.7, MODELS)
        gap = rng.normal(0.0, 1.0, size)
        gap[:ORDINARY] += strength[first[:ORDINARY]] - strength[second[:ORDINARY]]
        self.better = np.where(gap > 0, 1, -1)
        key = np.where(np.arange(size) < ORDINARY, UNKEYED, self.better)
        self.matchups = Matchups(first, second, key, MODELS)

    def draw_schedule(self) -> npt.NDArray[np.bool_]:
        """Which turns of a person are controls: one in each run of the schedule."""
        turns = np.zeros(TURNS, dtype=bool)
        for start, last in {get_run(ordinal, INTERVAL) for ordinal in range(1, TURNS + 1)}:
            place = int(self.rng.integers(start, last + 1))
            if place <= TURNS:
                turns[place - 1] = True
        return turns

    def reach(self, judgments: int) -> Ints:
        """Everybody's turns once the event has so many judgments."""
        return (judgments + np.arange(self.people)[::-1]) // self.people

    def show_places(self) -> Iterator[tuple[Ints, Floats]]:
        """After each batch at which somebody's quality is looked at, and the one before it: the
        turns behind each account's shown quality, int64 (accounts,), and how good its place looks:
        float64 (accounts, 2), band and rank, NaN before there is one."""
        first = count_turns_until_controls(MIN_CONTROLS_FOR_QUALITY, INTERVAL)
        ends = range(BATCH, self.people * TURNS + 1, BATCH)
        looks = [last_look(self.reach(judgments), first) for judgments in ends]
        for index, judgments in enumerate(ends):
            following = looks[min(index + 1, len(looks) - 1)]
            is_told = index > 0 and (looks[index] != looks[index - 1]).any()
            if is_told or (looks[index] != following).any():
                places = self.place(judgments, looks[index])[:ACCOUNTS].astype(np.float64)
                places = np.where(places < 0, np.nan, places)[:, ::-1] * np.array([1.0, -1.0])
                yield looks[index][:ACCOUNTS], places

    def place(self, judgments: int, looks: Ints) -> Ints:
        """Everybody's rank and band after so many judgments: int64 (people, 2), -1 without one."""
        reached = self.reach(judgments)
        turns = np.arange(TURNS)[None, :]
        person, turn = np.nonzero(turns < reached[:, None])
        matchup = self.matchup[person, turn]
        side = np.where(self.right[person, turn], 1, -1) * self.better[matchup]
        left = np.random.default_rng(judgments).choice([-1, 1], len(side))
        answers = Answers(person, matchup, 2 * side, left, self.matchups, self.people, 5)
        found = estimate_reliability(answers, turn < looks[person])
        quality = limit_quality(found.so_far)
        whole = np.where(np.isnan(quality), UNRATED, np.nan_to_num(quality) * QUALITY_UNIT)
        whole = np.floor(whole).astype(np.int64)
        scores = np.where(whole > 0, reached * whole, UNRATED)
        return np.column_stack([rank_scores(scores), to_band(whole)])

    def attack(self) -> float:
        """AUC over the matchups that the accounts have met.

        Where an account's quality is looked at anew, what it met since the look before gains by a
        better place if it was answered rightly, and loses by a worse one.
        """
        scores = np.zeros((2, ORDINARY + CONTROLS))
        said = np.where(self.right[:ACCOUNTS], 1.0, -1.0)
        said -= said.mean()
        looks, before = np.zeros(ACCOUNTS, dtype=np.int64), np.full((ACCOUNTS, 2), np.nan)
        for looked, places in self.show_places():
            placed = np.isfinite(places)
            typical = np.where(placed, places, 0.0).sum(0) / np.maximum(placed.sum(0), 1)
            for account in np.flatnonzero(looked > looks):
                turns = slice(int(looks[account]), int(looked[account]))
                known = np.isfinite(before[account])
                moved = places[account] - np.where(known, before[account], typical)
                met = self.matchup[account, turns]
                for score, change in zip(scores, np.nan_to_num(moved), strict=True):
                    np.add.at(score, met, change * said[account, turns])
            looks, before = looked, places
        spread = scores.std(1, keepdims=True)
        together = (scores / np.where(spread > 0, spread, 1.0)).sum(0)
        met = np.unique(self.matchup[:ACCOUNTS])
        return area_under_curve(-together[met], met >= ORDINARY)


def read_places(seed: int, *, is_quick: bool) -> dict[str, float]:
    """AUC by the share of wrong answers; in a quick run the first, which shows most."""
    shares = WRONG_SHARES[:1] if is_quick else WRONG_SHARES
    return {f"{share:.0%} wrong": PlacesEvent(seed, share).attack() for share in shares}

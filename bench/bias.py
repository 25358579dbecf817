"""How long the bias panel takes on simulated votes: `python -m bench.bias [--quick]`.

A million votes (100,000 with --quick) by 20,000 people of very unequal activity on 100 models,
200,000 matchups and six categories, as arrays: what a refresh adds for each preference question,
apart from reading the columns. No other library is beside it.
"""

import argparse
import time

import numpy as np

from bench.goals import print_goal
from leaderboard.trust.appearances import (
    JudgedMatchups,
    share_categories,
    share_opponents,
    share_sides,
)
from leaderboard.trust.bias import Answers, measure_concentration, measure_leanings

MODELS, CATEGORIES = 100, 6
PEOPLE_PER_MILLION, MATCHUPS_PER_MILLION = 20_000, 200_000
MILLION = 1_000_000
REPEATS = 5
GOAL = 1.0
"""Seconds for a million votes."""


def simulate(votes: int, rng: np.random.Generator) -> tuple[Answers, JudgedMatchups]:
    """Votes without any bias, and the matchups they are on."""
    people, matchups = (
        votes * size // MILLION for size in (PEOPLE_PER_MILLION, MATCHUPS_PER_MILLION)
    )
    activity = rng.pareto(0.95, people) + 0.2
    first = rng.integers(0, MODELS, matchups)
    second = (first + rng.integers(1, MODELS, matchups)) % MODELS
    matchup = rng.integers(0, matchups, votes).astype(np.int32)
    answers = Answers(
        outcome=rng.integers(-3, 4, votes).astype(np.int8),
        left=rng.choice([-1, 1], votes).astype(np.int8),
        longer=rng.choice([-1, 1], matchups).astype(np.int8)[matchup],
        took=np.exp(rng.normal(9.0, 1.0, votes)).astype(np.int32),
        contributor=rng.choice(people, votes, p=activity / activity.sum()).astype(np.int32),
        matchup=matchup,
    )
    counts = np.bincount(matchup, minlength=matchups)
    return answers, JudgedMatchups(first.astype(np.int32), second.astype(np.int32), counts, MODELS)


def measure(answers: Answers, judged: JudgedMatchups) -> dict[str, float]:
    """Seconds of each part."""
    filed = [
        np.flatnonzero(np.arange(len(judged.votes)) % CATEGORIES == k) for k in range(CATEGORIES)
    ]
    clock = time.perf_counter
    begin = clock()
    measure_leanings(answers)
    leanings = clock()
    measure_concentration(np.bincount(answers.contributor))
    concentration = clock()
    share_sides(judged.appearances // 2, judged.appearances // 2)
    share_opponents(judged)
    share_categories(judged, filed, np.full(CATEGORIES, 1.0 / CATEGORIES))
    return {
        "leanings": leanings - begin,
        "concentration": concentration - leanings,
        "appearances": clock() - concentration,
    }


def main() -> None:
    """Print the median of each part, and whether all of it is within its goal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="100,000 votes")
    votes = MILLION // 10 if parser.parse_args().quick else MILLION
    answers, judged = simulate(votes, np.random.default_rng(0))
    rounds = [measure(answers, judged) for _ in range(REPEATS)]
    parts = {name: float(np.median([each[name] for each in rounds])) for name in rounds[0]}
    print(
        f"{votes:,} votes: " + ", ".join(f"{name} {1000 * s:.0f} ms" for name, s in parts.items())
    )
    print_goal("bias-panel", sum(parts.values()), GOAL * votes / MILLION)


if __name__ == "__main__":
    main()

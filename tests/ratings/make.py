"""Factories for the tests of the rating engine: seeded votes with known strengths."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from leaderboard.ratings import Votes

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def make_votes(competitors: int, rows: list[tuple[int, int, int]], **columns: Any) -> Votes:
    """Votes from (first, second, outcome) rows."""
    first, second, outcome = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Votes(
        competitors,
        first.astype(np.int32),
        second.astype(np.int32),
        outcome.astype(np.int8),
        **columns,
    )


def simulate(
    seed: int,
    competitors: int = 8,
    votes: int = 2000,
    *,
    ties: float = 0.2,
    spread: float = 0.7,
    contributors: int = 50,
    matchups: int = 400,
    strength: Any = None,
    graded: bool = False,
) -> tuple[Votes, np.ndarray]:
    """Independent votes of Bradley-Terry competitors; ties take the place of any other outcome."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, spread, competitors) if strength is None else np.asarray(strength)
    pairs = np.array([(i, j) for i in range(competitors) for j in range(competitors) if i != j])
    pair_of_matchup = pairs[rng.integers(0, len(pairs), matchups)]
    matchup = rng.integers(0, matchups, votes)
    first, second = pair_of_matchup[matchup].T
    p = 1 / (1 + np.exp(truth[second] - truth[first]))
    outcome = np.where(rng.random(votes) < p, 1, -1)
    if graded:
        outcome *= rng.integers(1, 4, votes)
    outcome[rng.random(votes) < ties] = 0
    return Votes(
        competitors,
        first.astype(np.int32),
        second.astype(np.int32),
        outcome.astype(np.int8),
        contributor=rng.integers(0, contributors, votes).astype(np.int32),
        matchup=matchup.astype(np.int32),
        prompt=(matchup // 5).astype(np.int32),
    ), truth - truth.mean()

"""The same votes give the same strengths elsewhere: evalica and choix, made-up and real votes."""

import csv
from pathlib import Path

import choix
import evalica
import numpy as np
import pytest

from leaderboard.ratings import Votes, fold
from leaderboard.ratings.data import scale
from leaderboard.ratings.models import bradley_terry as bt
from leaderboard.ratings.models import elo

from .make import make_votes, simulate

WINNERS = {1: evalica.Winner.X, 0: evalica.Winner.Draw, -1: evalica.Winner.Y}


def llmfao(folder: Path) -> Votes:
    with (folder / "llmfao" / "votes.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row[side] for row in rows for side in ("model_a", "model_b")})
    index = {name: i for i, name in enumerate(names)}
    outcome = {"a": 1, "b": -1, "tie": 0}
    return make_votes(
        len(names),
        [(index[r["model_a"]], index[r["model_b"]], outcome[r["winner"]]) for r in rows],
        contributor=np.array([r["worker"] for r in rows], dtype=np.int32),
        matchup=np.array([r["pair_id"] for r in rows], dtype=np.int32),
    )


@pytest.fixture(params=["simulated", "lopsided", "llmfao"])
def votes(request) -> Votes:
    if request.param == "llmfao":
        return llmfao(request.getfixturevalue("shared_data"))
    if request.param == "lopsided":
        return simulate(2, competitors=12, votes=20_000, spread=1.5)[0]
    return simulate(1, competitors=30, votes=10_000)[0]


def columns(votes: Votes):
    winners = [WINNERS[o] for o in np.sign(votes.outcome).tolist()]
    return votes.first.tolist(), votes.second.tolist(), winners


def relative(got: np.ndarray, expected: np.ndarray) -> float:
    return float(np.max(np.abs(got - expected) / np.abs(expected)))


def test_bradley_terry_equals_evalica(votes):
    """evalica's scores are exp(strength) up to a factor; a tie is half a win each way."""
    result = evalica.bradley_terry(*columns(votes), tolerance=1e-14, limit=100_000)
    theirs = result.scores.sort_index().to_numpy()
    ours = np.exp(bt.fit(fold(votes)).strength)
    assert relative(ours, theirs / np.exp(np.log(theirs).mean())) < 1e-6


def test_bradley_terry_equals_choix(votes):
    fit = bt.fit(fold(votes))
    theirs = choix.ilsr_pairwise_dense(fit.wins, tol=1e-12)
    assert relative(np.exp(fit.strength), np.exp(theirs - theirs.mean())) < 1e-6


def test_elo_equals_evalica(votes):
    theirs = evalica.elo(*columns(votes)).scores.sort_index().to_numpy()
    assert relative(scale.to_points(elo.replay(votes).strength), theirs) < 1e-6

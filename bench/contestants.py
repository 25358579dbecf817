"""The contestants of `bench.ratings`: seeded votes, fitted by this engine and by others."""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any
from unittest.mock import patch

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from leaderboard.ratings import Method, Votes, fold, independent
from leaderboard.ratings.data import counts
from leaderboard.ratings.extended import style, style_rows
from leaderboard.ratings.inference import bootstrap, vote_scores
from leaderboard.ratings.models import bradley_terry, elo

TIES = 0.2
NAMES = ("length", "headers", "bold", "lists")
PULL = np.array([0.5, 0.05, 0.05, 0.1])
ROUNDS = 100
LBFGS = {"maxiter": 100, "gtol": 1e-6}
Call = Callable[[], object]


def optional(name: str) -> Any:
    """A library, or None where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


@lru_cache(maxsize=1)
def columns(competitors: int, votes: int) -> tuple[np.ndarray, ...]:
    """first, second, outcome and four style differences of seeded votes, a column after the other,
    as `covariates.differences` and a data frame keep them.
    """
    rng = np.random.default_rng([competitors, votes])
    strength = rng.normal(0, 0.7, competitors)
    first = rng.integers(0, competitors, votes, dtype=np.int32)
    second = (first + 1 + rng.integers(0, competitors - 1, votes, dtype=np.int32)) % competitors
    x = np.tanh(rng.normal(size=(votes, len(NAMES))))
    p = expit(strength[first] - strength[second] + x @ PULL)
    outcome = np.where(rng.random(votes) < p, 1, -1).astype(np.int8)
    outcome[rng.random(votes) < TIES] = 0
    return first, second.astype(np.int32), outcome, np.asfortranarray(x)


def engine_votes(competitors: int, votes: int) -> Votes:
    return Votes(competitors, *columns(competitors, votes)[:3])


# --- the others ------------------------------------------------------------------------------


def grouped(competitors: int, votes: int) -> tuple[np.ndarray, ...]:
    """Distinct (first, second, score) with their counts, which is what FastChat fits."""
    first, second, outcome, _ = columns(competitors, votes)
    style_rows = np.column_stack([first, second, np.sign(outcome) + 1]).astype(np.int32)
    distinct, count = np.unique(style_rows, return_counts=True, axis=0)
    return distinct[:, :2], distinct[:, 2] / 2.0, count.astype(float)


def scattered(m: int, pairs: np.ndarray, pull: np.ndarray) -> np.ndarray:
    gradient = np.zeros(m)
    np.add.at(gradient, pairs, pull[:, None] * np.array([1.0, -1.0]))
    return gradient


def lbfgs(m: int, pairs: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """-Σ w·[y·log p + (1-y)·log(1-p)], p = σ(d·ln 10), by L-BFGS-B, in the steps of FastChat."""
    alpha = np.log(10.0)

    def loss(s: np.ndarray) -> tuple[float, np.ndarray]:
        strength = s[pairs]
        p = expit(alpha * (strength[:, 0] - strength[:, 1]))
        value = -((np.log(p) * y + np.log(1 - p) * (1 - y)) * w).sum()
        return float(value), scattered(m, pairs, -alpha * (y - p) * w)

    return minimize(loss, np.zeros(m), jac=True, method="L-BFGS-B", options=LBFGS).x


def lbfgs_style(m: int, n: int) -> np.ndarray:
    """The same over rows, with style covariates and FastChat's ridge of one half on everything."""
    first, second, outcome, x = columns(m, n)
    pairs, y, alpha = np.column_stack([first, second]), (np.sign(outcome) + 1) / 2, np.log(10.0)
    z = (x - x.mean(0)) / x.std(0)

    def loss(b: np.ndarray) -> tuple[float, np.ndarray]:
        strength = b[pairs]
        p = expit(alpha * (strength[:, 0] - strength[:, 1]) + z @ b[m:])
        value = -(np.log(p) * y + np.log(1 - p) * (1 - y)).sum() + 0.25 * b @ b
        gradient = np.append(scattered(m, pairs, -alpha * (y - p)), -z.T @ (y - p))
        return float(value), gradient + 0.5 * b

    return minimize(loss, np.zeros(m + z.shape[1]), jac=True, method="L-BFGS-B", options=LBFGS).x


def lbfgs_bootstrap(m: int, n: int) -> None:
    pairs, y, w = grouped(m, n)
    for drawn in np.random.default_rng(0).multinomial(n, w / n, size=ROUNDS):
        lbfgs(m, pairs, y, drawn / n)


def choix_matrix(m: int, n: int) -> np.ndarray:
    """Wins of each pair, counted with numpy alone, as choix wants them."""
    first, second, outcome, _ = columns(m, n)
    won = np.zeros((m, m))
    share = (np.sign(outcome) + 1) / 2
    np.add.at(won, (first, second), share)
    np.add.at(won, (second, first), 1 - share)
    return won


def evalica_calls(m: int, n: int) -> dict[str, Call]:
    evalica = optional("evalica")
    if evalica is None:
        return {}
    first, second, outcome, _ = columns(m, n)
    names = [f"model-{k:03d}" for k in range(m)]
    xs, ys = [names[k] for k in first], [names[k] for k in second]
    winner = {1: evalica.Winner.X, 0: evalica.Winner.Draw, -1: evalica.Winner.Y}
    winners = [winner[o] for o in outcome.tolist()]
    return {
        "bradley_terry": lambda: evalica.bradley_terry(xs, ys, winners),
        "elo": lambda: evalica.elo(xs, ys, winners),
    }


def arena_calls(m: int, n: int) -> dict[str, Call]:
    if optional("arena_rank") is None:
        return {}
    pandas = import_module("pandas")
    plain = import_module("arena_rank.models.bradley_terry").BradleyTerry
    contextual = import_module("arena_rank.models.contextual_bradley_terry").ContextualBradleyTerry
    data = import_module("arena_rank.utils.data_utils")
    first, second, outcome, x = columns(m, n)
    names = np.array([f"model-{k:03d}" for k in range(m)], dtype=object)
    frame = pandas.DataFrame({"model_a": names[first], "model_b": names[second]})
    frame["winner"] = np.array(["tie", "model_a", "model_b"], dtype=object)[outcome]
    frame[list(NAMES)] = x

    def fitted() -> object:
        model = plain(m)
        model.fit(data.PairDataset.from_pandas(frame))
        return np.asarray(model.params["ratings"])

    def style_fitted(**options: Any) -> object:
        style_rows = data.ContextualPairDataset.from_pandas(frame, list(NAMES), **options)
        model = contextual(m, len(NAMES))
        model.fit(style_rows)
        return np.asarray(model.compute_ratings_and_cis(style_rows)["rating_lower"])

    def with_intervals() -> object:
        result = plain(m).compute_ratings_and_cis(data.PairDataset.from_pandas(frame))
        return np.asarray(result["rating_lower"])

    return {
        "bradley_terry": fitted,
        "sandwich": with_intervals,
        "style": style_fitted,
        "style, unweighted": lambda: style_fitted(reweighted=False),
    }


# --- this engine -----------------------------------------------------------------------------


def ours_bradley_terry(m: int, n: int) -> object:
    return bradley_terry.fit(fold(engine_votes(m, n)))


def ours_sandwich(m: int, n: int) -> object:
    folded = fold(engine_votes(m, n))
    return independent(folded, bradley_terry.fit(folded))


def ours_bootstrap(m: int, n: int) -> object:
    folded = fold(engine_votes(m, n))
    fit = bradley_terry.fit(folded)
    return bootstrap.reweight_votes(folded, fit, np.random.default_rng(0), ROUNDS)


def ours_style(m: int, n: int) -> object:
    votes, x = engine_votes(m, n), columns(m, n)[3]
    return style.covariance(votes, x, style.fit(votes, x, NAMES), Method.INDEPENDENT)


def ours_elo(m: int, n: int) -> object:
    return elo.replay(engine_votes(m, n))


def without_numba(call: Call) -> Call:
    """The same call with the loops left as they are written."""

    def plain() -> object:
        loop = getattr(elo.replay_rows, "__wrapped__", elo.replay_rows)
        with (
            patch.object(counts, "COMPILED", new=False),
            patch.object(elo, "COMPILED", new=False),
            patch.object(style_rows, "COMPILED", new=False),
            patch.object(vote_scores, "COMPILED", new=False),
            patch.object(elo, "replay_rows", loop),
        ):
            return call()

    return plain

"""How fast the rating engine is, beside other libraries, on the same seeded votes.

    python -m bench.ratings [--quick] [--clock wall|cpu]

Votes follow known Bradley-Terry strengths, a fifth of them ties. The contestants of a case take
turns in one process, so that whatever else the machine does falls on all of them; figures are
medians, of the time on the wall or, where the machine is busy, of processor time. Each gets the
votes in the form it takes: this engine and the L-BFGS fits integer columns, choix a matrix of wins,
evalica lists of names, arena-rank a data frame. Memory is what one call adds to the process at its
peak. What is not installed is left out, and its goals say so.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported

import argparse
import time
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from leaderboard.ratings import (
    Method,
    Votes,
    bootstrap,
    bradley_terry,
    elo,
    fold,
    independent,
    style,
)
from leaderboard.ratings.compiled import COMPILED

TIES = 0.2
NAMES = ("length", "headers", "bold", "lists")
PULL = np.array([0.5, 0.05, 0.05, 0.1])
ROUNDS = 100
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
Call = Callable[[], object]


def optional(name: str) -> Any:
    """A library, or None where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


@lru_cache(maxsize=1)
def columns(competitors: int, votes: int) -> tuple[np.ndarray, ...]:
    """first, second, outcome and four style differences of seeded votes."""
    rng = np.random.default_rng([competitors, votes])
    strength = rng.normal(0, 0.7, competitors)
    first = rng.integers(0, competitors, votes, dtype=np.int32)
    second = (first + 1 + rng.integers(0, competitors - 1, votes, dtype=np.int32)) % competitors
    x = np.tanh(rng.normal(size=(votes, len(NAMES))))
    p = expit(strength[first] - strength[second] + x @ PULL)
    outcome = np.where(rng.random(votes) < p, 1, -1).astype(np.int8)
    outcome[rng.random(votes) < TIES] = 0
    return first, second.astype(np.int32), outcome, x


def engine_votes(competitors: int, votes: int) -> Votes:
    return Votes(competitors, *columns(competitors, votes)[:3])


# --- the others ------------------------------------------------------------------------------


def scores(outcome: np.ndarray) -> np.ndarray:
    return (np.sign(outcome) + 1) / 2


def grouped(competitors: int, votes: int) -> tuple[np.ndarray, ...]:
    """Distinct (first, second, score) with their counts: what FastChat fits."""
    first, second, outcome, _ = columns(competitors, votes)
    key = (first.astype(np.int64) * competitors + second) * 3 + np.sign(outcome) + 1
    key, count = np.unique(key, return_counts=True)
    return key // 3 // competitors, key // 3 % competitors, key % 3 / 2, count.astype(float)


def lbfgs(m: int, i: np.ndarray, j: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """-Σ w·[y·log σ(d·ln 10) + (1-y)·log σ(-d·ln 10)], by L-BFGS-B, as FastChat minimises it."""
    alpha = np.log(10.0)

    def loss(s: np.ndarray) -> tuple[float, np.ndarray]:
        logit = alpha * (s[i] - s[j])
        residual = w * (expit(logit) - y)
        gradient = np.bincount(i, residual, m) - np.bincount(j, residual, m)
        return float((w * (np.logaddexp(0, logit) - y * logit)).sum()), alpha * gradient

    options = {"maxiter": 100, "gtol": 1e-6}
    return minimize(loss, np.zeros(m), jac=True, method="L-BFGS-B", options=options).x


def lbfgs_style(m: int, n: int) -> np.ndarray:
    """The same over rows, with style covariates and FastChat's ridge of one half on everything."""
    i, j, outcome, x = columns(m, n)
    y, z, alpha = scores(outcome), (x - x.mean(0)) / x.std(0), np.log(10.0)

    def loss(b: np.ndarray) -> tuple[float, np.ndarray]:
        logit = alpha * (b[i] - b[j]) + z @ b[m:]
        residual = expit(logit) - y
        gain = alpha * (np.bincount(i, residual, m) - np.bincount(j, residual, m))
        value = (np.logaddexp(0, logit) - y * logit).sum() + 0.25 * b @ b
        return float(value), np.append(gain, residual @ z) + 0.5 * b

    options = {"maxiter": 100, "gtol": 1e-6}
    return minimize(loss, np.zeros(m + z.shape[1]), jac=True, method="L-BFGS-B", options=options).x


def lbfgs_bootstrap(m: int, n: int) -> None:
    i, j, y, w = grouped(m, n)
    drawn = np.random.default_rng(0).multinomial(n, w / n, size=ROUNDS)
    for round_weights in drawn:
        lbfgs(m, i, j, y, round_weights.astype(float))


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

    def style_fitted() -> object:
        model = contextual(m, len(NAMES))
        rows = data.ContextualPairDataset.from_pandas(frame, list(NAMES), reweighted=False)
        model.fitted = False
        return np.asarray(model.compute_ratings_and_cis(rows)["rating_lower"])

    def with_intervals() -> object:
        result = plain(m).compute_ratings_and_cis(data.PairDataset.from_pandas(frame))
        return np.asarray(result["rating_lower"])

    return {"bradley_terry": fitted, "sandwich": with_intervals, "style": style_fitted}


# --- this engine -----------------------------------------------------------------------------


def ours_bradley_terry(m: int, n: int) -> object:
    return bradley_terry.fit(fold(engine_votes(m, n)))


def ours_sandwich(m: int, n: int) -> object:
    counts = fold(engine_votes(m, n))
    return independent(counts, bradley_terry.fit(counts))


def ours_bootstrap(m: int, n: int) -> object:
    counts = fold(engine_votes(m, n))
    fit = bradley_terry.fit(counts)
    return bootstrap.resample_votes(counts, fit, np.random.default_rng(0), ROUNDS)


def ours_style(m: int, n: int) -> object:
    votes, x = engine_votes(m, n), columns(m, n)[3]
    return style.covariance(votes, x, style.fit(votes, x, NAMES), Method.INDEPENDENT)


def ours_elo(m: int, n: int) -> object:
    return elo.replay(engine_votes(m, n))


def without_numba(call: Call) -> Call:
    """The same call with the loops left as they are written."""

    def plain() -> object:
        loop = getattr(elo.exchange, "__wrapped__", elo.exchange)
        with (
            patch.object(elo, "COMPILED", new=False),
            patch.object(style, "COMPILED", new=False),
            patch.object(elo, "exchange", loop),
        ):
            return call()

    return plain


# --- measuring -------------------------------------------------------------------------------


def added_memory(call: Call) -> float:
    """Mebibytes that a call adds to the resident memory at its peak; NaN where not on Linux."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")

    def kibibytes(name: str) -> int:
        line = next(row for row in status.read_text().splitlines() if row.startswith(name))
        return int(line.split()[1])

    try:
        reset.write_text("5")  # forget the highest resident size so far
        before = kibibytes("VmRSS")
    except OSError:
        call()
        return float("nan")
    call()
    return (kibibytes("VmHWM") - before) / 1024


def race(case: str, contestants: dict[str, Call], repeats: int, clock: str) -> dict[str, float]:
    """Median seconds of each, printed with the ratio to the first; the first call warms up."""
    memory = {name: added_memory(call) for name, call in contestants.items()}
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, call in contestants.items():
            start = CLOCKS[clock]()
            call()
            taken[name].append(CLOCKS[clock]() - start)
    medians = {name: median(times) for name, times in taken.items()}
    ours = next(iter(medians.values()))
    for name, seconds in medians.items():
        print(
            f"{case:32} {name:28} {1e3 * seconds:10.2f} ms {seconds / ours:9.1f} x"
            f" {memory[name]:8.0f} MiB",
            flush=True,
        )
    return medians


def race_fits(m: int, n: int, repeats: int, clock: str) -> dict[str, float]:
    arena, evalica, choix = arena_calls(m, n), evalica_calls(m, n), optional("choix")
    contestants: dict[str, Call] = {"engine": lambda: ours_bradley_terry(m, n)}
    if evalica:
        contestants["evalica"] = evalica["bradley_terry"]
    if choix is not None:
        won = bradley_terry.fit(fold(engine_votes(m, n))).wins
        contestants["choix dense"] = lambda: choix.ilsr_pairwise_dense(won)
    if arena:
        contestants["arena-rank"] = arena["bradley_terry"]
    contestants["L-BFGS"] = lambda: lbfgs(m, *grouped(m, n))
    return race(f"Bradley-Terry {m} x {n:,}", contestants, repeats, clock)


def race_sandwich(m: int, n: int, repeats: int, clock: str) -> dict[str, float]:
    contestants: dict[str, Call] = {"engine": lambda: ours_sandwich(m, n)}
    if arena := arena_calls(m, n):
        contestants["arena-rank"] = arena["sandwich"]
    return race(f"with sandwich {m} x {n:,}", contestants, repeats, clock)


def race_bootstrap(m: int, n: int, repeats: int, clock: str) -> dict[str, float]:
    contestants: dict[str, Call] = {
        "engine": lambda: ours_bootstrap(m, n),
        "L-BFGS": lambda: lbfgs_bootstrap(m, n),
    }
    return race(f"{ROUNDS} bootstraps {m} x {n:,}", contestants, repeats, clock)


def race_style(m: int, n: int, repeats: int, clock: str) -> dict[str, float]:
    contestants: dict[str, Call] = {"engine": without_numba(lambda: ours_style(m, n))}
    if COMPILED:
        contestants["engine, numba"] = lambda: ours_style(m, n)
    if arena := arena_calls(m, n):
        contestants["arena-rank"] = arena["style"]
    contestants["L-BFGS, no intervals"] = lambda: lbfgs_style(m, n)
    return race(f"style control {m} x {n:,}", contestants, repeats, clock)


def race_elo(m: int, n: int, repeats: int, clock: str) -> dict[str, float]:
    contestants: dict[str, Call] = {"engine": without_numba(lambda: ours_elo(m, n))}
    if COMPILED:
        contestants["engine, numba"] = lambda: ours_elo(m, n)
    if evalica := evalica_calls(m, n):
        contestants["evalica"] = evalica["elo"]
    return race(f"Elo {m} x {n:,}", contestants, repeats, clock)


def race_refit(m: int, n: int, repeats: int, clock: str) -> dict[str, float]:
    """One per cent of new votes on top of n that are already counted."""
    votes = engine_votes(m, n)
    new = votes.take(np.arange(n) < max(n // 100, 1))
    old = fold(votes)

    def refit() -> object:
        return bradley_terry.fit(old + fold(new))

    return race(f"refit after 1% {m} x {n:,}", {"engine": refit}, max(repeats, 9), clock)


# --- goals -----------------------------------------------------------------------------------


def ratio_goal(
    name: str, times: dict[str, float], peer: str, target: float, ours: str = "engine"
) -> str:
    """The line of a goal 'at least so many times as fast as the peer'."""
    missing = [who for who in (ours, peer) if who not in times]
    if missing:
        return f"goal {name} not measured, {' and '.join(missing)} missing: >={target}x short"
    value = times[peer] / times[ours]
    return f"goal {name} {value:.1f}x >={target}x {'ok' if value >= target else 'short'}"


def limit_goal(name: str, seconds: list[float], most: float) -> str:
    value = 1e3 * max(seconds)
    return f"goal {name} {value:.2f}ms <={most}ms {'ok' if value <= most else 'short'}"


def run(clock: str, *, quick: bool) -> list[str]:
    m, n, repeats = (100, 200_000, 3) if quick else (100, 1_000_000, 5)
    sizes = (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000, 10_000_000)
    fits = race_fits(m, n, repeats, clock)
    sandwich = race_sandwich(m, n, repeats, clock)
    rounds = race_bootstrap(m, n, repeats, clock)
    styled = race_style(m, n, repeats, clock)
    sequence = race_elo(m, n, repeats, clock)
    refits: dict[int, list[float]] = {}
    for competitors in (100, 500):
        for votes in sizes:
            race(
                f"Bradley-Terry {competitors} x {votes:,}",
                {"engine": lambda c=competitors, v=votes: ours_bradley_terry(c, v)},  # type: ignore[misc]
                repeats,
                clock,
            )
            refitted = race_refit(competitors, votes, repeats, clock)
            refits.setdefault(competitors, []).append(refitted["engine"])
    return [
        ratio_goal("bradley-terry-evalica", fits, "evalica", 150),
        ratio_goal("bradley-terry-choix", fits, "choix dense", 10),
        ratio_goal("bradley-terry-arena-rank", fits, "arena-rank", 1000),
        ratio_goal("sandwich-arena-rank", sandwich, "arena-rank", 500),
        ratio_goal("bootstrap-lbfgs", rounds, "L-BFGS", 50),
        ratio_goal("style-arena-rank-plain", styled, "arena-rank", 5),
        ratio_goal("style-arena-rank-numba", styled, "arena-rank", 50, "engine, numba"),
        ratio_goal("elo-evalica-plain", sequence, "evalica", 1),
        ratio_goal("elo-evalica-numba", sequence, "evalica", 50, "engine, numba"),
        limit_goal("refit-100", refits[100], 2),
        limit_goal("refit-500", refits[500], 20),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="200,000 votes, under a minute")
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    arguments = parser.parse_args()
    if not COMPILED:
        print("numba is not installed: the engine runs its plain loops only")
    goals = run(arguments.clock, quick=arguments.quick)
    print("\n".join(goals))


if __name__ == "__main__":
    main()

"""How fast the rating engine is, beside other libraries, on the same seeded votes.

    python -m bench.ratings [--quick] [--clock wall|cpu]

Votes follow known Bradley-Terry strengths, a fifth of them ties. The contestants of a case take
turns in one process, so that whatever else the machine does falls on all of them; what is over in
milliseconds is called several times in its turn; figures are medians, of the time on the wall or,
where the machine is busy, of processor time. Each gets the votes in the form it takes: this engine
and the L-BFGS fits integer columns, choix a matrix of wins, evalica lists of names, arena-rank a
data frame. Memory is what one call adds to the process at its peak. What is not installed is left
out, and its goals say so.
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

from leaderboard.ratings import Method, Votes, fold, independent
from leaderboard.ratings.compute.compiled import COMPILED
from leaderboard.ratings.data import counts
from leaderboard.ratings.extended import style, style_rows
from leaderboard.ratings.inference import bootstrap, vote_scores
from leaderboard.ratings.models import bradley_terry, elo

TIES = 0.2
NAMES = ("length", "headers", "bold", "lists")
PULL = np.array([0.5, 0.05, 0.05, 0.1])
ROUNDS = 100
TURN = 0.02
"""Seconds for which a call is repeated in its turn."""
LBFGS = {"maxiter": 100, "gtol": 1e-6}
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
        loop = getattr(elo.exchange, "__wrapped__", elo.exchange)
        with (
            patch.object(counts, "COMPILED", new=False),
            patch.object(elo, "COMPILED", new=False),
            patch.object(style_rows, "COMPILED", new=False),
            patch.object(vote_scores, "COMPILED", new=False),
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
    return max(kibibytes("VmHWM") - before, 0) / 1024


def race(case: str, contestants: dict[str, Call], repeats: int, clock: str) -> dict[str, float]:
    """Median seconds of each, printed with the ratio to the first; the first call warms up."""
    memory = {name: added_memory(call) for name, call in contestants.items()}
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, call in contestants.items():
            taken[name].append(turn(call, CLOCKS[clock]))
    medians = {name: median(times) for name, times in taken.items()}
    ours = next(iter(medians.values()))
    for name, seconds in medians.items():
        print(
            f"{case:32} {name:28} {1e3 * seconds:10.2f} ms {seconds / ours:9.1f} x"
            f" {memory[name]:8.0f} MiB",
            flush=True,
        )
    return medians


def turn(call: Call, clock: Callable[[], float]) -> float:
    """Median seconds of a call in one turn."""
    taken = []
    while sum(taken) < TURN:
        start = clock()
        call()
        taken.append(clock() - start)
    return median(taken)


def ours(call: Callable[[int, int], object], m: int, n: int) -> dict[str, Call]:
    """This engine as it is without Numba and, where that is installed, with it."""
    contestants = {"engine": without_numba(lambda: call(m, n))}
    if COMPILED:
        contestants["engine, numba"] = lambda: call(m, n)
    return contestants


def race_fits(m: int, n: int, repeats: int, clock: str) -> dict[str, float]:
    contestants = ours(ours_bradley_terry, m, n)
    if evalica := evalica_calls(m, n):
        contestants["evalica"] = evalica["bradley_terry"]
    if (choix := optional("choix")) is not None:
        won = choix_matrix(m, n)
        contestants["choix dense"] = lambda: choix.ilsr_pairwise_dense(choix_matrix(m, n))
        contestants["choix, matrix given"] = lambda: choix.ilsr_pairwise_dense(won)
    if arena := arena_calls(m, n):
        contestants["arena-rank"] = arena["bradley_terry"]
    contestants["L-BFGS"] = lambda: lbfgs(m, *grouped(m, n))
    return race(f"Bradley-Terry {m} x {n:,}", contestants, repeats, clock)


def race_sandwich(m: int, n: int, repeats: int, clock: str) -> dict[str, float]:
    contestants = ours(ours_sandwich, m, n)
    if arena := arena_calls(m, n):
        contestants["arena-rank"] = arena["sandwich"]
    return race(f"with sandwich {m} x {n:,}", contestants, repeats, clock)


def race_bootstrap(m: int, n: int, repeats: int, clock: str) -> dict[str, float]:
    contestants = ours(ours_bootstrap, m, n)
    contestants["L-BFGS"] = lambda: lbfgs_bootstrap(m, n)
    return race(f"{ROUNDS} bootstraps {m} x {n:,}", contestants, repeats, clock)


def race_style(m: int, n: int, repeats: int, clock: str) -> dict[str, float]:
    contestants = ours(ours_style, m, n)
    if arena := arena_calls(m, n):
        contestants["arena-rank"] = arena["style"]
        contestants["arena-rank, unweighted"] = arena["style, unweighted"]
    contestants["L-BFGS, no intervals"] = lambda: lbfgs_style(m, n)
    return race(f"style control {m} x {n:,}", contestants, repeats, clock)


def race_elo(m: int, n: int, repeats: int, clock: str) -> dict[str, float]:
    contestants = ours(ours_elo, m, n)
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

    contestants = {"engine": without_numba(refit)}
    return race(f"refit after 1% {m} x {n:,}", contestants, max(repeats, 9), clock)


# --- goals -----------------------------------------------------------------------------------


def ratio_goal(name: str, times: dict[str, float], peer: str, target: float) -> str:
    """The line of a goal 'so many times as fast as the peer', by the best engine there is here."""
    who = "engine" if name.endswith("-plain") or not COMPILED else "engine, numba"
    missing = [] if peer in times else [peer]
    if name.endswith("-numba") and not COMPILED:
        missing.append("numba")
    if missing:
        return f"goal {name} unmeasured({'+'.join(missing)}-missing) >={target}x short"
    value = times[peer] / times[who]
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
            contestants = ours(ours_bradley_terry, competitors, votes)
            race(f"Bradley-Terry {competitors} x {votes:,}", contestants, repeats, clock)
            refitted = race_refit(competitors, votes, repeats, clock)
            refits.setdefault(competitors, []).append(refitted["engine"])
    return [
        ratio_goal("bradley-terry-evalica", fits, "evalica", 150),
        ratio_goal("bradley-terry-choix", fits, "choix dense", 10),
        ratio_goal("bradley-terry-arena-rank", fits, "arena-rank", 1000),
        ratio_goal("sandwich-arena-rank", sandwich, "arena-rank", 500),
        ratio_goal("bootstrap-lbfgs", rounds, "L-BFGS", 50),
        ratio_goal("style-arena-rank-plain", styled, "arena-rank", 5),
        ratio_goal("style-arena-rank-numba", styled, "arena-rank", 50),
        ratio_goal("elo-evalica-plain", sequence, "evalica", 1),
        ratio_goal("elo-evalica-numba", sequence, "evalica", 50),
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
    if arguments.quick:
        print("200,000 votes: the goals are set for 1,000,000, where the ratios are larger")
    goals = run(arguments.clock, quick=arguments.quick)
    print("\n".join(goals))


if __name__ == "__main__":
    main()

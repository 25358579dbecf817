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
from pathlib import Path
from statistics import median

import numpy as np

from bench.contestants import (
    ROUNDS,
    Call,
    arena_calls,
    choix_matrix,
    engine_votes,
    evalica_calls,
    grouped,
    lbfgs,
    lbfgs_bootstrap,
    lbfgs_style,
    optional,
    ours_bootstrap,
    ours_bradley_terry,
    ours_elo,
    ours_sandwich,
    ours_style,
    without_numba,
)
from leaderboard.ratings import fold
from leaderboard.ratings.compute.compiled import COMPILED
from leaderboard.ratings.models import bradley_terry

TURN = 0.02
"""Seconds for which a call is repeated in its turn."""
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


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

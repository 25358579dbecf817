"""Fakes among real people: the crowd of LLMFAO (dustalov/llmfao, CC BY 4.0), with twelve accounts
that click at random and twelve that take the left always.

Their activity is that of real people. Everybody also meets controls by the product's schedule, with
the keys of LLMBar (princeton-nlp/LLMBar, MIT). How the real people would have answered these nobody
knows: they are made to answer right with probability .80, and else half a tie, half wrong.
"""

import csv
import os
from pathlib import Path

import numpy as np

from bench.sites import ROOT
from bench.trust_figures import SEEDS, Figures, separate
from bench.trust_world import LEFT, RANDOM, Ints, draw_turns
from leaderboard.ratings import one_blas_thread
from leaderboard.trust.gaps import UNKEYED, Matchups
from leaderboard.trust.reliability import Answers, estimate_reliability

REAL_SEEDS, QUICK_REAL_SEEDS = 20, 3
FAKES = {RANDOM: 12, LEFT: 12}
REAL = -1
RIGHT, TIE = 0.80, 0.10
INTERVAL = 20


def find_published() -> Path | None:
    """The folder of published data sets, where there is one."""
    folder = Path(os.environ.get("ARENA_SHARED_DATA", ROOT.parent / "shared" / "data"))
    return folder if folder.is_dir() else None


@one_blas_thread()
def measure_real(seeds: int) -> None:
    """How well P(reads) tells the real from the fakes."""
    folder = find_published()
    if folder is None:
        print("real: skipped, no published data; name its folder in ARENA_SHARED_DATA")
        return
    votes, keys = load_votes(folder / "llmfao"), load_keys(folder / "llmbar_gold")
    figures = Figures()
    for seed in range(REAL_SEEDS if seeds == SEEDS else QUICK_REAL_SEEDS):
        rng = np.random.default_rng(seed)
        answers, kind = add_fakes(rng, votes)
        reads = estimate_reliability(add_controls(rng, answers, kind, keys)).reads
        for name, fake in (("random", RANDOM), ("left", LEFT)):
            chosen = (kind == REAL) | (kind == fake)
            figures.add(f"real-{name}", separate(reads[chosen], kind[chosen] == fake))
    figures.goal("real-random", 0.88)
    figures.goal("real-left", 0.95)


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load_votes(folder: Path) -> Answers:
    """The published votes. The first model of each row stood left."""
    rows = read_rows(folder / "votes.csv")
    models, first_and_second = np.unique(
        [[row["model_a"], row["model_b"]] for row in rows], return_inverse=True
    )
    sides = first_and_second.reshape(-1, 2)
    _, who = np.unique([row["worker"] for row in rows], return_inverse=True)
    _, at, what = np.unique(
        [row["pair_id"] for row in rows], return_index=True, return_inverse=True
    )
    outcome = np.array([{"a": 1, "tie": 0, "b": -1}[row["winner"]] for row in rows])
    matchups = Matchups(sides[at, 0], sides[at, 1], np.full(len(at), UNKEYED), len(models))
    return Answers(who, what, outcome, np.ones_like(who), matchups, int(who.max()) + 1, 3)


def load_keys(folder: Path) -> Ints:
    """Which response of each control is right: 1 the first, -1 the second."""
    rows = read_rows(folder / "gold.csv")
    return np.array([{"a": 1, "b": -1}[row["gold"]] for row in rows])


def add_fakes(rng: np.random.Generator, votes: Answers) -> tuple[Answers, Ints]:
    """The votes with those of the fakes, and everybody's kind."""
    fakes = np.repeat(list(FAKES), list(FAKES.values()))
    activity = rng.choice(np.bincount(votes.contributor), len(fakes))
    pairs = len(votes.matchups.key)
    what = np.concatenate([rng.choice(pairs, count, replace=False) for count in activity])
    one_sided = np.repeat(fakes == LEFT, activity)
    outcome = np.where(one_sided, 1, rng.integers(-1, 2, len(what)))
    who = votes.people + np.repeat(np.arange(len(fakes)), activity)
    kind = np.concatenate([np.full(votes.people, REAL), fakes])
    return append(votes, (who, what, outcome, np.ones_like(who)), len(kind)), kind


def add_controls(rng: np.random.Generator, answers: Answers, kind: Ints, keys: Ints) -> Answers:
    """The answers with those to the controls that everybody met between them."""
    who = np.repeat(np.arange(len(kind)), count_controls(rng, np.bincount(answers.contributor)))
    which = np.concatenate([rng.permutation(len(keys))[:n] for n in np.bincount(who)])
    left = rng.choice([-1, 1], len(who))
    luck = rng.random(len(who))
    right = np.where(luck < RIGHT, 1, np.where(luck < RIGHT + TIE, 0, -1)) * keys[which]
    clicked = rng.integers(-1, 2, len(who))
    outcome = np.select([kind[who] == REAL, kind[who] == LEFT], [right, left], clicked)
    old, nobody = answers.matchups, np.full(len(keys), -1)
    matchups = Matchups(
        np.concatenate([old.first, nobody]),
        np.concatenate([old.second, nobody]),
        np.concatenate([old.key, keys]),
        old.competitors,
    )
    both = append(answers, (who, len(old.key) + which, outcome, left), len(kind))
    return Answers(both.contributor, both.matchup, both.outcome, both.left, matchups, len(kind), 3)


def count_controls(rng: np.random.Generator, ordinary: Ints) -> Ints:
    """How many controls each met until so many ordinary matchups were judged."""
    turns = 2 * ordinary + 10  # more than enough: at most one turn in five is a control
    on_control = draw_turns(rng, turns, INTERVAL)
    starts = np.cumsum(turns) - turns
    found = np.empty_like(ordinary)
    for person, (start, size, wanted) in enumerate(zip(starts, turns, ordinary, strict=True)):
        mine = on_control[start : start + size]
        end = np.searchsorted(np.cumsum(~mine), wanted)
        found[person] = mine[: end + 1].sum()
    return found


def append(answers: Answers, more: tuple[Ints, Ints, Ints, Ints], people: int) -> Answers:
    """Answers with further rows: contributor, matchup, outcome, left."""
    columns = (answers.contributor, answers.matchup, answers.outcome, answers.left)
    who, what, outcome, left = (np.concatenate(pair) for pair in zip(columns, more, strict=True))
    return Answers(who, what, outcome, left, answers.matchups, people, answers.categories)

"""Figures over seeds, and how well a score tells two kinds of people apart."""

from collections import defaultdict

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from bench.goals import print_goal
from leaderboard.ratings import Floats

SEEDS, QUICK_SEEDS = 8, 2


class Figures:
    """Figures by name, one for each seed; or one for each person, where `of` says so."""

    def __init__(self, of: str = "seeds") -> None:
        self.seen: dict[str, list[float]] = defaultdict(list)
        self.of = of

    def add(self, name: str, value: float) -> None:
        self.seen[name].append(value)

    def goal(self, name: str, target: float, *, at_least: bool = True) -> None:
        """Print the mean with its standard error, and whether it reaches the target."""
        print_goal(name, self.show(name), target, at_least=at_least)

    def show(self, name: str) -> float:
        """Print the mean with its standard error."""
        values = np.array(self.seen[name])
        error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
        print(f"{name}: {values.mean():.4f} ± {error:.4f} over {len(values)} {self.of}", flush=True)
        return float(values.mean())


def separate(score: Floats, bad: npt.NDArray[np.bool_]) -> float:
    """AUC of a score: how often one of the good has more than one of the bad, a tie being half."""
    ranks, count = rankdata(score), int(bad.sum())
    above = ranks[bad].sum() - count * (count + 1) / 2.0
    return float(1.0 - above / (count * (len(bad) - count)))

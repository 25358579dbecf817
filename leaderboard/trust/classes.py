"""Classes of contributors: how somebody of each would answer, whatever the gap.

An answer is one of K categories as displayed, 0 where the left response is much better … K - 1
where the right one is. A gap is the left response's lead in logits. A class either reads, with a
sensitivity to gaps and a share of lapses, or answers by habit alone: the spammer of MACE (Hovy et
al. 2013, "Learning Whom to Trust with MACE", section 3), with a tie width and a lean to one side of
its own, so that real people's habits are not held against them.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from leaderboard.ratings import Floats

SENSITIVITIES, LAPSES = (0.2, 0.36, 0.63, 1.12, 2.0), (0.05, 0.3)
"""Sensitivities are a quarter of a decade apart. The lowest are of people whose taste is not the
crowd's: they pass controls, and without such classes they are taken for people who do not read. The
price is that somebody who clicks evenly is given a little more credit. Farther apart, whoever
answers much falls between two classes, and their error is too small."""
TIE_WIDTHS = (0.15, 0.35, 0.6, 1.0, 1.7)
READING_LEANS = (-0.8, -0.4, 0.0, 0.4, 0.8)
BLIND_LEANS = (-2.5, -1.0, -0.35, 0.0, 0.35, 1.0, 2.5)
OUTER_CUT = 2.6
"""Of five categories the outer cuts are at so many tie widths."""
PSEUDO_PEOPLE, BLIND_SHARE = 20.0, 0.15
"""Weight of the prior of the classes' shares, and how much of it is on those that do not read."""
TIE_SHARE, FULL_ATTENTION = 0.88, 0.7
"""Identical responses are a tie to whoever attends, so often; who does fully, by sensitivity."""
GAP_SPREAD, GAP_NODES = 1.4, 41
"""Standard deviation of the gaps over which classes are compared, and nodes of that integral."""


@dataclass(frozen=True, eq=False)
class Classes:
    """G classes for K categories.

    sensitivity, lapse, tie, lean: float64 (G,); reads: bool (G,); categories: K, 2, 3 or 5.
    """

    sensitivity: Floats
    lapse: Floats
    tie: Floats
    lean: Floats
    reads: npt.NDArray[np.bool_]
    categories: int

    @cached_property
    def pseudo_people(self) -> Floats:
        """Prior weight of each class's share: float64 (G,)."""
        share = np.where(self.reads, 1.0 - BLIND_SHARE, BLIND_SHARE)
        size = np.where(self.reads, self.reads.sum(), (~self.reads).sum())
        weight: Floats = PSEUDO_PEOPLE * share / size
        return weight

    def answer(self, gaps: Floats) -> Floats:
        """Probability of each category: float64 (len(gaps), K, G).

        (1 - l)·OL(y; s·gap + b) + l·OL(y; b), OL the ordered logit (McCullagh 1980, "Regression
        Models for Ordinal Data", eq. 1.1) with cuts ±t, and ±2.6·t where there are five categories.
        """
        pulled = self.order(gaps[:, None] * self.sensitivity + self.lean)
        blind = self.order(self.lean[None, :])
        result: Floats = (1.0 - self.lapse) * pulled + self.lapse * blind
        return result

    def order(self, location: Floats) -> Floats:
        """The ordered logit at each location (n, G): float64 (n, K, G)."""
        cuts = {2: (0.0,), 3: (1.0, -1.0), 5: (OUTER_CUT, 1.0, -1.0, -OUTER_CUT)}[self.categories]
        below = [np.zeros(location.shape)]
        below += [expit(location - cut * self.tie) for cut in cuts]
        below.append(np.ones(location.shape))
        result: Floats = np.diff(np.stack(below, 1), axis=1)
        return result

    def answer_identical(self) -> Floats:
        """Probability of each category where both responses are the same: float64 (K, G).

        Whoever attends, min(s / .7, 1)·(1 - l) of the time, calls it a tie with .88; otherwise the
        class's habit decides. Without a tie among the categories, the habit alone.
        """
        habit: Floats = self.order(self.lean[None, :])[0]
        if self.categories == 2:
            return habit
        attends = np.minimum(self.sensitivity / FULL_ATTENTION, 1.0) * (1.0 - self.lapse)
        middle = self.categories // 2
        seen = (1.0 - TIE_SHARE) * habit / (1.0 - habit[middle])
        seen[middle] = TIE_SHARE
        result: Floats = attends * seen + (1.0 - attends) * habit
        return result

    @cached_property
    def signal(self) -> Floats:
        """How much of the truth a class passes on: float64 (G,).

        ρ = E[v·tanh(δ/2)] / E[tanh²(δ/2)], v the side that is called better (1 left, 0 tie, -1
        right), over gaps δ ~ N(0, 1.4²): 1 for whoever answers by the plain logit; 0 blind.
        """
        nodes, weights = np.polynomial.hermite_e.hermegauss(GAP_NODES)
        gaps = GAP_SPREAD * nodes
        answers = self.answer(gaps)
        half = self.categories // 2
        side = answers[:, :half].sum(1) - answers[:, -half:].sum(1)
        truth = np.tanh(gaps / 2.0)
        result: Floats = (weights * truth) @ side / (weights @ truth**2)
        return result

    @cached_property
    def coarseness(self) -> Floats:
        """Variance of the signal within each class's cell of the grid: float64 (G,).

        People lie between the classes. Cells meet half-way between neighbours in sensitivity and in
        lapses; d²/12 of their widths d in the signal is the variance of a uniform distribution (the
        grouping error of Sheppard 1898). Classes that do not read have none.
        """
        shape = (len(SENSITIVITIES), len(LAPSES), -1)
        signal = self.signal[self.reads].reshape(shape)
        widths = [np.abs(np.gradient(signal, axis=axis)) for axis in (0, 1)]
        within = np.zeros(len(self.reads))
        within[self.reads] = ((widths[0] ** 2 + widths[1] ** 2) / 12.0).ravel()
        return within


def make_classes(categories: int) -> Classes:
    """The classes for 2, 3 or 5 categories: 250 that read and 35 that do not, 50 and 7 for 2.

    Without a tie its width makes no difference.
    """
    widths = TIE_WIDTHS if categories > 2 else (0.0,)
    reading = list(product(SENSITIVITIES, LAPSES, widths, READING_LEANS))
    blind = list(product((0.0,), (0.0,), widths, BLIND_LEANS))
    columns = np.array(reading + blind).T
    reads = np.arange(len(reading) + len(blind)) < len(reading)
    sensitivity, lapse, tie, lean = columns
    return Classes(sensitivity, lapse, tie, lean, reads, categories)

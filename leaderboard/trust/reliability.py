"""Who reads: a mixture of latent classes over contributors, fitted to all of their answers.

Each contributor is of one class (`classes`), each matchup has a gap (`gaps`). Nobody's own answer
tells them the gap it is held against: it is that of the others' answers, the competitors'
strengths and the key. Shares of the classes are empirical Bayes (Kiefer & Wolfowitz 1956,
"Consistency of the Maximum Likelihood Estimator in the Presence of Infinitely Many Incidental
Parameters"; Lindsay 1983, "The Geometry of Mixture Likelihoods"). Nothing is drawn by chance, and
rows in any order give the same bytes.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import softmax

from leaderboard.ratings import Floats, chunks, one_blas_thread
from leaderboard.trust.classes import Classes, make_classes
from leaderboard.trust.gaps import GRID, GapModel, Integers, Matchups, moments

Mask = npt.NDArray[np.bool_]
ROUNDS, FIRST_NEWTON_STEPS, NEWTON_STEPS, EM_STEPS = 3, 5, 2, 6
MOST_VOTES = 60.0
"""Of a contributor's answers together, as evidence on gaps: nobody sets the gaps alone."""
CELL_MEANS: Floats = np.linspace(-5.0, 5.0, 61)
CELL_SPREADS: Floats = np.linspace(0.2, 2.0, 8)
CELLS = len(CELL_MEANS) * len(CELL_SPREADS)
HERMITE_NODES = 9
ROWS_AT_ONCE = 1 << 12
"""Answers whose chances under all classes are in memory at once."""
LIMIT = 1.645
"""Standard errors of a one-sided 95% limit."""


@dataclass(frozen=True, eq=False)
class Answers:
    """n answers of U contributors to the preference question of one event.

    contributor: int (n,), 0 … U - 1; matchup: int (n,), an index into `matchups`; outcome: int
    (n,), the step of the scale, positive where the first response is better; left: int (n,), 1
    where the first response stood left, -1 where the second did, 0 where nobody knows; people: U;
    categories: 2 without a tie, 3 or 5; larger steps are folded into the outer categories;
    counted: bool (U,), whose answers say something of gaps, strengths and shares, None for all;
    the others are held against what these say.
    """

    contributor: Integers
    matchup: Integers
    outcome: Integers
    left: Integers
    matchups: Matchups
    people: int
    categories: int
    counted: Mask | None = None

    def who_counts(self) -> Mask:
        """Bool (U,)."""
        return np.ones(self.people, dtype=bool) if self.counted is None else self.counted

    def only_counted(self) -> "Answers":
        """The answers of those who count."""
        return self.take(np.flatnonzero(self.who_counts()[self.contributor]))

    def in_order(self) -> tuple["Answers", Integers]:
        """The same answers by contributor and matchup, without those that say nothing: ties where
        the scale has none; and which rows these were."""
        kept = np.arange(len(self.outcome))
        if self.categories == 2:
            kept = np.flatnonzero(self.outcome)
        columns = [self.left, self.outcome, self.matchup, self.contributor]
        rows = kept[np.lexsort([column[kept] for column in columns])]
        return self.take(rows), rows

    def take(self, rows: Integers) -> "Answers":
        """The answers of these rows."""
        return replace(
            self,
            contributor=self.contributor[rows],
            matchup=self.matchup[rows],
            outcome=self.outcome[rows],
            left=self.left[rows],
        )

    def displayed(self) -> Integers:
        """The category of each answer as displayed; with the first response left where nobody
        knows."""
        most = self.categories // 2
        step = np.clip(self.outcome, -most, most) * np.where(self.left == 0, 1, self.left)
        if self.categories == 2:
            return (step < 0).astype(np.int64)
        return most - step.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Scores:
    """R, about 1 for whoever reads as readers do and 0 for whoever does not, its standard error,
    and its posterior deviation over the classes alone: float64 (U,) each."""

    value: Floats
    error: Floats
    deviation: Floats

    @property
    def lower(self) -> Floats:
        """The one-sided 95% limit below."""
        return self.value - LIMIT * self.error

    @property
    def upper(self) -> Floats:
        """The one-sided 95% limit above."""
        return self.value + LIMIT * self.error


@dataclass(frozen=True, eq=False)
class Parts:
    """R by some of everybody's answers. controls: int64 (U,), how many of these were controls;
    on_controls, on_others: R by controls and by all else."""

    controls: npt.NDArray[np.int64]
    on_controls: Scores
    on_others: Scores


@dataclass(frozen=True, eq=False)
class Reliability(Parts):
    """The fit. answers: int64 (U,), how many were fitted; reads: float64 (U,), P(reads); overall: R
    by all answers; so_far: the parts by the answers that were marked, all of them unless some were;
    expected: float64 (n, K), what a stranger who reads would answer in place of each answer, as
    displayed; evidence: float64 (n,), what each answer says for its contributor's reading, as a
    natural logarithm: they add up, and those of ties that the scale has not are 0; shares: float64
    (G,), of the classes; newcomer: P(reads) before any answer; strengths: float64 (M,); spread: σ
    of ordinary gaps."""

    answers: npt.NDArray[np.int64]
    reads: Floats
    overall: Scores
    so_far: Parts
    expected: Floats
    evidence: Floats
    shares: Floats
    newcomer: float
    strengths: Floats
    spread: float


@one_blas_thread()
def estimate_reliability(answers: Answers, so_far: Mask | None = None) -> Reliability:
    """Fit the mixture to these answers.

    Three rounds, from classes in their prior shares: what each answer says of its matchup's gap, a
    contributor's answers together as 60 at most; strengths and spread; the gap with each answer
    left out, kept as one of 61 × 8 cells; then each contributor's likelihood under each class, and
    six steps of expectation and maximisation for the shares.

    so_far: bool (n,), the answers of which `Reliability.so_far` is to tell.
    """
    ordered, rows = answers.in_order()
    found = Fit(ordered).run(np.ones(len(rows), dtype=bool) if so_far is None else so_far[rows])
    expected = np.full((len(answers.outcome), answers.categories), 1.0 / answers.categories)
    evidence = np.zeros(len(answers.outcome))
    expected[rows], evidence[rows] = found.expected, found.evidence
    return replace(found, expected=expected, evidence=evidence)


class Fit:
    """The state of a fit; `answers` are in order."""

    def __init__(self, answers: Answers) -> None:
        self.answers, self.classes = answers, make_classes(answers.categories)
        self.model = GapModel(answers.matchups)
        self.displayed = answers.displayed()
        key = answers.matchups.key[answers.matchup]
        self.is_control, self.is_identical = np.abs(key) <= 1, key == 0
        self.counts = np.bincount(answers.contributor, minlength=answers.people)
        self.counted = answers.who_counts()
        self.tables = CellTables(self.classes)
        prior = self.classes.pseudo_people
        self.shares: Floats = prior / prior.sum()
        self.posterior: Floats = np.tile(self.shares, (answers.people, 1))

    def run(self, so_far: Mask) -> Reliability:
        """All rounds, then what is told of each contributor."""
        everything = np.ones(len(self.displayed), dtype=bool)
        parts = (np.zeros_like(self.posterior), np.zeros_like(self.posterior))
        cells = np.zeros(len(self.displayed), dtype=np.int64)
        for turn in range(ROUNDS):
            evidence = self.weigh_answers()
            by_matchup = self.sum_by_matchup(evidence)
            self.model.fit(by_matchup, NEWTON_STEPS if turn else FIRST_NEWTON_STEPS)
            cells = self.find_cells(evidence, by_matchup)
            parts = self.add_up_parts(cells, everything)
            self.maximise(parts[0] + parts[1])
        whole = self.describe(everything, parts)
        early = whole if so_far.all() else self.describe(so_far, self.add_up_parts(cells, so_far))
        return Reliability(
            controls=whole.controls,
            on_controls=whole.on_controls,
            on_others=whole.on_others,
            answers=self.counts,
            reads=self.posterior[:, self.classes.reads].sum(1),
            overall=self.score(parts[0] + parts[1]),
            so_far=early,
            expected=self.expect(cells),
            evidence=self.tell_readers(cells, parts[0] + parts[1]),
            shares=self.shares,
            newcomer=float(self.shares[self.classes.reads].sum()),
            strengths=self.model.strengths,
            spread=self.model.spread,
        )

    def add_up_parts(self, cells: Integers, chosen: Mask) -> tuple[Floats, Floats]:
        """Log-likelihood of each contributor's chosen answers, to controls and to all else, under
        each class: float64 (U, G) each."""
        on_controls = self.add_up_identical(chosen)
        on_controls += self.add_up(cells, chosen & self.is_control & ~self.is_identical)
        return on_controls, self.add_up(cells, chosen & ~self.is_control)

    def expect(self, cells: Integers) -> Floats:
        """What a stranger who reads would answer in place of each answer: float64 (n, K)."""
        reading = self.shares * self.classes.reads
        reading = reading / reading.sum()
        shape = (CELLS, self.answers.categories)
        known = (np.exp(self.tables.of_known_sides) @ reading).reshape(shape)
        unknown = (np.exp(self.tables.of_unknown_sides) @ reading).reshape(shape)
        identical = self.classes.answer_identical() @ reading
        expected = np.where((self.answers.left == 0)[:, None], unknown[cells], known[cells])
        result: Floats = np.where(self.is_identical[:, None], identical, expected)
        return result

    def tell_readers(self, cells: Integers, likelihood: Floats) -> Floats:
        """What each answer says for its contributor's reading: float64 (n,).

        log Σ q(g)·P(y|g) over the classes that read, minus that over those that do not, q the
        contributor's own posterior within either. likelihood: float64 (U, G), of all answers.
        """
        reads, told = self.classes.reads, np.zeros(len(cells))
        own = likelihood + np.log(self.shares)
        size, who = self.answers.categories, self.answers.contributor
        rows = cells * size + self.displayed
        for sign, among in ((1.0, reads), (-1.0, ~reads)):
            posterior = softmax(own[:, among], axis=1)
            known, unknown = (
                np.exp(table[:, among])
                for table in (self.tables.of_known_sides, self.tables.of_unknown_sides)
            )
            identical = self.identical_table()[:, among]
            for start in range(0, len(rows), ROWS_AT_ONCE):
                part = slice(start, start + ROWS_AT_ONCE)
                chance = known[rows[part]]
                unsided, alike = self.answers.left[part] == 0, self.is_identical[part]
                chance[unsided] = unknown[rows[part][unsided]]
                chance[alike] = identical[self.displayed[part][alike]]
                told[part] += sign * np.log(np.einsum("ng,ng->n", chance, posterior[who[part]]))
        return told

    def identical_table(self) -> Floats:
        """Probability of each answer to identical responses under each class: float64 (K, G)."""
        table = self.classes.answer_identical()
        return table if (self.answers.left != 0).all() else (table + table[::-1]) / 2.0

    def add_up_identical(self, chosen: Mask) -> Floats:
        """Log-likelihood of the chosen answers to identical responses: float64 (U, G)."""
        size, asked = self.answers.categories, self.is_identical & chosen
        index = self.answers.contributor[asked] * np.int64(size) + self.displayed[asked]
        counts = np.bincount(index, minlength=self.answers.people * size).reshape(-1, size)
        result: Floats = counts.astype(np.float64) @ np.log(self.identical_table())
        return result

    def weigh_answers(self) -> Floats:
        """Log-likelihood of each answer by its matchup's gap, first minus second, on the grid, as
        far as its contributor may say: float64 (n, 21)."""
        size = self.answers.categories
        by_class = self.classes.answer(GRID).reshape(len(GRID) * size, -1)
        expected = (self.posterior @ by_class.T).reshape(-1, len(GRID), size).swapaxes(1, 2)
        weight = np.minimum(1.0, MOST_VOTES / np.maximum(self.counts, 1)) * self.counted
        who, left = self.answers.contributor, self.answers.left
        evidence = np.empty((len(who), len(GRID)))
        for part in chunks(len(who)):
            shown = expected[who[part], self.displayed[part]]
            mirrored = expected[who[part], size - 1 - self.displayed[part]][:, ::-1]
            known = np.where((left[part] < 0)[:, None], shown[:, ::-1], shown)
            either = np.where((left[part] == 0)[:, None], (shown + mirrored) / 2.0, known)
            evidence[part] = weight[who[part], None] * np.log(either)
        evidence[self.is_identical] = 0.0  # what is the same has no gap
        return evidence

    def sum_by_matchup(self, evidence: Floats) -> Floats:
        """Σ of the answers to each matchup: float64 (m, 21)."""
        size = len(self.answers.matchups.key)
        columns = [np.bincount(self.answers.matchup, one, size) for one in evidence.T]
        return np.stack(columns, 1)

    def find_cells(self, evidence: Floats, by_matchup: Floats) -> Integers:
        """The cell of the gap that each answer is held against, as displayed: int64 (n,)."""
        whole = by_matchup + self.model.log_priors()
        cells = np.empty(len(evidence), dtype=np.int64)
        sign = np.where(self.answers.left < 0, -1.0, 1.0)
        for part in chunks(len(evidence)):
            mean, variance = moments(whole[self.answers.matchup[part]] - evidence[part])
            cells[part] = name_cells(sign[part] * mean, np.sqrt(variance))
        return cells

    def add_up(self, cells: Integers, chosen: Mask) -> Floats:
        """Log-likelihood of each contributor's chosen answers under each class: float64 (U, G)."""
        total = np.zeros_like(self.posterior)
        for unknown in (False, True):
            rows = np.flatnonzero(chosen & ((self.answers.left == 0) == unknown))
            if len(rows):
                columns = cells[rows] * self.answers.categories + self.displayed[rows]
                table = self.tables.of_unknown_sides if unknown else self.tables.of_known_sides
                total += self.count(rows, columns, len(table)) @ table
        return total

    def count(self, rows: Integers, columns: Integers, width: int) -> Any:
        """How often each contributor gave each answer in each cell: sparse (U, width)."""
        entries = (np.ones(len(rows)), (self.answers.contributor[rows], columns))
        return csr_array(entries, shape=(self.answers.people, width))

    def maximise(self, likelihood: Floats) -> None:
        """Shares of the classes by expectation and maximisation, and everybody's posterior."""
        prior = self.classes.pseudo_people
        for _ in range(EM_STEPS):
            each = softmax(likelihood + np.log(self.shares), axis=1)
            weight = each[self.counted].sum(0) + prior
            self.shares = weight / weight.sum()
        self.posterior = softmax(likelihood + np.log(self.shares), axis=1)

    def describe(self, chosen: Mask, parts: tuple[Floats, Floats]) -> Parts:
        """What the chosen answers say of each contributor."""
        who = self.answers.contributor[self.is_control & chosen]
        controls = np.bincount(who, minlength=self.answers.people)
        return Parts(controls, self.score(parts[0]), self.score(parts[1]))

    def score(self, likelihood: Floats) -> Scores:
        """R_u = Σ_g q_u(g)·ρ_g over the mean ρ of those who read, and its posterior deviation, or
        that of a class's cell where this is larger: with many answers one class is left."""
        posterior = softmax(likelihood + np.log(self.shares), axis=1)
        reading = self.shares * self.classes.reads
        scale = reading.sum() / (reading @ self.classes.signal)
        signal, within = self.classes.signal * scale, self.classes.coarseness * scale**2
        mean = posterior @ signal
        variance = np.maximum(posterior @ signal**2 - mean**2, 0.0)
        error = np.sqrt(np.maximum(variance, posterior @ within))
        return Scores(mean, error, np.sqrt(variance))


class CellTables:
    """Log-probability of each answer (rows: cells by categories) under each class (columns)."""

    def __init__(self, classes: Classes) -> None:
        nodes, weights = np.polynomial.hermite_e.hermegauss(HERMITE_NODES)
        means, spreads = (
            np.repeat(CELL_MEANS, len(CELL_SPREADS)),
            np.tile(CELL_SPREADS, len(CELL_MEANS)),
        )
        gaps = (means[:, None] + spreads[:, None] * nodes).ravel()
        answers = classes.answer(gaps).reshape(CELLS, HERMITE_NODES, classes.categories, -1)
        shown = np.einsum("cnkg,n->ckg", answers, weights / weights.sum())
        grid = shown.reshape(len(CELL_MEANS), len(CELL_SPREADS), classes.categories, -1)
        mirrored = grid[::-1, :, ::-1].reshape(shown.shape)
        height = CELLS * classes.categories
        self.of_known_sides: Floats = np.log(shown).reshape(height, -1)
        self.of_unknown_sides: Floats = np.log((shown + mirrored) / 2.0).reshape(height, -1)


def name_cells(means: Floats, deviations: Floats) -> Integers:
    """The nearest cell of each gap: int64 (n,)."""
    step = CELL_MEANS[1] - CELL_MEANS[0]
    column = np.rint((np.clip(means, CELL_MEANS[0], CELL_MEANS[-1]) - CELL_MEANS[0]) / step)
    width = CELL_SPREADS[1] - CELL_SPREADS[0]
    row = np.rint(
        (np.clip(deviations, CELL_SPREADS[0], CELL_SPREADS[-1]) - CELL_SPREADS[0]) / width
    )
    cells: Integers = (column * len(CELL_SPREADS) + row).astype(np.int64)
    return cells

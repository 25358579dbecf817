"""What colluders read from the difference of two public boards (`bench.trust_publishing`).

Twelve accounts make up whole batches of an event in which nobody else judges at the moment, and
know which models they compare. In each batch they plant probes, answers unlike all the others, and
read from what the boards show afterwards whether a probe was to a control, which moves none. What
is public comes from the product's own functions: the batches, the fit, the rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from arena.events.lifecycle.batches import SMALLEST, BatchRule
from bench.trust_world import CUTS, RECORD_SPREAD, STRENGTH_SPREAD
from leaderboard.boards.coarse import coarsen, round_counts
from leaderboard.boards.fit import FittedBoard, fit_board
from leaderboard.ratings import Floats, Ints, Votes, scale

Mask = npt.NDArray[np.bool_]
COLLUDERS, MODELS, CATEGORIES = 12, 6, 4
CONTROL_SHARE = 0.11
"""Of everybody's turns alike: what the schedule tells by itself is `exposure`'s affair."""
HONEST_PEOPLE, HONEST_VOTES = 40, 400
FIRST, SECOND, OUTCOME, PERSON, CATEGORY = range(5)
"""Columns of a table of answers: int64 (n, 5)."""
OVERALL = -1
WIN, TIE = 1, 0


@dataclass(frozen=True)
class Plan:
    """How the colluders answer a batch.

    group: of each answer, by its category: one answer of each group is a probe; probe, others: the
    outcomes that probes and all other answers have, None for one of the two sides; batches: how
    many say how well it works.
    """

    name: str
    group: Callable[[Ints], Ints]
    probe: int
    others: int | None
    batches: int


PLANS = (
    Plan("one tie", np.zeros_like, TIE, None, 320),
    Plan("one win", np.zeros_like, WIN, TIE, 320),
    Plan("a tie in each category", np.copy, TIE, None, 160),
    Plan("a win in each category", np.copy, WIN, TIE, 160),
    Plan("wins throughout", lambda categories: np.arange(len(categories)), WIN, TIE, 80),
)


@dataclass(eq=False)
class Probe:
    """One probe, and what its two models' figures did on the boards it could move: float64 (k,)."""

    answer: Ints
    is_control: bool
    moved: dict[int, Floats] = field(default_factory=dict)


class WatchedEvent:
    """An event that colluders watch; `rule` None: its boards are live, and not rounded."""

    def __init__(self, rng: np.random.Generator, rule: BatchRule | None) -> None:
        self.rng, self.rule = rng, rule
        self.strengths = rng.normal(0.0, STRENGTH_SPREAD, MODELS)
        people = rng.integers(0, HONEST_PEOPLE, HONEST_VOTES) + COLLUDERS
        self.answers = self.draw_answers(people)
        self.answers[:, OUTCOME] = self.judge_honestly(self.answers)
        self.shown = {board: self.show(board) for board in (OVERALL, *range(CATEGORIES))}
        self.new = np.zeros((CATEGORIES, COLLUDERS), dtype=np.int64)
        self.waiting: list[Probe] = []

    def draw_answers(self, people: Ints) -> Ints:
        """Matchups for these people, not answered yet."""
        first = self.rng.integers(0, MODELS, len(people))
        second = (first + self.rng.integers(1, MODELS, len(people))) % MODELS
        category = self.rng.integers(0, CATEGORIES, len(people))
        return np.column_stack([first, second, np.zeros_like(first), people, category])

    def judge_honestly(self, answers: Ints) -> Ints:
        """What somebody who reads says: 1, 0 or -1."""
        gap = self.strengths[answers[:, FIRST]] - self.strengths[answers[:, SECOND]]
        gap = gap + self.rng.normal(0.0, RECORD_SPREAD, len(gap))
        said = gap + self.rng.logistic(size=len(gap))
        return (said > CUTS[1]).astype(np.int64) - (said < CUTS[2])

    def judge_batch(self, size: int, plan: Plan) -> list[Probe]:
        """Let the colluders answer so much, and the boards move; returns the probes."""
        people = self.rng.permutation(np.arange(size) % COLLUDERS)
        answers = self.draw_answers(people)
        others = self.rng.choice([-1, 1], size) if plan.others is None else plan.others
        on_control = self.rng.random(size) < CONTROL_SHARE
        chosen = choose_probes(plan.group(answers[:, CATEGORY]))
        if not chosen.all():
            # As many controls as others: fewer batches say how well the two are told apart.
            on_control[chosen] = self.rng.random(int(chosen.sum())) < 0.5
        answers[:, OUTCOME] = np.where(chosen, plan.probe, others)
        self.answers = np.concatenate([self.answers, answers[~on_control]])
        np.add.at(self.new, (answers[:, CATEGORY], people), 1)
        probes = [
            Probe(answers[place], bool(on_control[place])) for place in np.flatnonzero(chosen)
        ]
        self.waiting += probes
        self.publish(np.bincount(people, minlength=COLLUDERS))
        return probes

    def publish(self, per_person: Ints) -> None:
        """Move the boards that may move, and note what the waiting probes' models did there."""
        if self.rule is not None:
            assert self.rule.is_met(per_person.tolist())
        self.move(OVERALL, [probe for probe in self.waiting if OVERALL not in probe.moved])
        for category in range(CATEGORIES):
            if self.rule is None or SMALLEST.is_met(self.new[category].tolist()):
                self.new[category] = 0
                mine = [one for one in self.waiting if one.answer[CATEGORY] == category]
                self.move(category, mine)
                self.waiting = [one for one in self.waiting if one.answer[CATEGORY] != category]

    def move(self, board: int, probes: list[Probe]) -> None:
        """Show a board anew."""
        before, now = self.shown[board], self.show(board)
        self.shown[board] = now
        for probe in probes:
            sides = probe.answer[[FIRST, SECOND]]
            probe.moved[board] = np.nan_to_num(now[sides] - before[sides], nan=0.0).ravel()

    def show(self, board: int) -> Floats:
        """The public figures of a board: float64 (M, k)."""
        rows = self.answers if board == OVERALL else self.answers[self.in_category(board)]
        fitted = fit_board(to_votes(rows))
        if self.rule is None:
            return show_exactly(fitted)
        return show_coarsely(fitted, with_counts=board == OVERALL)

    def in_category(self, category: int) -> Mask:
        return self.answers[:, CATEGORY] == category


def choose_probes(group: Ints) -> Mask:
    """The first answer of each group: bool (n,)."""
    _, firsts = np.unique(group, return_index=True)
    return np.isin(np.arange(len(group)), firsts)


def to_votes(answers: Ints) -> Votes:
    """Answers to ordinary matchups as the boards have them, each on a matchup of its own."""
    return Votes(
        MODELS,
        answers[:, FIRST].astype(np.int32),
        answers[:, SECOND].astype(np.int32),
        answers[:, OUTCOME].astype(np.int8),
        contributor=answers[:, PERSON].astype(np.int32),
        matchup=np.arange(len(answers), dtype=np.int32),
    )


def show_exactly(board: FittedBoard) -> Floats:
    """A live board and its downloads: votes by outcome, ratings, interval, rank."""
    return np.column_stack(
        [board.tally, scale.to_points(board.fit.strength), board.lower, board.places.rank]
    )


def show_coarsely(board: FittedBoard, *, with_counts: bool) -> Floats:
    """A board in batches and its downloads; those of categories have no counts."""
    votes = board.tally.sum(1)
    rounded = coarsen(
        board.fit.strength, board.lower, board.upper, votes, board.fit.field.component
    )
    figures = [rounded.points, rounded.lower, rounded.rank, rounded.best, rounded.worst]
    if with_counts:
        figures += [round_counts(votes), *round_counts(board.tally).T]
    return np.column_stack(figures)


def collect_probes(seed: int, rule: BatchRule | None, plan: int, batches: int) -> list[Probe]:
    """Probes of an event that is watched over so many batches; plan: its place in `PLANS`."""
    event = WatchedEvent(np.random.default_rng(seed), rule)
    size = rule.judgments if rule else 1
    return [probe for _ in range(batches) for probe in event.judge_batch(size, PLANS[plan])]


def to_features(probes: list[Probe]) -> tuple[Floats, Mask]:
    """What moved after each probe, overall and in its category: float64 (n, 2k); and which of
    them were controls."""
    width = max(len(one.moved[OVERALL]) for one in probes)
    rows = np.zeros((len(probes), 2 * width))
    for row, probe in zip(rows, probes, strict=True):
        for board, moved in probe.moved.items():
            start = 0 if board == OVERALL else width
            row[start : start + len(moved)] = moved
    return rows, np.array([one.is_control for one in probes])


def tell_apart(by_seed: list[list[Probe]]) -> list[float]:
    """AUC of the attack for each seed: what moved is weighed as Fisher's discriminant of the other
    seeds' probes does, who were told which of theirs were controls."""
    found = [to_features(probes) for probes in by_seed]
    aucs = []
    for held_out, (rows, is_control) in enumerate(found):
        others = [one for index, one in enumerate(found) if index != held_out] or found
        weights = discriminate(*(np.concatenate(parts) for parts in zip(*others, strict=True)))
        aucs.append(area_under_curve(rows @ weights, is_control))
    return aucs


def discriminate(rows: Floats, is_control: Mask) -> Floats:
    """Fisher's linear discriminant with a small ridge: float64 (k,), larger for ordinary ones."""
    spread = rows.std(0)
    scaled = rows / np.where(spread > 0, spread, 1.0)
    apart = scaled[~is_control].mean(0) - scaled[is_control].mean(0)
    covariance = np.cov(scaled.T) + 0.1 * np.eye(rows.shape[1])
    weights: Floats = np.linalg.solve(covariance, apart) / np.where(spread > 0, spread, 1.0)
    return weights


def area_under_curve(score: Floats, is_control: Mask) -> float:
    """How often an ordinary probe scores above a control, ties counting half."""
    ranks, ordinary = rankdata(score), ~is_control
    count, controls = int(ordinary.sum()), int(is_control.sum())
    above = ranks[ordinary].sum() - count * (count + 1) / 2.0
    return float(above / (count * controls))

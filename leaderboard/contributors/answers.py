"""An event's judgments as answers to be weighed: counted ones, and those of excluded people.

A matchup asked about in two questions is two units, each with its own gap, competitors and key.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from django.db.models import Q

from arena.judging.models import Exclusion, Judgment
from leaderboard.ratings import take
from leaderboard.trust.gaps import UNKEYED, Matchups
from leaderboard.trust.reliability import Answers
from leaderboard.votes.loading import wanted_state
from leaderboard.votes.queries import IntegerTable
from leaderboard.votes.store import Columns, sort_by_ledger
from leaderboard.votes.table import Comparisons
from leaderboard.votes.vote_rows import read_columns

CATEGORIES = {2: 2, 3: 3, 5: 5, 7: 5}
"""Categories that answers on each scale are folded into."""
MAX_ANSWERS = 1_000_000
"""Of a larger event each contributor's latest answers are looked at, as many of each as fit: a fit
takes a kilobyte of memory for each."""
NAMES = ("seq", "question", "first", "second", "outcome", "left", "contributor", "matchup")


@dataclass(frozen=True, eq=False)
class AnswerTable:
    """Answers to preference questions up to a place in the ledger, by unit and contributor.

    columns: `NAMES`, int64 (n,) each; contributor, matchup: primary keys; enrollments: the primary
    keys of contributors by index, ascending; counted: bool (U,), False of excluded ones; keys:
    int64 (n,), the sign of the key of each row's unit, `UNKEYED` without one.
    """

    data: Comparisons
    columns: Columns
    enrollments: IntegerTable
    counted: npt.NDArray[np.bool_]
    keys: IntegerTable

    @cached_property
    def who(self) -> IntegerTable:
        """The index of each row's contributor."""
        return np.searchsorted(self.enrollments, self.columns["contributor"])

    @cached_property
    def answers(self) -> Answers:
        """As the fit takes them."""
        columns, size = self.columns, max(len(self.data.competitors), 1)
        unit = columns["matchup"] * max(len(self.data.questions), 1) + columns["question"]
        _units, rows, matchup = np.unique(unit, return_index=True, return_inverse=True)
        # A competitor is rated by each question apart.
        sides = [
            np.where(columns[side] >= 0, columns[side] + size * columns["question"], -1)[rows]
            for side in ("first", "second")
        ]
        competitors = size * max(len(self.data.questions), 1)
        matchups = Matchups(sides[0], sides[1], self.keys[rows], competitors)
        return Answers(
            contributor=self.who,
            matchup=matchup,
            outcome=columns["outcome"],
            left=columns["left"],
            matchups=matchups,
            people=len(self.enrollments),
            categories=CATEGORIES[self.data.event.scale],
            counted=self.counted,
        )

    def until(self, position: int) -> "AnswerTable":
        """The answers up to an earlier place in the ledger, of the same people."""
        rows = np.flatnonzero(self.columns["seq"] <= position)
        columns = {name: column[rows] for name, column in self.columns.items()}
        return AnswerTable(self.data, columns, self.enrollments, self.counted, self.keys[rows])


def read_answers(data: Comparisons, position: int) -> AnswerTable:
    """The answers up to this place in the ledger, with what is in force now."""
    counted = select_columns(data, position)
    excluded = read_excluded(data, position)
    columns = sort_by_ledger(
        {name: np.concatenate([counted[name], excluded[name]]) for name in NAMES}
    )
    latest = find_latest(columns["contributor"], MAX_ANSWERS)
    columns = {name: column[latest] for name, column in columns.items()}
    enrollments = np.unique(columns["contributor"])
    is_counted = ~np.isin(enrollments, excluded["contributor"])
    return AnswerTable(data, columns, enrollments, is_counted, find_keys(data, columns))


def find_latest(contributor: IntegerTable, most: int) -> slice | IntegerTable:
    """The rows of everybody's latest answers, in their order: all of them, or the largest equal
    number of each contributor with which there are no more than `most`."""
    if len(contributor) <= most:
        return slice(None)
    _people, who, counts = np.unique(contributor, return_inverse=True, return_counts=True)
    low, high = 0, int(counts.max())
    while low < high:
        middle = (low + high + 1) // 2
        if np.minimum(counts, middle).sum() <= most:
            low = middle
        else:
            high = middle - 1
    order = np.argsort(who, kind="stable")
    place = np.arange(len(who)) - np.repeat(np.cumsum(counts) - counts, counts)
    is_late = place >= np.repeat(counts, counts) - low
    return np.sort(order[is_late])


def select_columns(data: Comparisons, position: int) -> Columns:
    """The counted answers, with primary keys for indices."""
    asked = (data.columns["seq"] <= position) & (data.columns["question"] >= 0)
    found = {name: data.columns.select(name, asked).astype(np.int64) for name in NAMES}
    found["contributor"] = take(data.enrollments, found["contributor"])
    found["matchup"] = take(data.matchups, found["matchup"])
    return found


def read_excluded(data: Comparisons, position: int) -> Columns:
    """The answers of people who are excluded as a whole; singly excluded ones are left out."""
    out = Exclusion.objects.in_force().filter(event=data.event, enrollment__isnull=False)
    theirs = Judgment.objects.standing().of_counted_origin().not_excluded_alone()
    which = Q(enrollment__in=out.values("enrollment"), ledger_seq__lte=position)
    columns = read_columns(data.event, wanted_state(data.event), which, theirs)
    asked = columns["question"] >= 0
    return {name: columns[name][asked].astype(np.int64) for name in NAMES}


def find_keys(data: Comparisons, columns: Columns) -> IntegerTable:
    """The sign of the key of each row's unit."""
    signs = np.full(len(columns["seq"]), UNKEYED, dtype=np.int64)
    for index, question in enumerate(data.questions):
        keyed = data.special[data.special[:, 1] == question]
        place = np.searchsorted(keyed[:, 0], columns["matchup"]).clip(max=max(len(keyed) - 1, 0))
        if len(keyed):
            found = (keyed[place, 0] == columns["matchup"]) & (columns["question"] == index)
            signs[found] = keyed[place[found], 2]
    return signs

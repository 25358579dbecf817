"""The contributor score S = accepted judgments × quality on controls, exact and as shown.

While the event runs people see a rank and a band that are updated in steps, and only together with
the public boards: ranks with every 100 judgments of the event, a contributor's quality also with
every 100 of their own. So nobody who checks after each answer learns whether it was a control. Both
are functions of the judgments up to a position of the ledger, and are rebuilt like everything else.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arena.events.lifecycle.transitions import freeze_time
from arena.events.models import Event
from arena.judging.models import LedgerBatch
from arena.judging.serving.schedule import count_turns_until_controls
from leaderboard.contributors.reliability import SIDES, credit_table, key_signs
from leaderboard.ratings import take
from leaderboard.trust.gaps import UNKEYED
from leaderboard.trust.quality import (
    MIN_CONTROLS_FOR_QUALITY,
    UNRATED,
    estimate_quality,
    last_look,
    rank_scores,
    to_band,
)
from leaderboard.votes.queries import IntegerTable
from leaderboard.votes.table import Comparisons

JUDGMENTS_PER_STEP = 100
"""Shown ranks are updated every this many counted judgments of the event."""


def score_contributors(data: Comparisons, judged: IntegerTable, shown_head: int) -> IntegerTable:
    """Quality and score, exact and in millionths, then shown rank and band: int64 (people, 4).

    judged: judgments in the order of `Comparisons.enrollments`; shown_head: the ledger position of
    the public snapshot, up to which ranks and bands go. -1 says "not rated".
    """
    answers, people = read_control_results(data), len(data.enrollments)
    exact = answers.quality(people)
    so_far = data.columns["contributor"][data.judgments][
        : count_behind_shown_ranks(data, shown_head)
    ]
    reached = np.bincount(so_far, minlength=people)
    return np.column_stack(
        [
            exact,
            multiply_scores(judged, exact),
            place_publicly(answers, reached, first_look(data.event)),
        ]
    )


def place_publicly(answers: "ControlResults", reached: IntegerTable, first: int) -> IntegerTable:
    """Rank and band as people see them while the event runs: int64 (people, 2), -1 without one.

    answers: everything on controls; reached: each contributor's judgments up to the position where
    shown places stand; first: judgments until the first look at a contributor's quality.
    """
    shown = answers.among_first(last_look(reached, first)).quality(len(reached))
    return np.column_stack([rank_scores(multiply_scores(reached, shown)), to_band(shown)])


def first_look(event: Event) -> int:
    """Judgments after which the schedule has served everybody enough controls for a rating."""
    return count_turns_until_controls(MIN_CONTROLS_FOR_QUALITY, event.control_interval)


def multiply_scores(judged: IntegerTable, qualities: IntegerTable) -> IntegerTable:
    """Judgments times quality; -1 without a quality."""
    return np.where(qualities < 0, UNRATED, judged * qualities)


def count_behind_shown_ranks(data: Comparisons, shown_head: int) -> int:
    """Number of judgments behind the shown ranks: a multiple of 100, on the public board, before
    the freeze."""
    reached = int(np.count_nonzero(data.judgments & (data.columns["seq"] <= shown_head)))
    event = data.event
    if event.closes_at is not None:
        sealed = LedgerBatch.objects.filter(event=event, last_seq__lte=data.head)
        late = sealed.filter(sealed_at__gte=freeze_time(event, event.closes_at))
        first = late.order_by("first_seq").values_list("first_seq", flat=True).first()
        if first is not None:
            before = data.judgments & (data.columns["seq"] < min(first, shown_head + 1))
            reached = int(np.count_nonzero(before))
    return reached - reached % JUDGMENTS_PER_STEP


@dataclass(frozen=True, eq=False)
class ControlResults:
    """Counted answers to controls, one row each.

    contributor: index; credit: agreement with the key in [0, 1]; key: its sign; ordinal: 1-based
    index of the judgment among that contributor's counted judgments.
    """

    contributor: IntegerTable
    credit: npt.NDArray[np.float64]
    key: IntegerTable
    ordinal: IntegerTable

    def quality(self, people: int) -> IntegerTable:
        """Each contributor's quality in millionths; see `trust.quality`."""
        return estimate_quality(self.contributor, self.credit, self.key, credit_table(), people)

    def among_first(self, limits: IntegerTable) -> "ControlResults":
        """The answers among the first `limits` judgments of each contributor."""
        kept = self.ordinal <= limits[self.contributor]
        return ControlResults(
            self.contributor[kept], self.credit[kept], self.key[kept], self.ordinal[kept]
        )


def read_control_results(data: Comparisons) -> ControlResults:
    """Answers to controls in use, on the question for which the control has a key."""
    contributor, keyed = data.columns["contributor"], control_keys(data)
    order = stable_order(contributor)
    places = np.flatnonzero((keyed != UNKEYED)[order])
    rows = order[places]
    who, key = contributor[rows].astype(np.int64), keyed[rows].astype(np.int64)
    side = np.sign(data.columns["outcome"][rows])
    credit = credit_table()[side - SIDES[0], key - SIDES[0]]
    judged = np.bincount(contributor[data.judgments], minlength=len(data.enrollments))
    ordinal = np.cumsum(data.judgments[order])[places] - (np.cumsum(judged) - judged)[who]
    return ControlResults(who, credit, key, ordinal)


def control_keys(data: Comparisons) -> npt.NDArray[np.int8]:
    """Sign of the key for each row: int8 (n,), `UNKEYED` for rows of no control."""
    matchup, question = data.columns["matchup"], data.columns["question"]
    keyed = np.full(len(matchup), UNKEYED, dtype=np.int8)
    for index, asked in enumerate(data.questions):
        np.copyto(keyed, take(key_signs(data, asked), matchup), where=question == index)
    return keyed


def stable_order(index: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Indices that sort non-negative numbers stably.

    By 16 bits at a time, which numpy sorts ten times as fast as whole numbers.
    """
    order = np.argsort(index.astype(np.uint16), kind="stable")
    high = (index >> 16).astype(np.uint16)
    return order[np.argsort(high[order], kind="stable")] if high.any() else order

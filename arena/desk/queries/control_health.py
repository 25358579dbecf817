"""How each control does: who has met it, who passed, and what has changed on the way."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median

import numpy as np
from django.db.models import Count

from arena.events.models import Control, Event
from arena.events.records.controls import controls_of
from arena.judging.models import Answer, Assignment, Judgment
from arena.questions import KINDS
from leaderboard.models import Reliability
from leaderboard.trust.cusum import Jump, find_jump
from leaderboard.trust.shares import wilson_limits

READS, RELIABLE = 0.5, 0.8
"""Whoever reads more probably than not is asked how hard a control is; of the reliable, who miss
it, whether its key is right."""
OVEREXPOSED = 2.0
"""Times the median of showings."""
BINS = 10


@dataclass(frozen=True)
class ControlHealth:
    """One control. answers: counted ones, in the ledger's order, and of people who read; rate, low,
    high: share of the latter that passed, with its 95% interval, None without any; course: that
    share in parts of ten or more answers; missed: reliable people who failed it; showings: how
    often it was shown; jump: whether the share has jumped; is_overexposed: whether it was shown
    more than twice as often as the median control."""

    control: Control
    answers: int
    by_readers: int
    rate: float | None
    low: float | None
    high: float | None
    course: list[float]
    reliable: int
    missed: int
    showings: int
    jump: Jump | None
    is_overexposed: bool

    @property
    def is_doubtful(self) -> bool:
        """Whether half of the reliable people or more, and three at least, failed it."""
        return self.missed >= 3 and 2 * self.missed >= self.reliable


@dataclass(frozen=True)
class MetControl:
    """One answer: whether it is as expected, and what is known of who gave it."""

    passed: bool
    reads: float | None
    overall: float | None


def measure_controls(event: Event) -> list[ControlHealth]:
    """All controls of the event, retired ones last."""
    controls = controls_of(event)
    answers, shown = read_answers(event, controls), count_showings(event)
    usual = median(shown.get(one.matchup_id, 0) for one in controls) if controls else 0
    return [
        describe(one, answers[one.matchup_id], shown.get(one.matchup_id, 0), usual)
        for one in controls
    ]


def describe(control: Control, met: list[MetControl], showings: int, usual: float) -> ControlHealth:
    """The health of one control; usual: the median of all showings."""
    readers = np.array([one.passed for one in met if one.reads is None or one.reads >= READS])
    passed = readers.astype(bool)
    rate, low, high = summarize(passed)
    reliable = [one for one in met if one.overall is not None and one.overall >= RELIABLE]
    return ControlHealth(
        control=control,
        answers=len(met),
        by_readers=len(passed),
        rate=rate,
        low=low,
        high=high,
        course=split_course(passed),
        reliable=len(reliable),
        missed=sum(not one.passed for one in reliable),
        showings=showings,
        jump=find_jump(passed),
        is_overexposed=showings > OVEREXPOSED * usual > 0,
    )


def summarize(passed: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> tuple[float | None, ...]:
    """The share of passes and its 95% interval."""
    if not len(passed):
        return None, None, None
    share, n = np.array([passed.mean()]), np.array([len(passed)])
    low, high = wilson_limits(share, n)
    return float(share[0]), float(low[0]), float(high[0])


def split_course(passed: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> list[float]:
    """The share of passes in up to ten parts, each of ten answers or more; none of fewer than two
    parts."""
    parts = min(BINS, len(passed) // BINS)
    if parts < 2:
        return []
    return [float(part.mean()) for part in np.array_split(passed, parts)]


def read_answers(event: Event, controls: list[Control]) -> dict[int, list[MetControl]]:
    """The counted answers to each control on the question of its key, in the ledger's order."""
    keys = {one.matchup_id: (one.question_id, one.key) for one in controls}
    known = {
        enrollment: (reads, overall)
        for enrollment, reads, overall in Reliability.objects.filter(event=event).values_list(
            "enrollment", "reads", "overall"
        )
    }
    counted = Judgment.objects.counted().filter(event=event, matchup__in=list(keys))
    rows = Answer.objects.filter(judgment__in=counted, outcome__isnull=False).order_by(
        "judgment__ledger_seq", "judgment"
    )
    kind, found = KINDS["preference"], defaultdict(list)
    for matchup, question, outcome, enrollment in rows.values_list(
        "judgment__matchup", "question", "outcome", "judgment__enrollment"
    ):
        asked, key = keys[matchup]
        if question == asked:
            passed = kind.credit({"outcome": outcome}, key) == 1.0
            found[matchup].append(MetControl(passed, *known.get(enrollment, (None, None))))
    return found


def count_showings(event: Event) -> dict[int, int]:
    """How often each control was shown, by matchup."""
    shown = Assignment.objects.filter(enrollment__event=event, matchup__role="control")
    counts = shown.filter(shown_at__isnull=False).order_by().values("matchup")
    return dict(counts.annotate(n=Count("pk")).values_list("matchup", "n"))

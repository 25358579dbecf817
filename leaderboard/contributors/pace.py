"""How fast people judge: a hint, beside the crowd's, that decides nothing."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db.models import F

from arena.events.models import Event
from arena.judging.models import Judgment, Origin
from leaderboard.ratings import Floats
from leaderboard.votes.queries import IntegerTable, MillisecondsBetween, read_integer_rows

LOG_UNIT = 1_000_000
"""Logarithms are added up as whole millionths, so that their order makes no difference."""
BOUNDS = (100, 3_600_000)
"""Milliseconds outside of these count as the nearer of them: a page may be left open."""


@dataclass(frozen=True, eq=False)
class Pace:
    """mean, squares: float64 (people,), of the natural logarithms of seconds from shown to answered
    and of their squares, NaN where nothing is known of them."""

    mean: Floats
    squares: Floats

    def describe_crowd(self, counted: npt.NDArray[np.bool_]) -> tuple[float | None, float | None]:
        """Mean and standard deviation of single answers, each of these people weighing alike; None
        with fewer than two of them."""
        timed = counted & np.isfinite(self.mean)
        if np.count_nonzero(timed) < 2:
            return None, None
        mean = float(self.mean[timed].mean())
        return mean, float(np.sqrt(max(self.squares[timed].mean() - mean**2, 0.0)))


def measure_pace(event: Event, position: int, enrollments: IntegerTable) -> Pace:
    """How fast each contributor answered, by their judgments up to a place in the ledger."""
    timed = Judgment.objects.standing().filter(
        event=event,
        origin__in=(Origin.SCREEN, Origin.SIMULATED),
        ledger_seq__lte=position,
        judged_at__isnull=False,
        assignment__shown_at__isnull=False,
    )
    took = MillisecondsBetween(F("judged_at"), F("assignment__shown_at"))
    rows = timed.annotate(took=took).values_list("enrollment", "took")
    sums, squares, counts = (np.zeros(len(enrollments), dtype=np.int64) for _ in range(3))
    for table in read_integer_rows(rows):
        known = table[np.isin(table[:, 0], enrollments)]
        who = np.searchsorted(enrollments, known[:, 0])
        logs = np.log(np.clip(known[:, 1], *BOUNDS) / 1000.0)
        np.add.at(sums, who, np.rint(logs * LOG_UNIT).astype(np.int64))
        np.add.at(squares, who, np.rint(logs**2 * LOG_UNIT).astype(np.int64))
        np.add.at(counts, who, 1)
    total = np.maximum(counts, 1) * LOG_UNIT
    mean, square = (np.where(counts > 0, sum_ / total, np.nan) for sum_ in (sums, squares))
    return Pace(mean, square)

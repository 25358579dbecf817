"""How fast people judge: a hint, beside the crowd's, that decides nothing."""

import numpy as np
from django.db.models import F

from arena.events.models import Event
from arena.judging.models import Judgment, Origin
from leaderboard.ratings import Floats
from leaderboard.votes.queries import IntegerTable, MillisecondsBetween, read_integer_rows

LOG_UNIT = 1_000_000
"""Logarithms are added up as whole millionths, so that their order makes no difference."""
MIN_MILLISECONDS = 100


def measure_pace(event: Event, position: int, enrollments: IntegerTable) -> Floats:
    """Mean natural logarithm of the seconds from shown to answered, of each contributor's judgments
    up to a place in the ledger: float64 (people,), NaN where nothing is known of it."""
    timed = Judgment.objects.standing().filter(
        event=event,
        origin=Origin.SCREEN,
        ledger_seq__lte=position,
        judged_at__isnull=False,
        assignment__shown_at__isnull=False,
    )
    took = MillisecondsBetween(F("judged_at"), F("assignment__shown_at"))
    rows = timed.annotate(took=took).values_list("enrollment", "took")
    sums, counts = (np.zeros(len(enrollments), dtype=np.int64) for _ in range(2))
    for table in read_integer_rows(rows):
        known = table[np.isin(table[:, 0], enrollments)]
        who = np.searchsorted(enrollments, known[:, 0])
        seconds = np.maximum(known[:, 1], MIN_MILLISECONDS) / 1000.0
        np.add.at(sums, who, np.rint(np.log(seconds) * LOG_UNIT).astype(np.int64))
        np.add.at(counts, who, 1)
    mean: Floats = np.where(counts > 0, sums / np.maximum(counts, 1) / LOG_UNIT, np.nan)
    return mean

"""The contributor score S = judgments under the daily cap × quality, exact and as shown.

Quality is max(0, min(L_c, L_o)): the lower 5% limits of R on controls and on all else. While the
event runs people see a rank and a band. Both rest on the judgments up to the place in the ledger
where reliabilities were computed last, and a person's band also on their own first look and every
100 judgments after it; so nobody who checks after each answer learns whether it was a control.
"""

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from django.db.models import BigIntegerField, QuerySet, Value
from django.db.models.functions import Cast, Coalesce

from arena.events.models import Event
from arena.judging.serving.schedule import count_turns_until_controls
from leaderboard.models import Reliability, ReliabilityFit
from leaderboard.trust.quality import MIN_CONTROLS_FOR_QUALITY, UNRATED, rank_scores, to_band
from leaderboard.votes.queries import IntegerTable, read_integers
from leaderboard.votes.table import Comparisons, Mask

HOUR = 3600


def score_contributors(data: Comparisons) -> IntegerTable:
    """Judgments that are scored, quality and score, exact, then shown rank and band: int64
    (people, 5), quality and score in millionths, -1 for "not rated".

    In the order of `Comparisons.enrollments`.
    """
    quality, shown_quality = read_qualities(data).T
    fit = ReliabilityFit.objects.filter(event=data.event).first()
    scored = count_scored(data, data.judgments)
    behind = data.judgments & (data.columns["seq"] <= (fit.ledger_seq if fit else 0))
    shown = multiply_scores(count_scored(data, behind), shown_quality)
    # Whoever is not told apart from chance has no place.
    placed = np.where(shown > 0, shown, UNRATED)
    return np.stack(
        [
            scored,
            quality,
            multiply_scores(scored, quality),
            rank_scores(placed),
            to_band(shown_quality),
        ],
        1,
    )


def read_qualities(data: Comparisons) -> IntegerTable:
    """Each contributor's quality, exact and as shown, in millionths: int64 (people, 2)."""
    known: QuerySet[Reliability] = Reliability.objects.filter(event=data.event)
    columns = (
        Cast(Coalesce(name, Value(UNRATED)), BigIntegerField())
        for name in ("quality", "shown_quality")
    )
    table = read_integers(known.order_by("enrollment").values_list("enrollment", *columns))
    found = np.full((len(data.enrollments), 2), UNRATED, dtype=np.int64)
    here = np.isin(table[:, 0], data.enrollments)
    found[np.searchsorted(data.enrollments, table[here, 0])] = table[here, 1:]
    return found


def count_scored(data: Comparisons, among: Mask) -> IntegerTable:
    """Judgments of each contributor that are scored: of a day, in the event's time zone, up to the
    daily cap; those of an unknown time all.

    among: bool per row, true in one row of each judgment.
    """
    people, cap = len(data.enrollments), data.event.daily_cap
    who = data.columns.select("contributor", among).astype(np.int64)
    hours = data.columns.select("hour", among)
    known, day = number_days(hours, data.event)
    days = int(day.max(initial=0)) + 1
    a_day = np.unique(who[known] * days + day[known], return_counts=True)
    counted = np.bincount(
        a_day[0] // days, np.minimum(a_day[1], cap).astype(np.float64), minlength=people
    )
    return counted.astype(np.int64) + np.bincount(who[~known], minlength=people)


def number_days(hours: npt.NDArray[np.signedinteger], event: Event) -> tuple[Mask, IntegerTable]:
    """Bool per row, whether its time is known, and the number of its day, from 0 on."""
    known = hours >= 0
    distinct, place = np.unique(hours, return_inverse=True)
    zone = event.zone()
    ordinals = np.array(
        [
            datetime.fromtimestamp(int(hour) * HOUR, UTC).astimezone(zone).toordinal()
            if hour >= 0
            else 0
            for hour in distinct
        ],
        dtype=np.int64,
    )
    first = int(ordinals[distinct >= 0].min(initial=ordinals.max(initial=0)))
    days: IntegerTable = np.maximum(ordinals - first, 0)[place]
    return known, days


def first_look(event: Event) -> int:
    """Judgments after which the schedule has served everybody enough controls for a rating."""
    return count_turns_until_controls(MIN_CONTROLS_FOR_QUALITY, event.control_interval)


def multiply_scores(judged: IntegerTable, qualities: IntegerTable) -> IntegerTable:
    """Judgments times quality; -1 without a quality."""
    return np.where(qualities < 0, UNRATED, judged * qualities)

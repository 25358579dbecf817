"""Counts for a snapshot's details: origins, votes over time, pairs, how a board was computed.

How sure a board is, and what would change it, is in leaderboard/boards/diagnostics.py.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from leaderboard.boards.fit import FittedBoard
from leaderboard.boards.snapshot_details import FitSummary, JudgmentsOverTime
from leaderboard.boards.style_fit import StyleBoard
from leaderboard.ratings import MAX_OUTCOME, Counts
from leaderboard.votes.table import Comparisons
from leaderboard.votes.vote_rows import ORIGINS

MAX_HOURLY_SPAN = timedelta(days=7)
MAX_DAILY_SPAN = timedelta(days=120)
"""Spans up to these are shown per hour, or per day; longer ones per week."""
HOUR = 3600


def count_origins(data: Comparisons) -> dict[str, int]:
    """Judgments of the public count by where they came from."""
    seen = np.bincount(data.columns["origin"][data.judgments], minlength=len(ORIGINS))
    seen += np.bincount(data.late[:, 1], minlength=len(ORIGINS))
    return {name: int(n) for name, n in zip(ORIGINS, seen, strict=True) if n}


def count_over_time(data: Comparisons) -> JudgmentsOverTime:
    """Judgments of the public count per hour, day or week of the event's own time zone."""
    hours = np.append(data.columns["hour"][data.judgments], data.late[:, 2])
    known = hours[hours >= 0]
    unknown = len(hours) - len(known)
    if len(known) == 0:
        return JudgmentsOverTime(unknown=unknown)
    first = int(known.min())
    per_hour = np.bincount(known - first)
    span = timedelta(hours=len(per_hour))
    if span <= MAX_HOURLY_SPAN:
        start = datetime.fromtimestamp(first * HOUR, UTC)
        return JudgmentsOverTime(
            unit="hour",
            start=start.isoformat(),
            counts=tuple(int(n) for n in per_hour),
            unknown=unknown,
        )
    days = sum_per_day(first, per_hour, data)
    unit, step = ("day", 1) if span <= MAX_DAILY_SPAN else ("week", 7)
    begin = min(days) - timedelta(days=min(days).weekday() if step == 7 else 0)
    counts = [0] * ((max(days) - begin).days // step + 1)
    for day, n in days.items():
        counts[(day - begin).days // step] += n
    return JudgmentsOverTime(
        unit=unit, start=begin.isoformat(), counts=tuple(counts), unknown=unknown
    )


def sum_per_day(first: int, per_hour: Any, data: Comparisons) -> Counter[date]:
    """Counts per calendar day in the event's time zone."""
    zone, days = data.event.zone(), Counter[date]()
    for hour in np.flatnonzero(per_hour):
        moment = datetime.fromtimestamp((first + int(hour)) * HOUR, UTC)
        days[moment.astimezone(zone).date()] += int(per_hour[hour])
    return days


def flatten_pairs(counts: Counts) -> tuple[int, ...]:
    """Head-to-head counts in one flat list: i, j, wins of i, ties, wins of j, for i < j."""
    won = counts.votes[MAX_OUTCOME + 1 :].sum(0) + counts.votes[:MAX_OUTCOME].sum(0).T
    tied = counts.votes[MAX_OUTCOME] + counts.votes[MAX_OUTCOME].T
    i, j = np.nonzero(np.triu(won + won.T + tied, 1))
    table = np.stack([i, j, won[i, j], tied[i, j], won[j, i]], axis=1)
    return tuple(int(n) for n in table.ravel())


def summarize_fit(board: FittedBoard | StyleBoard) -> FitSummary:
    """How a board was computed, for the page to say."""
    return FitSummary(
        votes=board.votes,
        components=board.fit.field.components,
        interval=str(board.covariance.method),
        clusters=tuple(board.covariance.clusters),
        note=board.covariance.note,
        iterations=board.fit.iterations,
    )

"""When the two models at the top can be told apart, at the pace at which people judge now."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from arena.events.models import Event
from leaderboard.boards.snapshot_details import SnapshotDetails, board_key
from leaderboard.models import Rating, Snapshot

MAX_FORECAST = timedelta(days=365)


@dataclass(frozen=True)
class LeaderForecast:
    """The top two models of the overall board, and when they can be told apart.

    verdict: as in `leaderboard.boards.diagnostics.neighbours`; on: when as many votes are there as
    would separate them, null where they need none, nobody judges, or it would take over a year.
    """

    leader: str
    challenger: str
    verdict: str
    on: datetime | None


def forecast_leader(
    event: Event, snapshot: Snapshot | None, last_day: int, now: datetime
) -> LeaderForecast | None:
    """The forecast that the snapshot holds, as a date; `last_day` counts its last judgments.

    Null where no two models are ranked yet. Once nothing more is handed out there is no pace.
    """
    question = event.questions.filter(kind="preference").first()
    if snapshot is None or question is None:
        return None
    key = board_key(question.pk, None, Rating.Weighting.RAW)
    board = SnapshotDetails.from_json(snapshot.details).board(key)
    top = next(iter(board.neighbours or ()), None)
    if top is None or board.fit is None:
        return None
    names = dict(event.competitors.values_list("pk", "name"))
    # Some judgments are answers to controls, which rate no model.
    votes_a_day = last_day * board.fit.votes / max(snapshot.judgments, 1)
    on = None
    if top.votes_needed and votes_a_day and event.is_open(now):
        wait = timedelta(days=min(top.votes_needed / votes_a_day, MAX_FORECAST.days))
        on = now + wait if wait < MAX_FORECAST else None
    return LeaderForecast(names[top.leader], names[top.challenger], top.verdict, on)

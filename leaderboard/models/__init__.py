"""What follows from judgments: snapshots of the boards, their rows, contributors' reliability and
standings. All of it is derived and can be deleted and rebuilt from judgments and settings, except
confirmed winners and notices.
"""

from leaderboard.models.boards import Board, CategoryBoard, Rating, Snapshot, SnapshotQuerySet
from leaderboard.models.people import (
    Exposure,
    Reliability,
    ReliabilityFit,
    Standing,
    StandingQuerySet,
)
from leaderboard.models.results import Notice, Winner
from leaderboard.models.review import CaseEffect

__all__ = [
    "Board",
    "CaseEffect",
    "CategoryBoard",
    "Exposure",
    "Notice",
    "Rating",
    "Reliability",
    "ReliabilityFit",
    "Snapshot",
    "SnapshotQuerySet",
    "Standing",
    "StandingQuerySet",
    "Winner",
]

"""How the public board moved on a day, by the snapshots alone that the public pages have shown.

While an event hides its controls, both ends are rounded as the board itself is: nothing here says
more than two looks at the board did.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, pairwise
from operator import attrgetter

from django.db.models import Max
from django.db.models.functions import TruncDate

from arena.events.models import Event, Question
from leaderboard.contributors.public_head import holds_back
from leaderboard.models import Rating, Snapshot
from leaderboard.pages.board import strength_to_points
from leaderboard.pages.rounded_ratings import round_ratings


@dataclass(frozen=True)
class RankMove:
    """A model whose rank changed; None: without a rank."""

    model: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class BoardMoves:
    """What differs between two boards; shift: the largest difference of a rating, in points, and
    shifted, the model with it; None and "" where no rating differs."""

    before: datetime
    after: datetime
    ranks: list[RankMove]
    shift: float | None
    shifted: str

    @property
    def is_still(self) -> bool:
        """Whether no figure differs."""
        return not self.ranks and not self.shift


@dataclass(frozen=True)
class PastBoard:
    """The ratings of a board by the model's name, and when the public pages began to show it."""

    at: datetime
    ratings: dict[str, Rating]

    def rank(self, name: str) -> int | None:
        """A model's rank; None where it has none."""
        return self.ratings[name].rank if name in self.ratings else None


def find_board_moves(event: Event, days: Iterable[date]) -> dict[date, BoardMoves]:
    """The board of every vote equal over all records, as it stood at the end of the day before and
    at the end of each of these days; days without a new board, and that of the first, are left out.
    """
    question = event.questions.filter(kind="preference").first()
    if question is None:
        return {}
    ends, wanted = find_ends(event), set(days)
    pairs = {day: (ends[earlier], ends[day]) for earlier, day in pairwise(ends) if day in wanted}
    keys = {key for pair in pairs.values() for key in pair}
    boards = read_boards(question, keys, is_rounded=holds_back(event))
    return {day: compare(boards[before], boards[after]) for day, (before, after) in pairs.items()}


def find_ends(event: Event) -> dict[date, int]:
    """The last snapshot shown on each day on which one was, by primary key; oldest day first."""
    shown = Snapshot.objects.filter(event=event, published_at__isnull=False)
    by_day = shown.annotate(day=TruncDate("published_at", tzinfo=event.zone())).values("day")
    last = by_day.annotate(last=Max("pk")).order_by("day")
    return dict(last.values_list("day", "last"))


def read_boards(question: Question, keys: set[int], *, is_rounded: bool) -> dict[int, PastBoard]:
    """The boards of these snapshots, as the public may see them now."""
    boards = {
        key: PastBoard(at, {})
        for key, at in Snapshot.objects.filter(pk__in=keys).values_list("pk", "published_at")
        if at is not None
    }
    ratings = Rating.objects.filter(
        snapshot__in=keys, question=question, category=None, weighting=Rating.Weighting.RAW
    ).select_related("competitor")
    for key, of_one in groupby(ratings.order_by("snapshot", "pk"), attrgetter("snapshot_id")):
        listed = list(of_one)
        for rating in round_ratings(listed) if is_rounded else listed:
            boards[key].ratings[rating.competitor.name] = rating
    return boards


def compare(before: PastBoard, after: PastBoard) -> BoardMoves:
    """What differs between two boards, best ranks first."""
    names = sorted({*before.ratings, *after.ratings})
    ranks = [RankMove(name, before.rank(name), after.rank(name)) for name in names]
    moved = [move for move in ranks if move.before != move.after]
    shifts = {name: shift for name in names if (shift := measure_shift(before, after, name))}
    shifted = max(shifts, key=lambda name: shifts[name], default="")
    return BoardMoves(
        before=before.at,
        after=after.at,
        ranks=sorted(moved, key=lambda move: (move.after is None, move.after)),
        shift=shifts.get(shifted),
        shifted=shifted,
    )


def measure_shift(before: PastBoard, after: PastBoard, name: str) -> float | None:
    """By how many points a rating differs, to a tenth; None where a board does not have it."""
    one, other = before.ratings.get(name), after.ratings.get(name)
    if one is None or other is None or one.strength is None or other.strength is None:
        return None
    return round(abs(strength_to_points(other.strength) - strength_to_points(one.strength)), 1)

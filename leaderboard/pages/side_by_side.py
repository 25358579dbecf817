"""The unweighted board beside the one that is weighted by reliability."""

from dataclasses import dataclass, replace

from leaderboard.boards.columns import BoardRow
from leaderboard.models import Rating
from leaderboard.pages.board import read_table
from leaderboard.pages.shown_board import ShownBoard

RAW, WEIGHTED = Rating.Weighting.RAW, Rating.Weighting.WEIGHTED


@dataclass(frozen=True)
class ModelBeside:
    """A model on both boards."""

    raw: BoardRow
    weighted: BoardRow

    @property
    def change(self) -> float | None:
        """Points gained by the weights; None where either board does not rate it."""
        if self.raw.points is None or self.weighted.points is None:
            return None
        return self.weighted.points - self.raw.points

    @property
    def moves(self) -> bool:
        """Whether its rank differs."""
        return self.raw.rating.rank != self.weighted.rating.rank


def compare_weightings(shown: ShownBoard) -> list[ModelBeside]:
    """Every model on both boards, by the weighted rank; none where there is no weighted board, or
    where boards are rounded."""
    choice = shown.choice
    if shown.is_rounded or choice.weighting not in (RAW, WEIGHTED):
        return []
    other = replace(choice, weighting=RAW if choice.weighting == WEIGHTED else WEIGHTED)
    if not (shown.details.board(other.key).fit and shown.board.fit):
        return []
    mine = {row.rating.competitor_id: row for row in shown.table.everybody}
    theirs = {row.rating.competitor_id: row for row in read_table(shown.snapshot, other).everybody}
    raw, weighted = (mine, theirs) if choice.weighting == RAW else (theirs, mine)
    return [ModelBeside(raw[key], row) for key, row in weighted.items() if key in raw]

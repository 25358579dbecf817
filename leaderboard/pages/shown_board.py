"""Which snapshot a public board comes from, and what of it is shown.

While an event with controls runs, only unweighted boards are shown, rounded, each from the latest
snapshot that a batch has published; a category waits for batches of its own. Several boards of the
same votes, compared, would tell single ones, and a weight moves with its contributor's controls.
"""

from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from arena.errors import NotFoundError
from arena.events.lifecycle.batches import SMALLEST
from arena.events.models import Event
from leaderboard.boards.coarse_bias import coarsen_bias
from leaderboard.boards.snapshot_details import BoardDetails, FitSummary, SnapshotDetails
from leaderboard.contributors.public_head import holds_back
from leaderboard.models import Rating, Snapshot
from leaderboard.pages.board import BoardChoice, BoardTable, read_table

UNWEIGHTED = Rating.Weighting.RAW


@dataclass(frozen=True)
class ShownBoard:
    """A board as it is shown; is_rounded: whether in coarse figures."""

    snapshot: Snapshot
    choice: BoardChoice
    is_rounded: bool

    @cached_property
    def table(self) -> BoardTable:
        return read_table(self.snapshot, self.choice, is_rounded=self.is_rounded)

    @cached_property
    def details(self) -> SnapshotDetails:
        """What the snapshot keeps beside the rows; of a rounded board nothing of single boards but
        whether they could be computed, by which interval, and the coarse part of their bias."""
        details = SnapshotDetails.from_json(self.snapshot.details)
        if not self.is_rounded:
            return details
        people = self.snapshot.contributors
        boards = {key: hide_figures(board, people) for key, board in details.boards.items()}
        return SnapshotDetails(
            origins=details.origins,
            timeline=details.timeline,
            competitors=details.competitors,
            boards=boards,
        )

    @property
    def board(self) -> BoardDetails:
        return self.details.board(self.choice.key)


def hide_figures(board: BoardDetails, people: int) -> BoardDetails:
    """A board's details without a figure that a single vote shows in; people: how many contributors
    the public count names."""
    fit = FitSummary(votes=0, interval=board.fit.interval) if board.fit else None
    bias = coarsen_bias(board.bias, people) if board.bias else None
    return BoardDetails(why_not=board.why_not, fit=fit, bias=bias)


def find_public_board(event: Event, choice: BoardChoice) -> ShownBoard | None:
    """The board as everybody may see it; None where there is none yet, or none before the close."""
    is_rounded = holds_back(event)
    shown = Snapshot.objects.filter(board__event=event)
    if is_rounded and choice.weighting != UNWEIGHTED:
        return None
    if is_rounded and choice.category:
        shown = Snapshot.objects.filter(category_boards__category=choice.category)
    snapshot = shown.first()
    return ShownBoard(snapshot, choice, is_rounded) if snapshot else None


def find_latest_board(event: Event, choice: BoardChoice) -> ShownBoard | None:
    """The board of the latest snapshot in full figures, for those who look after the event."""
    latest = event.snapshots.order_by("-id").first()
    return ShownBoard(latest, choice, is_rounded=False) if latest else None


def explain_missing(choice: BoardChoice) -> str:
    """Why an event that hides its controls has boards, and not this one."""
    if choice.weighting != UNWEIGHTED:
        return _(
            "This board follows when the event closes. Beside the unweighted one, it would tell "
            "single judgments."
        )
    return _(
        "This category’s board follows once %(judgments)s judgments by at least %(people)s people "
        "are in, or when the event closes."
    ) % {"judgments": SMALLEST.judgments, "people": SMALLEST.people}


def require_public_board(event: Event, choice: BoardChoice) -> ShownBoard:
    """The same as `find_public_board`. Raises `NotFoundError` where there is none."""
    board = find_public_board(event, choice)
    if board is None:
        raise NotFoundError
    return board

"""An event's votes as a table of columns that boards and standings are computed from.

Nothing is read from the database here and nothing is written: see loading.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from arena.events.models import Event
from leaderboard.ratings import Votes, chunks, take
from leaderboard.votes.queries import IntegerTable
from leaderboard.votes.store import COLUMN_TYPES, Column, Columns, ColumnStore, StoreState

Mask = npt.NDArray[np.bool_]


class StoredColumns(Mapping[str, Column]):
    """Columns on disk, each read when accessed, since most are needed only once.

    Contributor and matchup are held in memory, as indices instead of primary keys.
    """

    def __init__(self, store: ColumnStore, state: StoreState, indices: Columns) -> None:
        self.store, self.state, self.indices = store, state, indices

    def __getitem__(self, name: str) -> Column:
        if name in self.indices:
            return self.indices[name]
        return self.store.read(self.state, (name,))[name]

    def select(self, name: str, mask: Mask) -> Column:
        """The rows of a column where the mask holds."""
        if name in self.indices:
            return self.indices[name][mask]
        return self.store.select(self.state, name, mask)

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMN_TYPES)

    def __len__(self) -> int:
        return len(COLUMN_TYPES)


@dataclass(frozen=True, eq=False)
class Comparisons:
    """An event's counted answers up to a ledger head: a row per judgment and preference question.

    head: the last ledger position that was read; competitors, questions: primary keys in
    index order; columns: see `store.COLUMN_TYPES`, in ledger order, except that contributor and
    matchup are indices; enrollments, matchups: the primary keys of these indices, ascending
    (matchups may include some without a row); ordinary: bool per row, whether it is of an ordinary
    matchup of two competitors and may enter a rating; special: the matchups that are not ordinary,
    see `special_matchups`; late: further judgments that enter public counts alone, see `read_late`.
    """

    event: Event
    head: int
    competitors: tuple[int, ...]
    questions: tuple[int, ...]
    columns: StoredColumns
    enrollments: IntegerTable
    matchups: IntegerTable
    ordinary: Mask
    special: IntegerTable
    late: IntegerTable

    @cached_property
    def judgments(self) -> Mask:
        """Bool per row, true in exactly one row of each judgment, to count judgments."""
        if len(self.questions) < 2:
            return np.ones(len(self.ordinary), dtype=bool)
        return np.diff(self.columns["seq"], prepend=0) > 0

    @property
    def public_judgments(self) -> int:
        """Judgments that the public count names."""
        return int(np.count_nonzero(self.judgments)) + len(self.late)

    @cached_property
    def public_contributors(self) -> IntegerTable:
        """Primary keys of who made them, ascending."""
        return np.union1d(self.enrollments, self.late[:, 0])

    def keys(self, question: int) -> IntegerTable:
        """Matchup index and sign of the key of each control in use on a question: int64 (n, 2)."""
        keyed = self.special[self.special[:, 1] == question]
        known = np.isin(keyed[:, 0], self.matchups, assume_unique=True)
        index = np.searchsorted(self.matchups, keyed[known, 0])
        return np.column_stack([index, keyed[known, 2]])

    def find_matchups(self, keys: IntegerTable) -> IntegerTable:
        """The indices, ascending, of those matchups of these primary keys that are in the table."""
        return np.flatnonzero(np.isin(self.matchups, keys, assume_unique=True))

    def of_matchups(self, indices: IntegerTable) -> Mask:
        """Bool per row: whether its matchup is among these."""
        among = np.zeros(len(self.matchups), dtype=bool)
        among[indices] = True
        return take(among, self.columns["matchup"])

    def rows(self, question: int) -> Mask:
        """Bool per row: whether it is an ordinary vote on a question."""
        chosen: Mask = self.columns["question"] == self.questions.index(question)
        return chosen & self.ordinary

    def votes(self, question: int, where: Mask | None = None) -> Votes:
        """The ordinary votes on a question (where a further mask holds), in ledger order."""
        chosen = self.rows(question)
        if where is not None:
            chosen &= where
        return Votes(
            len(self.competitors),
            self.columns.select("first", chosen),
            self.columns.select("second", chosen),
            self.columns.select("outcome", chosen),
            contributor=self.columns.select("contributor", chosen),
            matchup=self.columns.select("matchup", chosen),
        )


def assemble(
    event: Event, store: ColumnStore, state: StoreState, special: IntegerTable, late: IntegerTable
) -> Comparisons:
    """The table over stored columns; what is special or late is read anew each time."""
    indices = store.read(state, ("contributor", "matchup"))
    enrollments = renumber(indices["contributor"])
    matchups = shift_keys(indices["matchup"])
    is_special = np.isin(matchups, special[:, 0], assume_unique=True)
    ordinary = take(~is_special, indices["matchup"])
    for side in ("first", "second"):
        # A companion of a control shows responses that are nobody's, and rates nobody.
        ordinary &= store.read(state, (side,))[side] >= 0
    return Comparisons(
        event=event,
        head=state.head,
        competitors=state.competitors,
        questions=state.questions,
        columns=StoredColumns(store, state, indices),
        enrollments=enrollments,
        matchups=matchups,
        ordinary=ordinary,
        special=special,
        late=late,
    )


def renumber(keys: Column) -> IntegerTable:
    """The distinct keys, ascending; `keys` is replaced in place by indices into them."""
    if len(keys) == 0:
        return np.empty(0, dtype=np.int64)
    low = int(keys.min())
    keys -= low
    occurs = np.zeros(int(keys.max()) + 1, dtype=bool)
    for part in chunks(len(keys)):
        occurs[keys[part]] = True
    place = np.cumsum(occurs, dtype=keys.dtype) - 1
    take(place, keys, out=keys)
    return np.flatnonzero(occurs) + low


def shift_keys(keys: Column) -> IntegerTable:
    """Like `renumber`, but faster for dense keys: the result may contain keys that do not occur."""
    if len(keys) == 0 or int(keys.max()) - int(keys.min()) > 4 * len(keys):
        return renumber(keys)
    low = int(keys.min())
    keys -= low
    return np.arange(low, low + int(keys.max()) + 1)

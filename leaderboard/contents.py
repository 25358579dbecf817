"""What the votes' matchups consist of, as arrays: their prompts, and the style of their responses.

Both belong to matchups and not to votes, and are read once for each refresh. Of more votes than
`MOST` only some matchups are looked at: those that a fixed hash of their keys picks, so that votes
on one matchup stay together and it is the same ones every time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.db.models import BigIntegerField
from django.db.models.functions import Cast

from arena.events.models import Matchup, MatchupResponse
from leaderboard.arrays import Table, integer_rows
from leaderboard.comparisons import Comparisons, Mask
from leaderboard.ratings import Votes, covariates
from leaderboard.ratings.votes import Floats, Ids

MARKS = ("length", "headers", "bold", "lists", "code")
"""The columns of a response that `covariates` compares."""
MOST = 1_000_000
"""Votes up to which all are looked at."""
SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: keys multiplied by it end up all over the place."""


@dataclass(frozen=True, eq=False)
class Contents:
    """The responses of the picked matchups that have votes, a row each.

    picked: bool per matchup index; place: int64 (n,), ascending, the matchup's index times the
    number of competitors plus the competitor's index; prompt: int64 (n,), primary key of the
    record; marks: int32 (n, 5).
    """

    competitors: int
    picked: Mask
    place: Table
    prompt: Table
    marks: Ids

    @property
    def is_whole(self) -> bool:
        """Whether every matchup was picked."""
        return bool(self.picked.all())

    def sample(self, votes: Votes) -> Votes:
        """The votes on picked matchups."""
        return votes if self.is_whole else votes.take(self.picked[votes.matchup])

    def differences(self, votes: Votes) -> Floats:
        """The covariates of style for each vote: float64 (n, 5), first less second."""
        first, second = (
            self.marks[self.rows(votes, side)].astype(np.float64)
            for side in (votes.first, votes.second)
        )
        return covariates.differences(first, second, MARKS)

    def prompts(self, votes: Votes) -> Ids:
        """The prompt of each vote, numbered from 0 in the order of their keys."""
        keys = self.prompt[self.rows(votes, votes.first)]
        return np.unique(keys, return_inverse=True)[1].astype(np.int32)

    def rows(self, votes: Votes, side: Ids) -> Table:
        """Where the responses of one side of each vote are."""
        assert votes.matchup is not None
        wanted = votes.matchup.astype(np.int64) * self.competitors + side
        found = np.searchsorted(self.place, wanted).clip(max=len(self.place) - 1)
        if len(wanted) and not (len(self.place) and np.array_equal(self.place[found], wanted)):
            raise LookupError("a vote names a response that its matchup does not have")
        return found


def contents(data: Comparisons, most: int = MOST) -> Contents:
    """What the matchups of the event's ordinary votes consist of."""
    picked, size = pick(data, most), len(data.competitors)
    wanted = np.zeros(len(data.matchups), dtype=bool)
    wanted[data.columns["matchup"][data.ordinary]] = True
    parts = [np.empty((0, 3 + len(MARKS)), dtype=np.int64), *rows_of(data, wanted & picked)]
    table = np.concatenate(parts)
    place = table[:, 0] * size + np.searchsorted(data.competitors, table[:, 1])
    order = np.argsort(place)
    marks = np.ascontiguousarray(table[order, 3:], dtype=np.int32)
    return Contents(size, picked, place[order], table[order, 2], marks)


def pick(data: Comparisons, most: int) -> Mask:
    """Bool per matchup: all of them, or so many that about `most` votes are on them."""
    votes = int(np.count_nonzero(data.ordinary))
    if votes <= most:
        return np.ones(len(data.matchups), dtype=bool)
    hashed = data.matchups.astype(np.uint64) * SPREAD
    return np.asarray(hashed < np.uint64(most / votes * 2.0**64))


def rows_of(data: Comparisons, wanted: Mask) -> Iterator[Table]:
    """Rows of matchup index, competitor, record and marks, for the wanted matchups alone."""
    if not wanted.any():
        return
    shown = MatchupResponse.objects.filter(
        matchup__event=data.event,
        matchup__role=Matchup.Role.ORDINARY,
        response__competitor__isnull=False,
    )
    names = ("matchup", "response__competitor", "response__record")
    marks = (f"response__{name}" for name in MARKS)
    columns = (Cast(name, BigIntegerField()) for name in (*names, *marks))
    for table in integer_rows(shown.values_list(*columns)):
        index = np.searchsorted(data.matchups, table[:, 0]).clip(max=len(wanted) - 1)
        keep = wanted[index] & (data.matchups[index] == table[:, 0])
        table[:, 0] = index
        yield table[keep]

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

from arena.events.models import COVARIATES, Matchup, Response
from leaderboard.ratings import Floats, Ids, Votes, covariates
from leaderboard.votes.loading import Comparisons, Mask
from leaderboard.votes.queries import IntegerTable, read_integer_rows

STYLE_FIELDS = tuple(covariate.name for covariate in COVARIATES)
"""The columns of a response that are compared."""
MAX_VOTES_SCANNED = 1_000_000
"""Votes up to which all are looked at."""
HASH_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: keys multiplied by it end up all over the place."""


@dataclass(frozen=True, eq=False)
class Contents:
    """The records of the picked matchups, and what each competitor responded to them.

    picked: bool per matchup index; record: int64 per matchup index, its place among the records
    that have votes on picked matchups, -1 for none; place: int64 (n,), ascending, of a response:
    its record's place times the number of competitors plus the competitor's index; marks: int32
    (n, 5) of the same responses.
    """

    competitors: int
    picked: Mask
    record: IntegerTable
    place: IntegerTable
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
        return covariates.differences(first, second)

    def prompts(self, votes: Votes) -> Ids:
        """The prompt of each vote, numbered from 0 in the order of their keys."""
        assert votes.matchup is not None
        return np.unique(self.record[votes.matchup], return_inverse=True)[1].astype(np.int32)

    def rows(self, votes: Votes, side: Ids) -> IntegerTable:
        """Where the responses of one side of each vote are."""
        assert votes.matchup is not None
        wanted = self.record[votes.matchup] * self.competitors + side
        found = np.searchsorted(self.place, wanted).clip(max=len(self.place) - 1)
        if len(wanted) and not (len(self.place) and np.array_equal(self.place[found], wanted)):
            raise LookupError("a vote names a response that its record does not have")
        return found


def read_contents(data: Comparisons, most: int = MAX_VOTES_SCANNED) -> Contents:
    """What the matchups of the event's ordinary votes consist of."""
    picked, size = pick_matchups(data, most), len(data.competitors)
    wanted = np.zeros(len(data.matchups), dtype=bool)
    wanted[data.columns["matchup"][data.ordinary]] = True
    record = read_records(data, wanted & picked)
    keys = np.unique(record[record >= 0])
    parts = [np.empty((0, 1 + len(STYLE_FIELDS)), dtype=np.int64), *read_responses(data, keys)]
    table = np.concatenate(parts)
    order = np.argsort(table[:, 0])
    marks = np.ascontiguousarray(table[order, 1:], dtype=np.int32)
    place = np.where(record < 0, -1, np.searchsorted(keys, record))
    return Contents(size, picked, place, table[order, 0], marks)


def pick_matchups(data: Comparisons, most: int) -> Mask:
    """Bool per matchup: all of them, or so many that about `most` votes are on them."""
    votes = int(np.count_nonzero(data.ordinary))
    if votes <= most:
        return np.ones(len(data.matchups), dtype=bool)
    hashed = data.matchups.astype(np.uint64) * HASH_MULTIPLIER
    return np.asarray(hashed < np.uint64(most / votes * 2.0**64))


def read_records(data: Comparisons, wanted: Mask) -> IntegerTable:
    """Primary key of the record of each wanted matchup, -1 for the others."""
    record = np.full(len(wanted), -1, dtype=np.int64)
    if wanted.any():
        matchups = Matchup.objects.filter(event=data.event)
        for table in read_integer_rows(matchups.values_list("pk", "record")):
            index = np.searchsorted(data.matchups, table[:, 0]).clip(max=len(wanted) - 1)
            known = wanted[index] & (data.matchups[index] == table[:, 0])
            record[index[known]] = table[known, 1]
    return record


def read_responses(data: Comparisons, records: IntegerTable) -> Iterator[IntegerTable]:
    """Place (see `Contents`) and marks of each response to these records (ascending keys)."""
    if len(records) == 0:
        return
    given = Response.objects.filter(record__event=data.event, competitor__isnull=False)
    names = ("record", "competitor", *STYLE_FIELDS)
    columns = (Cast(name, BigIntegerField()) for name in names)
    for table in read_integer_rows(given.values_list(*columns)):
        index = np.searchsorted(records, table[:, 0]).clip(max=len(records) - 1)
        known = records[index] == table[:, 0]
        competitor = np.searchsorted(data.competitors, table[:, 1])
        table[:, 1] = index * len(data.competitors) + competitor
        yield table[known, 1:]

"""The records behind the votes' matchups, and the style of their responses, as arrays.

Both are read once per refresh. Above `MAX_VOTES_SCANNED` votes only a sample of the matchups is
used: those selected by a fixed hash of their primary keys, so that all votes on a matchup stay
together and the sample is the same at every refresh.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.db.models import BigIntegerField
from django.db.models.functions import Cast

from arena.events.models import COVARIATES, Matchup, Response
from leaderboard.ratings import Floats, Ids, Votes, covariates
from leaderboard.votes.queries import IntegerTable, read_integer_rows
from leaderboard.votes.table import Comparisons, Mask

STYLE_FIELDS = tuple(covariate.name for covariate in COVARIATES)
"""The columns of a response that are compared."""
MAX_VOTES_SCANNED = 1_000_000
"""With more votes than this, only a sample of the matchups is used."""
HASH_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""2**64 divided by the golden ratio: multiplying keys by it spreads them evenly over 64 bits."""


@dataclass(frozen=True, eq=False)
class MatchupContents:
    """Records of the sampled matchups, and the style of each competitor's response to them.

    picked: bool per matchup index, whether it is in the sample; record: int64 per matchup index,
    index of its record among those with votes on sampled matchups, -1 for the other matchups;
    response_key: int64 (n,), ascending, record index * competitors + competitor index of each
    response; style: int32 (n, covariates), the counts of the same responses.
    """

    competitors: int
    picked: Mask
    record: IntegerTable
    response_key: IntegerTable
    style: Ids

    @property
    def is_whole(self) -> bool:
        """Whether the sample is every matchup."""
        return bool(self.picked.all())

    def sample(self, votes: Votes) -> Votes:
        """The votes on sampled matchups."""
        return votes if self.is_whole else votes.take(self.picked[votes.matchup])

    def differences(self, votes: Votes) -> Floats:
        """Style differences of each vote, first minus second: float64 (n, covariates)."""
        first, second = (
            self.style[self.response_rows(votes, side)].astype(np.float64)
            for side in (votes.first, votes.second)
        )
        return covariates.differences(first, second)

    def prompts(self, votes: Votes) -> Ids:
        """Prompt id of each vote: int32 (n,), from 0 in the order of the records' primary keys."""
        assert votes.matchup is not None
        return np.unique(self.record[votes.matchup], return_inverse=True)[1].astype(np.int32)

    def response_rows(self, votes: Votes, side: Ids) -> IntegerTable:
        """Row, in `style`, of the response on one side of each vote. Raises LookupError."""
        assert votes.matchup is not None
        wanted = self.record[votes.matchup] * self.competitors + side
        found = np.searchsorted(self.response_key, wanted).clip(max=len(self.response_key) - 1)
        if len(wanted) and not (
            len(self.response_key) and np.array_equal(self.response_key[found], wanted)
        ):
            raise LookupError("a vote names a response that its record does not have")
        return found


def read_contents(data: Comparisons, most: int = MAX_VOTES_SCANNED) -> MatchupContents:
    """The contents of the matchups that the event's ordinary votes are on."""
    picked, size = pick_matchups(data, most), len(data.competitors)
    wanted = np.zeros(len(data.matchups), dtype=bool)
    wanted[data.columns["matchup"][data.ordinary]] = True
    record = read_records(data, wanted & picked)
    keys = np.unique(record[record >= 0])
    parts = [np.empty((0, 1 + len(STYLE_FIELDS)), dtype=np.int64), *read_responses(data, keys)]
    table = np.concatenate(parts)
    order = np.argsort(table[:, 0])
    style = np.ascontiguousarray(table[order, 1:], dtype=np.int32)
    record = np.where(record < 0, -1, np.searchsorted(keys, record))
    return MatchupContents(size, picked, record, table[order, 0], style)


def pick_matchups(data: Comparisons, most: int) -> Mask:
    """Bool per matchup: all, or a sample with about `most` votes on it."""
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
    """Response key and style of each response to these records, see `MatchupContents`."""
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

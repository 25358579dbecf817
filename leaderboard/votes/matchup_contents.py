"""The records behind the votes' matchups, and the style of their responses, as arrays.

Both are read once per refresh, and mostly remembered from the last one (`known_contents`). Above
`MAX_VOTES_SCANNED` votes only a sample of the matchups is used: those selected by a fixed hash of
their primary keys, so that all votes on a matchup stay together and the sample is the same at every
refresh.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leaderboard.ratings import Floats, Ids, Votes, covariates
from leaderboard.votes.known_contents import STYLE_FIELDS, KnownContents, load_known_contents
from leaderboard.votes.queries import IntegerTable
from leaderboard.votes.table import Comparisons, Mask

LENGTH = STYLE_FIELDS.index("length")
"""The covariate that counts words."""
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
        assert votes.matchup is not None
        first, second = (
            self.style[self.response_rows(votes.matchup, side)].astype(np.float64)
            for side in (votes.first, votes.second)
        )
        return covariates.differences(first, second)

    def longer(self, matchups: IntegerTable, first: Ids, second: Ids) -> npt.NDArray[np.int8]:
        """Which response of these matchups (by index, with both models' indices) has more words:
        int8 per matchup index, 1 the first, -1 the second, 0 where they are level and for all other
        matchups."""
        words, sampled = self.style[:, LENGTH], self.picked[matchups]
        chosen = matchups[sampled]
        longer = np.zeros(len(self.picked), dtype=np.int8)
        longer[chosen] = np.sign(
            words[self.response_rows(chosen, first[sampled])]
            - words[self.response_rows(chosen, second[sampled])]
        )
        return longer

    def prompts(self, votes: Votes) -> Ids:
        """Prompt id of each vote: int32 (n,), from 0 in the order of the records' primary keys."""
        assert votes.matchup is not None
        return np.unique(self.record[votes.matchup], return_inverse=True)[1].astype(np.int32)

    def response_rows(self, matchup: IntegerTable | Ids, side: Ids) -> IntegerTable:
        """Row, in `style`, of the response of one model in each matchup. Raises LookupError."""
        wanted = self.record[matchup] * self.competitors + side
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
    wanted &= picked
    known = load_known_contents(data.event, data.matchups[wanted])
    record = np.full(len(wanted), -1, dtype=np.int64)
    place = np.searchsorted(known.records[:, 0], data.matchups[wanted])
    record[wanted] = known.records[place, 1]
    keys = np.unique(record[wanted])
    response_key, style = list_styles(data, known, keys)
    record[wanted] = np.searchsorted(keys, record[wanted])
    return MatchupContents(size, picked, record, response_key, style)


def list_styles(
    data: Comparisons, known: KnownContents, records: IntegerTable
) -> tuple[IntegerTable, Ids]:
    """Response key and style of each response to these records, see `MatchupContents`."""
    table = known.responses[np.isin(known.responses[:, 0], records)]
    competitor = np.searchsorted(data.competitors, table[:, 1])
    key = np.searchsorted(records, table[:, 0]) * len(data.competitors) + competitor
    order = np.argsort(key)
    return key[order], np.ascontiguousarray(table[order, 2:], dtype=np.int32)


def pick_matchups(data: Comparisons, most: int) -> Mask:
    """Bool per matchup: all, or a sample with about `most` votes on it."""
    votes = int(np.count_nonzero(data.ordinary))
    if votes <= most:
        return np.ones(len(data.matchups), dtype=bool)
    hashed = data.matchups.astype(np.uint64) * HASH_MULTIPLIER
    return np.asarray(hashed < np.uint64(most / votes * 2.0**64))

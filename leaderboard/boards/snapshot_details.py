"""What a snapshot keeps beside its rows, typed: `Snapshot.details` is written and read through it.

`SnapshotDetails.from_json(snapshot.details)` reads every row there is, also those from before
there was a version; what earlier code did not keep has a default. Strengths are natural-log,
models are primary keys; None stands for "cannot be said". What the public reads of it is declared
apart (leaderboard/pages/board_json.py): a field more here publishes nothing.
"""

from dataclasses import dataclass, field
from typing import Any

from leaderboard.boards.bias_details import BiasPanel
from leaderboard.boards.typed_json import from_json, merged, optional, to_json

VERSION = 1
"""Raised whenever a key gets another meaning; a further key with a default needs no new one."""


@dataclass(frozen=True, kw_only=True)
class JudgmentsOverTime:
    """Judgments of the public count per hour, day or week of the event's own time zone.

    unit: hour, day or week; start: ISO, of the first bin; both None without any time; unknown:
    judgments without a time.
    """

    unit: str | None = optional()
    start: str | None = optional()
    counts: tuple[int, ...] = ()
    unknown: int = 0


@dataclass(frozen=True, kw_only=True)
class NeighbourTest:
    """Two models next to each other in rank, with what is known of them.

    difference, low, high: log-strength, limits of 95% for this pair by itself; adjusted: Holm's p
    among all pairs of the board; verdict: separated, not_yet, tied or too_few; votes_needed: how
    many more, of all models in the same mix, would separate a pair that is not_yet.
    """

    leader: int
    challenger: int
    difference: float
    low: float | None
    high: float | None
    adjusted: float
    verdict: str
    votes_needed: int | None


@dataclass(frozen=True, kw_only=True)
class UnseatingVotes:
    """How many votes, dropped or flipped, bring the challenger level with the leader."""

    votes: int
    leader: int
    challenger: int


@dataclass(frozen=True, kw_only=True)
class ContributorInfluence:
    """The most that leaving out one of the contributors does.

    move: log-strength; unranks: whether somebody is no longer rated then; changes_first: whether
    somebody else is first.
    """

    contributors: int
    move: float
    unranks: bool
    changes_first: bool


@dataclass(frozen=True, kw_only=True)
class GradingEffect:
    """What counting "much better" for more changes: Kendall's tau, and places moved at most."""

    tau: float
    moved: int


@dataclass(frozen=True, kw_only=True)
class TieEffect:
    """Davidson's model: how often equals tie, and places moved at most."""

    percent: float
    moved: int


@dataclass(frozen=True, kw_only=True)
class WidthRatio:
    """Intervals of other clusters against the board's own: the median ratio of widths."""

    ratio: float
    clusters: int


@dataclass(frozen=True, kw_only=True)
class StyleCoefficient:
    """What twice as much of a covariate is worth, in log-strength with limits.

    `spread` is the root mean square of its differences: times that over `doubling`, the values
    are per root mean square.
    """

    name: str
    spread: float
    doubling: float
    worth: float
    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class FitSummary:
    """How a board was computed: see `leaderboard.ratings.Covariance` for interval and note."""

    votes: int
    components: int = 0
    interval: str = ""
    clusters: tuple[int, ...] = ()
    note: str = ""
    iterations: int = 0


@dataclass(frozen=True, kw_only=True)
class OtherMethods:
    """What other methods say of the same votes, where somebody leads."""

    influence: ContributorInfluence | None = None
    graded: GradingEffect | None = None
    ties: TieEffect | None = None


@dataclass(frozen=True, kw_only=True)
class OtherIntervals:
    """Intervals by prompt and by bootstrap; of very many votes they are not computed."""

    prompts: WidthRatio | None = None
    bootstrap: WidthRatio | None = None


@dataclass(frozen=True, kw_only=True)
class StyleSummary:
    """Of a board at equal style: votes that were fitted, what was left out, what style is worth."""

    used: int
    left_out: tuple[str, ...]
    coefficients: tuple[StyleCoefficient, ...]


@dataclass(frozen=True, kw_only=True)
class BoardDetails:
    """One board of a snapshot.

    why_not: why it could not be computed, and then nothing else is there but its bias; p, pairs:
    flat, see `pairwise_tests` and `flatten_pairs`; neighbours: of boards over all records; pairs:
    of unweighted ones; unseating, by kind of change, the other methods and bias: of both.
    """

    why_not: str | None = optional()
    fit: FitSummary | None = merged()
    p: tuple[int, ...] | None = optional()
    neighbours: tuple[NeighbourTest, ...] | None = optional()
    pairs: tuple[int, ...] | None = optional()
    unseating: dict[str, UnseatingVotes] | None = optional()
    other_methods: OtherMethods | None = merged()
    other_intervals: OtherIntervals | None = merged()
    style: StyleSummary | None = merged()
    bias: BiasPanel | None = optional()


@dataclass(frozen=True, kw_only=True)
class SnapshotDetails:
    """All of it.

    origins: judgments of the public count by where they came from; competitors: primary keys in
    the order of the indices in flat rows; boards: by `board_key`.
    """

    version: int = VERSION
    origins: dict[str, int] = field(default_factory=dict)
    timeline: JudgmentsOverTime = JudgmentsOverTime()
    competitors: tuple[int, ...] = ()
    boards: dict[str, BoardDetails] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As `Snapshot.details` holds it."""
        kept: dict[str, Any] = to_json(self)
        return kept

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "SnapshotDetails":
        """What `Snapshot.details` holds; nothing of a superseded snapshot, which is emptied.

        Raises `ValueError` for a version of later code.
        """
        if kept.get("version", 0) > VERSION:
            raise ValueError(f"details of version {kept['version']}; this code knows {VERSION}")
        details: SnapshotDetails = from_json(cls, kept)
        return details

    def board(self, key: str) -> BoardDetails:
        """One board; an empty one where the snapshot has no such board."""
        return self.boards.get(key, NO_BOARD)


NO_BOARD = BoardDetails()


def board_key(question: int, category: int | None, weighting: str) -> str:
    """The name of one board among a snapshot's details."""
    return f"{question}/{category or 'all'}/{weighting}"

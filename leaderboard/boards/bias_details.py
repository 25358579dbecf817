"""What a snapshot keeps of the bias of a question's votes: part of `snapshot_details`.

Shares are of 1, with limits of 95%; models, opponents and categories are primary keys; None stands
for "cannot be said".
"""

from dataclasses import dataclass

from leaderboard.boards.typed_json import optional


@dataclass(frozen=True, kw_only=True)
class ShareEstimate:
    """A share of so many answers, with its limits."""

    share: float
    lower: float | None
    upper: float | None
    answers: int


@dataclass(frozen=True, kw_only=True)
class ShareChange:
    """A share among the fastest third of answers less that among the slowest, with its limits."""

    difference: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, kw_only=True)
class ShareByPace:
    """A share in each third, fastest first; None without answers in it."""

    thirds: tuple[ShareEstimate | None, ...]
    change: ShareChange | None


@dataclass(frozen=True, kw_only=True)
class PaceBias:
    """Seconds that the fastest third takes at most and the slowest more than, and what leans."""

    fast_seconds: float
    slow_seconds: float
    left: ShareByPace
    longer: ShareByPace
    ties: ShareByPace


@dataclass(frozen=True, kw_only=True)
class TopContributors:
    """The share of the votes that so many of the most active contributors made.

    equal: had all made equally many; lower, upper: had all been equally active, with chance.
    """

    contributors: int
    share: float
    equal: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, kw_only=True)
class ModelSide:
    """How often a model stood left, of the votes in which its side is known."""

    competitor: int
    share: float
    lower: float
    upper: float
    votes: int


@dataclass(frozen=True, kw_only=True)
class ModelOpponent:
    """The opponent whose share of a model's votes is furthest from what is expected."""

    competitor: int
    opponent: int
    share: float
    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class CategoryMix:
    """A category's share of each model's votes, in the order of `BiasPanel.models`."""

    category: int
    expected: float
    shares: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class BiasPanel:
    """What the votes on a question lean to, who made them, and how often models appear in them.

    used: how many of the votes the first four are of; left, longer, ties: see
    `leaderboard.trust.bias.Leanings`; pace: with seconds enough; contributors: who made a vote;
    models: those with votes; sides, opponents, categories: see `leaderboard.trust.appearances`,
    limits of each holding together; expected_opponent: what is expected of each share of
    opponents, None with fewer than three models; opponents_apart: how many of all shares of
    opponents leave it out.
    """

    votes: int
    used: int
    left: ShareEstimate | None
    longer: ShareEstimate | None
    ties: ShareEstimate | None
    pace: PaceBias | None = optional()
    contributors: int
    top: tuple[TopContributors, ...]
    models: tuple[int, ...]
    sides: tuple[ModelSide, ...]
    expected_opponent: float | None
    opponents: tuple[ModelOpponent, ...]
    opponents_apart: int
    categories: tuple[CategoryMix, ...]

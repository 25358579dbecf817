"""A board as public JSON: what is declared here is published, and nothing else.

What a snapshot keeps of a board (leaderboard/boards/snapshot_details.py) passes through
`PublicMethod` and the other dataclasses: a key that none of them names stays inside.
`docs/board.schema.json` is `board_schema()`, which follows from them and from the board's columns.
"""

from dataclasses import dataclass, replace
from typing import Any

from arena.events.models import Event
from arena.judging.models import Origin
from leaderboard.boards.columns import COLUMNS
from leaderboard.boards.typed_json import (
    PLAIN,
    documented,
    from_json,
    merged,
    optional,
    schema_of,
    to_json,
)
from leaderboard.models import Rating
from leaderboard.pages.bias_json import PublicBias, public_bias
from leaderboard.pages.board import read_pairs
from leaderboard.pages.downloads import flat_rows
from leaderboard.pages.shown_board import ShownBoard

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TIME = {"type": "string", "format": "date-time"}
WEIGHTINGS = {"enum": Rating.Weighting.values}
ORIGINS = {
    "type": "object",
    "propertyNames": {"enum": Origin.values},
    "additionalProperties": {"type": "integer"},
}
ROWS = {"type": "array", "items": {"$ref": "#/$defs/Row"}}


@dataclass(frozen=True, kw_only=True)
class PublicInfluence:
    """The most that leaving out one of the contributors does; nothing says who that is."""

    contributors: int = documented("How many contributors there are.")
    move: float = documented("By how much a rating moves, in natural-log strength.")
    unranks: bool = documented("Whether some model could not be rated any more.")
    changes_first: bool = documented("Whether another model would be first.")


@dataclass(frozen=True, kw_only=True)
class PublicGrading:
    """What counting "much better" for more than "better" changes."""

    tau: float = documented("Kendall's τ between the two orders.")
    moved: int = documented("Places by which a model moves, at most.")


@dataclass(frozen=True, kw_only=True)
class PublicTies:
    """Ties as an outcome of their own (Davidson's model)."""

    percent: float = documented("How often two equal models tie, in percent.")
    moved: int = documented("Places by which a model moves, at most.")


@dataclass(frozen=True, kw_only=True)
class PublicWidths:
    """Intervals computed in another way."""

    ratio: float = documented("How many times as wide as the board's own, in the median.")
    clusters: int = documented("How many prompts or contributors the votes come in.")


@dataclass(frozen=True, kw_only=True)
class PublicCoefficient:
    """What twice as much of one mark of style is worth, in natural-log strength."""

    name: str = documented("The mark of style.")
    spread: float = documented("Root mean square of its differences.")
    doubling: float = documented("The difference that twice as much makes.")
    worth: float = documented("What that is worth.")
    lower: float = documented("Lower end of its 95% interval.")
    upper: float = documented("Upper end of its 95% interval.")


@dataclass(frozen=True, kw_only=True)
class PublicFit:
    """How the board was computed."""

    votes: int = documented("Votes on the board.")
    components: int = documented("Groups of models that share a scale.")
    interval: str = documented("The variance behind the intervals.")
    clusters: tuple[int, ...] = documented("How many contributors and matchups there are.")
    note: str = documented("Why it is not the two-way variance; empty where it is.")
    iterations: int = documented("Steps until the fit converged.")


@dataclass(frozen=True, kw_only=True)
class PublicOtherMethods:
    """What other methods say of the same votes."""

    influence: PublicInfluence | None = documented("Of unweighted boards over all records.")
    graded: PublicGrading | None = documented("Null where nobody said how much better.")
    ties: PublicTies | None = documented("Null where nothing can be said.")


@dataclass(frozen=True, kw_only=True)
class PublicOtherIntervals:
    """Intervals computed in other ways."""

    prompts: PublicWidths | None = documented("If the votes on one prompt depend on each other.")
    bootstrap: PublicWidths | None = documented("With the contributors weighed at random.")


@dataclass(frozen=True, kw_only=True)
class PublicStyle:
    """Of a board at equal style."""

    used: int = documented("Votes that were fitted.")
    left_out: tuple[str, ...] = documented("Marks of style whose worth the votes cannot tell.")
    coefficients: tuple[PublicCoefficient, ...] = documented("What the others are worth.")


@dataclass(frozen=True, kw_only=True)
class PublicMethod:
    """How the board was computed; empty where the event has no such board."""

    why_not: str | None = optional("Why it could not be computed; nothing else is there then.")
    fit: PublicFit | None = merged()
    other_methods: PublicOtherMethods | None = merged()
    other_intervals: PublicOtherIntervals | None = merged()
    style: PublicStyle | None = merged()


@dataclass(frozen=True, kw_only=True)
class PublicNeighbours:
    """Two models next to each other in rank."""

    leader: str = documented("The model that is ahead.")
    challenger: str = documented("The other one.")
    difference: float = documented("Between the two, in natural-log strength.")
    low: float | None = documented("Lower end of its 95% interval.")
    high: float | None = documented("Upper end of its 95% interval.")
    adjusted: float = documented("Holm's p among all pairs of the board.")
    verdict: str = documented(
        "What the test says of the two.",
        {"enum": ["separated", "not_yet", "tied", "too_few"]},
    )
    votes_needed: int | None = documented("How many more votes would separate the two.")


@dataclass(frozen=True, kw_only=True)
class PublicChange:
    """What brings a challenger level with the leader, or above."""

    votes: int = documented("How many votes it takes.")
    leader: str = documented("The model that is first.")
    challenger: str = documented("The one that comes level.")


@dataclass(frozen=True, kw_only=True)
class PublicUnseating:
    """What it takes to change the first place."""

    drop: PublicChange | None = optional("By leaving votes out.")
    flip: PublicChange | None = optional("By turning votes round.")


@dataclass(frozen=True, kw_only=True)
class PublicPair:
    """How two models met."""

    first: str = documented("One of the two.")
    second: str = documented("The other one.")
    first_won: int = documented("Votes that the first won.")
    tied: int = documented("Ties.")
    second_won: int = documented("Votes that the second won.")


@dataclass(frozen=True, kw_only=True)
class PublicBoard:
    """A board of a Crowd Arena event with what it was computed from."""

    event: str = documented("The event's name in addresses.")
    question: str = documented("The question's name.")
    category: str | None = documented("The category's name in addresses; null: all records.")
    weighting: str = documented("How votes count.", WEIGHTINGS)
    as_of: str = documented("When it was computed.", TIME)
    ledger_position: int = documented("The last judgment of the ledger that is in it.")
    rounded: bool = documented(
        "Whether figures are rounded, and those left out that a single vote shows in, because the"
        " event runs."
    )
    judgments: int = documented("Judgments that count, of every role.")
    contributors: int = documented("Who made them.")
    judgments_by_origin: dict[str, int] = documented("Where they come from.", ORIGINS)
    method: PublicMethod = documented("How it was computed.")
    ratings: tuple[dict[str, Any], ...] = documented("Ranked models first.", ROWS)
    neighbours: tuple[PublicNeighbours, ...] = documented("Over all records, best first.")
    unseating: PublicUnseating = documented("Of unweighted boards over all records.")
    pairs: tuple[PublicPair, ...] = documented("Unweighted, of pairs that have met.")
    bias: PublicBias | None = documented("Of unweighted boards over all records.")


def public_board(event: Event, shown: ShownBoard) -> dict[str, Any]:
    """The whole board with what it was computed from, as JSON."""
    snapshot, choice, details, board = shown.snapshot, shown.choice, shown.details, shown.board
    method = replace(board, fit=None) if shown.is_rounded else board
    # Not from the rows: a board that could not be computed has none, but its votes have pairs.
    names = dict(event.competitors.values_list("pk", "name"))
    found: dict[str, Any] = to_json(
        PublicBoard(
            event=event.slug,
            question=choice.question.name,
            category=choice.category.slug if choice.category else None,
            weighting=choice.weighting,
            as_of=snapshot.created_at.isoformat(),
            ledger_position=snapshot.ledger_seq,
            rounded=shown.is_rounded,
            judgments=snapshot.judgments,
            contributors=snapshot.contributors,
            judgments_by_origin=details.origins,
            method=from_json(PublicMethod, to_json(method)),
            ratings=tuple(flat_rows(shown.table)),
            neighbours=tuple(
                from_json(PublicNeighbours, name_models(to_json(pair), names))
                for pair in board.neighbours or ()
            ),
            unseating=from_json(
                PublicUnseating,
                {
                    change: name_models(to_json(kept), names)
                    for change, kept in (board.unseating or {}).items()
                },
            ),
            pairs=tuple(
                PublicPair(
                    first=names[first],
                    second=names[second],
                    first_won=won,
                    tied=tied,
                    second_won=lost,
                )
                for first, second, won, tied, lost in read_pairs(details, choice)
            ),
            bias=public_bias(board.bias, names, dict(event.categories.values_list("pk", "slug")))
            if board.bias
            else None,
        )
    )
    return found


def name_models(kept: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    """The same with the names of the two models for their keys."""
    return kept | {side: names[kept[side]] for side in ("leader", "challenger")}


def board_schema() -> dict[str, Any]:
    """The JSON Schema of `public_board`."""
    schema = schema_of(PublicBoard)
    schema["$defs"]["Row"] = {
        "type": "object",
        "description": "A model. Null where there is no value.",
        "properties": {
            column.name: {"type": [PLAIN[column.kind], "null"], "description": str(column.help)}
            for column in COLUMNS
        },
        "required": [column.name for column in COLUMNS],
        "additionalProperties": False,
    }
    return {"$schema": DIALECT, "title": "Board"} | schema

"""The bias panel of a board's public JSON: what is declared here is published, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass

from leaderboard.boards.bias_details import BiasPanel
from leaderboard.boards.typed_json import documented, from_json, to_json

LIMITS = "of its 95% interval"
JOINT = "of its interval; all those of the list hold together with 95%"


@dataclass(frozen=True, kw_only=True)
class PublicShare:
    """A share of answers, between 0 and 1."""

    share: float = documented("The share.")
    lower: float | None = documented(f"Lower end {LIMITS}; null where answers are of one person.")
    upper: float | None = documented(f"Upper end {LIMITS}.")
    answers: int = documented("How many answers it is of.")


@dataclass(frozen=True, kw_only=True)
class PublicShareChange:
    """A share among the fastest third of answers less that among the slowest."""

    difference: float = documented("The difference.")
    lower: float | None = documented(f"Lower end {LIMITS}.")
    upper: float | None = documented(f"Upper end {LIMITS}.")


@dataclass(frozen=True, kw_only=True)
class PublicByPace:
    """A share by pace."""

    thirds: tuple[PublicShare | None, ...] = documented(
        "Of the fastest, the middle and the slowest third; null without answers."
    )
    change: PublicShareChange | None = documented("Null where either has none.")


@dataclass(frozen=True, kw_only=True)
class PublicPace:
    """The three shares by how long answers took."""

    fast_seconds: float = documented("Seconds that the fastest third takes at most.")
    slow_seconds: float = documented("Seconds that the slowest third takes more than.")
    left: PublicByPace = documented("Of decided votes for the response on the left.")
    longer: PublicByPace = documented("Of decided votes for the longer response.")
    ties: PublicByPace = documented("Of ties.")


@dataclass(frozen=True, kw_only=True)
class PublicTop:
    """How much the most active contributors made."""

    contributors: int = documented("So many of them together.")
    share: float = documented("Their share of the votes.")
    equal: float = documented("What it would be had all made equally many.")
    lower: float | None = documented(
        "Lower end of where it would be with 95% had all been equally active; null while rounded."
    )
    upper: float | None = documented("Upper end of the same.")


@dataclass(frozen=True, kw_only=True)
class PublicSide:
    """How often a model stood left."""

    model: str = documented("The model.")
    share: float = documented("The share of its votes; ½ is expected.")
    lower: float = documented(f"Lower end {JOINT}.")
    upper: float = documented(f"Upper end {JOINT}.")
    votes: int = documented("Its votes whose sides are known.")


@dataclass(frozen=True, kw_only=True)
class PublicOpponent:
    """The opponent whose share of a model's votes is furthest from equal shares."""

    model: str = documented("The model.")
    opponent: str = documented("The opponent.")
    share: float = documented("The opponent's share.")
    lower: float = documented(f"Lower end {JOINT}, and with those of all other opponents.")
    upper: float = documented(f"Upper end {JOINT}, and with those of all other opponents.")


@dataclass(frozen=True, kw_only=True)
class PublicModelShare:
    """A category's share of a model's votes."""

    model: str = documented("The model.")
    share: float = documented("The share.")
    lower: float = documented(f"Lower end {JOINT}, and with those of all other categories.")
    upper: float = documented(f"Upper end {JOINT}, and with those of all other categories.")


@dataclass(frozen=True, kw_only=True)
class PublicCategoryMix:
    """A category in the votes of each model."""

    category: str = documented("The category's name in addresses.")
    expected: float = documented("Its share of the records that have votes.")
    models: tuple[PublicModelShare, ...] = documented("Its share of each model's votes.")


@dataclass(frozen=True, kw_only=True)
class PublicBias:
    """What the votes lean to, who made them, and how often models appear in them."""

    votes: int = documented("Votes on the board.")
    used: int = documented("Of how many of them the first four figures are.")
    left: PublicShare | None = documented("Of decided votes for the response on the left.")
    longer: PublicShare | None = documented("Of decided votes for the longer response.")
    ties: PublicShare | None = documented("Of ties.")
    pace: PublicPace | None = documented("Null where too few seconds are known, or not yet public.")
    contributors: int = documented("Who made the votes; as long as it is rounded, any judgment.")
    top: tuple[PublicTop, ...] = documented("The share of the votes that the most active made.")
    sides: tuple[PublicSide, ...] = documented("How often each model stood left.")
    expected_opponent: float | None = documented("Any opponent's share if all were met equally.")
    opponents: tuple[PublicOpponent, ...] = documented("All of them follow from the pairs.")
    opponents_apart: int = documented(
        "Of all opponents' shares, those whose interval leaves out what is expected."
    )
    categories: tuple[PublicCategoryMix, ...] = documented("The categories of each model's votes.")


def public_bias(
    panel: BiasPanel, models: Mapping[int, str], categories: Mapping[int, str]
) -> PublicBias:
    """The panel with names for keys: of models, and of categories in addresses."""
    return PublicBias(
        votes=panel.votes,
        used=panel.used,
        left=from_json(PublicShare | None, to_json(panel.left)),
        longer=from_json(PublicShare | None, to_json(panel.longer)),
        ties=from_json(PublicShare | None, to_json(panel.ties)),
        pace=from_json(PublicPace | None, to_json(panel.pace)),
        contributors=panel.contributors,
        top=tuple(from_json(PublicTop, to_json(top)) for top in panel.top),
        sides=tuple(
            from_json(PublicSide, to_json(side) | {"model": models[side.competitor]})
            for side in panel.sides
        ),
        expected_opponent=panel.expected_opponent,
        opponents=tuple(
            from_json(
                PublicOpponent,
                to_json(met) | {"model": models[met.competitor], "opponent": models[met.opponent]},
            )
            for met in panel.opponents
        ),
        opponents_apart=panel.opponents_apart,
        categories=tuple(
            PublicCategoryMix(
                category=categories[mix.category],
                expected=mix.expected,
                models=tuple(
                    PublicModelShare(model=models[model], share=share, lower=lower, upper=upper)
                    for model, share, lower, upper in zip(
                        panel.models, mix.shares, mix.lower, mix.upper, strict=True
                    )
                ),
            )
            for mix in panel.categories
        ),
    )

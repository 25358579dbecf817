"""Uncertainty of a board for the page: details of its snapshot in names, points and words."""

from dataclasses import asdict, dataclass
from typing import Any

from django.utils.text import get_text_list
from django.utils.translation import gettext

from arena.events.models import COVARIATES
from leaderboard.boards.snapshot_details import (
    BoardDetails,
    ContributorInfluence,
    FitSummary,
    NeighbourTest,
    OtherIntervals,
    OtherMethods,
)
from leaderboard.models import Rating
from leaderboard.pages.board import BoardChoice, BoardTable
from leaderboard.pages.board_figures import format_p
from leaderboard.ratings import MIN_CLUSTERS, scale
from leaderboard.votes.matchup_contents import MAX_VOTES_SCANNED

MAX_NEIGHBOURS_SHOWN = 5
"""Pairs of neighbours shown before the visitor asks for the rest."""
COVARIATE_LABELS = {covariate.name: covariate.heading for covariate in COVARIATES}


@dataclass(frozen=True)
class NeighbourPair:
    """Two models adjacent in rank; apart: their distance in points, low, high: 95% limits."""

    leader: str
    challenger: str
    apart: float
    low: float | None
    high: float | None
    p: str
    verdict: str
    votes_needed: int | None


def uncertainty_context(
    board: BoardDetails, choice: BoardChoice, table: BoardTable
) -> dict[str, Any]:
    """Context of the section on uncertainty; empty for categories and boards without ranks."""
    if not table.groups or board.neighbours is None:
        return {}
    names = {row.rating.competitor_id: row.rating.competitor.name for row in table.everybody}
    found = [to_neighbour_pair(kept, names) for kept in board.neighbours]
    is_raw = choice.weighting == Rating.Weighting.RAW
    methods = (is_raw and board.other_methods) or OtherMethods()
    intervals = (is_raw and board.other_intervals) or OtherIntervals()
    others = {
        "graded": methods.graded,
        "ties": methods.ties,
        "prompts": intervals.prompts,
        "bootstrap": intervals.bootstrap,
    }
    return {
        "neighbours": found[:MAX_NEIGHBOURS_SHOWN],
        "more": found[MAX_NEIGHBOURS_SHOWN:],
        "unseating": {
            change: {
                "votes": kept.votes,
                "leader": names[kept.leader],
                "challenger": names[kept.challenger],
            }
            for change, kept in ((is_raw and board.unseating) or {}).items()
        },
        "influence": describe_influence(methods.influence),
        "others": {name: kept for name, kept in others.items() if kept},
        "most": MAX_VOTES_SCANNED if is_raw and board.other_intervals is None else None,
    }


def to_neighbour_pair(kept: NeighbourTest, names: dict[int, str]) -> NeighbourPair:
    """A tested pair in names and points."""
    return NeighbourPair(
        names[kept.leader],
        names[kept.challenger],
        in_points(kept.difference) or 0.0,
        in_points(kept.low),
        in_points(kept.high),
        format_p(kept.adjusted),
        kept.verdict,
        round_votes(kept.votes_needed),
    )


def round_votes(votes: int | None) -> int | None:
    """A forecast of votes rounded to its two significant digits."""
    return votes and int(float(f"{votes:.2g}"))


def describe_influence(kept: ContributorInfluence | None) -> dict[str, Any] | None:
    """The largest effect of leaving out one contributor, in points."""
    return asdict(kept) | {"move": in_points(kept.move)} if kept else None


def in_points(width: float | None) -> float | None:
    """A difference of natural-log strengths in points."""
    return None if width is None else float(scale.spread_to_points(width))  # type: ignore[arg-type]


def style_coefficients(board: BoardDetails) -> list[dict[str, Any]]:
    """What doubling each covariate is worth in points; empty unless style-controlled."""
    return [
        {
            "label": COVARIATE_LABELS.get(kept.name, kept.name),
            "worth": in_points(kept.worth),
            "low": in_points(kept.lower),
            "high": in_points(kept.upper),
        }
        for kept in (board.style.coefficients if board.style else ())
    ]


def omitted_covariates(board: BoardDetails) -> list[Any]:
    """Headings of the covariates that the style-controlled board leaves out."""
    left_out = board.style.left_out if board.style else ()
    return [COVARIATE_LABELS.get(name, name) for name in left_out]


def list_covariates() -> str:
    """The units of all covariates as a phrase: "words, headers and …"."""
    return get_text_list([str(covariate.unit) for covariate in COVARIATES], gettext("and"))


def interval_context(fit: FitSummary | None) -> dict[str, Any]:
    """The method of a board's intervals, and why it is not the two-way one.

    `few` says that there were too few clusters for it; else it was not positive.
    """
    clusters = fit.clusters if fit else ()
    return {
        "method": fit.interval if fit else "",
        "clusters": clusters,
        "few": bool(clusters) and min(clusters) < MIN_CLUSTERS,
        "fewest": MIN_CLUSTERS,
    }

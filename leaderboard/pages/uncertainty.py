"""How sure a board is, from what its snapshot keeps, in names, points and words for the page."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from leaderboard.models import Rating, Snapshot
from leaderboard.pages.board import Choice, Table, board_of
from leaderboard.pages.figures import as_p
from leaderboard.ratings import MIN_CLUSTERS, scale
from leaderboard.votes.contents import MOST

FIRST = 5
"""Neighbours that are shown before the rest is asked for."""
MARKS = {
    "length": _("Length in words"),
    "headers": _("Headers"),
    "bold": _("Bold passages"),
    "lists": _("List items"),
    "code": _("Code blocks"),
}


@dataclass(frozen=True)
class Neighbours:
    """Two models next to each other in rank, the leader ahead, apart in points with 95% limits."""

    leader: str
    challenger: str
    apart: float
    low: float | None
    high: float | None
    p: str
    verdict: str
    votes_needed: int | None


def doubts_of(snapshot: Snapshot, choice: Choice, table: Table) -> dict[str, Any]:
    """What the section "How sure is this?" says; empty for a category or where nobody is ranked."""
    board = board_of(snapshot, choice.key)
    if not table.groups or "neighbours" not in board:
        return {}
    names = {row.rating.competitor_id: row.rating.competitor.name for row in table.everybody}
    found = [neighbours(kept, names) for kept in board["neighbours"]]
    raw = board if choice.weighting == Rating.Weighting.RAW else {}
    return {
        "neighbours": found[:FIRST],
        "more": found[FIRST:],
        "unseating": {
            change: kept
            | {"leader": names[kept["leader"]], "challenger": names[kept["challenger"]]}
            for change, kept in raw.get("unseating", {}).items()
        },
        "influence": influence(raw.get("influence")),
        "others": {name: kept for name in OTHERS if (kept := raw.get(name))},
        "most": MOST if raw and "prompts" not in raw else None,
    }


OTHERS = ("graded", "ties", "prompts", "bootstrap")
"""What is computed from the same votes in other ways."""


def neighbours(kept: dict[str, Any], names: dict[int, str]) -> Neighbours:
    """A pair as the page shows it."""
    return Neighbours(
        names[kept["leader"]],
        names[kept["challenger"]],
        in_points(kept["difference"]) or 0.0,
        in_points(kept["low"]),
        in_points(kept["high"]),
        as_p(kept["adjusted"]),
        kept["verdict"],
        about(kept["votes_needed"]),
    )


def about(votes: int | None) -> int | None:
    """A forecast of votes to two figures: it is not surer than that."""
    return votes and int(float(f"{votes:.2g}"))


def influence(kept: dict[str, Any] | None) -> dict[str, Any] | None:
    """What leaving out one contributor does at most, in points."""
    return kept and kept | {"move": in_points(kept["move"])}


def in_points(width: float | None) -> float | None:
    """A difference on the scale that people read."""
    return None if width is None else float(scale.spread_to_points(width))  # type: ignore[arg-type]


def worth_of_style(snapshot: Snapshot, choice: Choice) -> list[dict[str, Any]]:
    """What twice as much of each mark of style is worth in points; nothing on other boards."""
    return [
        {
            "label": MARKS[kept["name"]],
            "worth": in_points(kept["worth"]),
            "low": in_points(kept["lower"]),
            "high": in_points(kept["upper"]),
        }
        for kept in board_of(snapshot, choice.key).get("coefficients", [])
    ]


def without_worth(snapshot: Snapshot, choice: Choice) -> list[Any]:
    """The marks of style that a board at equal style leaves out."""
    return [MARKS[name] for name in board_of(snapshot, choice.key).get("left_out", [])]


def interval_of(method: dict[str, Any]) -> dict[str, Any]:
    """How a board's intervals came about: from which variance, and why not the two-way one.

    `few` says that there were too few clusters for it; else it was not positive.
    """
    clusters = method.get("clusters", [])
    return {
        "method": method.get("interval", ""),
        "clusters": clusters,
        "few": bool(clusters) and min(clusters) < MIN_CLUSTERS,
        "fewest": MIN_CLUSTERS,
    }

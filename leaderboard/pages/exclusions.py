"""The public ledger of exclusions: what the page and its JSON show of an event."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator

from arena.events.models import Event
from arena.judging.review.public_counts import DayCounts, ExclusionCounts, count_exclusions
from arena.judging.review.public_reasons import MIN_PEOPLE, Kind, ReasonLine
from leaderboard.pages.board_moves import BoardMoves, find_board_moves

DAYS_PER_PAGE = 30


@dataclass(frozen=True)
class LedgerDay:
    """A day with what was decided on it, and how the public board moved; None: no new one, or no
    earlier one."""

    counts: DayCounts
    board: BoardMoves | None


def build_ledger(event: Event, now: datetime, page: str | None) -> dict[str, Any]:
    """One page of days, newest first, and what is told beside them, as a template context."""
    counts = count_exclusions(event, now)
    days = Paginator(counts.days, DAYS_PER_PAGE).get_page(page)
    return {
        "counts": counts,
        "lines": sort_lines(counts.lines),
        "page": days,
        "days": add_boards(event, list(days)),
        "question": event.questions.filter(kind="preference").first(),
        "least": MIN_PEOPLE,
    }


def sort_lines(lines: Iterable[ReasonLine]) -> list[ReasonLine]:
    """Lines by what happened, named reasons first, the latest first."""
    kinds = Kind.values

    def place(line: ReasonLine) -> tuple[int, bool, int, str]:
        until = -line.until.toordinal() if line.until else 0
        return kinds.index(line.kind), not line.reason, until, line.reason

    return sorted(lines, key=place)


def add_boards(event: Event, days: list[DayCounts]) -> list[LedgerDay]:
    """The days with how the public board moved on each."""
    moves = find_board_moves(event, [counts.day for counts in days])
    return [LedgerDay(counts, moves.get(counts.day)) for counts in days]


def public_ledger(event: Event, now: datetime) -> dict[str, Any]:
    """The whole ledger as JSON."""
    counts = count_exclusions(event, now)
    return {
        "event": event.slug,
        "timezone": event.timezone,
        "as_of": now.isoformat(),
        "in_force": asdict(counts.in_force),
        "appeals": asdict(counts.appeals),
        "days": [describe_day(day) for day in add_boards(event, counts.days)],
        "reasons": [describe_line(line) for line in sort_lines(counts.lines)],
        "decided_alone": describe_alone(counts),
    }


def describe_day(day: LedgerDay) -> dict[str, Any]:
    """A day as JSON."""
    said = asdict(day.counts) | {"day": day.counts.day.isoformat()}
    if day.board is None:
        return said | {"board": None}
    times = {name: getattr(day.board, name).isoformat() for name in ("before", "after")}
    return said | {"board": asdict(day.board) | times}


def describe_line(line: ReasonLine) -> dict[str, Any]:
    """What is told of a reason as JSON; a reason of null: other reasons."""
    return {
        "kind": line.kind.value,
        "reason": line.reason or None,
        "until": line.until and line.until.isoformat(),
        **asdict(line.tally),
    }


def describe_alone(counts: ExclusionCounts) -> list[dict[str, Any]]:
    """Decisions of one person alone as JSON, newest first."""
    return [
        {"made_at": one.made_at.isoformat(), "act": one.act, "reason": one.reason or None}
        for one in counts.alone
    ]

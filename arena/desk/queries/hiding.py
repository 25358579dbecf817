"""What hides an event's controls, what more could be done, and what colluding accounts could find
out: for the page of controls and the checklist."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q

from arena.events.lifecycle.control_runs import ANCHORS_PER_CONTROL, matched_share
from arena.events.lifecycle.hiding import (
    MatchupPool,
    Regime,
    count_pool,
    describe_missing_responses,
    describe_regime,
)
from arena.events.models import Event, Matchup
from arena.events.records.anchors import count_anchors_offered
from arena.events.records.ties import count_ties_offered
from arena.judging.models import Assignment
from leaderboard.contributors.exposure import find_exposure, is_first_to_ask
from leaderboard.tasks import queue_exposure

MAX_TOLD = 60
"""Per cent of right answers, of 50 by guessing, up to which controls count as hidden."""


@dataclass(frozen=True)
class HidingReport:
    """What the page of controls says. anchors_offered, ties_offered: what the buttons would make.

    showings_left: how many more times the controls of a matched pool can be shown, None in any
    other pool; exhausted_at: since when none is left, so that turns of controls are ordinary.
    """

    pool: MatchupPool
    overlap: int
    sentence: str
    missing: str
    anchors_offered: int
    ties_offered: int
    showings_left: int | None
    exhausted_at: datetime | None

    @property
    def control_share(self) -> float:
        """The expected share of controls among all turns."""
        share = matched_share(self.pool.interval)
        return share / (1.0 + share)

    @property
    def judgments_left(self) -> int:
        """Judgments until no control is left."""
        return round((self.showings_left or 0) / self.control_share)

    @property
    def anchor_percent(self) -> int:
        """Of a hundred judgments, those of anchors."""
        return round(100 * ANCHORS_PER_CONTROL * self.control_share)

    @property
    def anchor_judgments(self) -> int:
        """Judgments of anchors until every ordinary matchup has its own, were those made that are
        offered."""
        pool = self.pool
        wanted = (pool.ordinary - self.anchors_offered + pool.companions) * self.overlap
        anchors = ANCHORS_PER_CONTROL * self.control_share
        return round(max(0, wanted) * anchors / (1.0 - anchors - self.control_share))


@dataclass(frozen=True)
class ExposureReport:
    """What colluding accounts of so many turns each could find out, where it is known; is_current:
    whether it is about what the event has now, or is being computed anew."""

    rows: list["ExposureRow"]
    turns: int
    is_current: bool
    is_anchored: bool

    @property
    def giveaway(self) -> int | None:
        """The highest of these percentages, where that is too much; else None."""
        told = [figure for row in self.rows for figure in (row.by_matchup, row.by_prompt) if figure]
        highest = max(told, default=0)
        return highest if highest > MAX_TOLD else None


@dataclass(frozen=True)
class ExposureRow:
    """How often, in per cent, so many accounts would be right about which of two matchups, or of
    two prompts, is a control's: 50 is a guess. None where they meet nothing to compare."""

    accounts: int
    by_matchup: int | None
    by_prompt: int | None
    certain: float


def report_hiding(event: Event, now: datetime) -> HidingReport:
    """All of it for the page of controls."""
    pool, is_over = count_pool(event), event.is_over()
    left, exhausted_at = count_showings_left(event, now) if is_matched(pool) else (None, None)
    return HidingReport(
        pool=pool,
        overlap=event.overlap,
        sentence=describe_regime(pool) if pool.controls else "",
        missing=describe_missing_responses(event) if pool.controls else "",
        anchors_offered=0 if is_over else count_anchors_offered(pool),
        ties_offered=0 if is_over else count_ties_offered(event),
        showings_left=left,
        exhausted_at=exhausted_at,
    )


def is_matched(pool: MatchupPool) -> bool:
    """Whether the controls are shown as often as ordinary matchups."""
    return pool.regime is Regime.MATCHED


def count_showings_left(event: Event, now: datetime) -> tuple[int, datetime | None]:
    """How often the controls in service can still be shown, and since when that is never."""
    State = Assignment.State
    takes = Q(assignments__state__in=Assignment.MET_STATES)
    takes |= Q(assignments__state=State.SKIPPED, assignments__lease_until__gt=now)
    controls = Matchup.objects.serving().filter(event=event, role=Matchup.Role.CONTROL)
    shown = controls.annotate(
        times=Count("assignments", filter=takes), last=Max("assignments__reserved_at", filter=takes)
    )
    rows = list(shown.values_list("times", "last"))
    left = sum(max(0, event.overlap - times) for times, _ in rows)
    last = max((moment for _, moment in rows if moment), default=None)
    return left, None if left else last


def report_exposure(event: Event) -> ExposureReport | None:
    """What a worker found; where that is of other numbers, one is asked. None without controls,
    and once the event is over."""
    pool = count_pool(event)
    if event.is_over() or not pool.controls or not pool.compared:
        return None
    known, wanted = find_exposure(event)
    is_current = known is not None and known.fingerprint == wanted
    if not is_current and is_first_to_ask(event, wanted):
        queue_exposure(event)
    result: dict[str, Any] = known.result if known else {"accounts": [], "turns": 0}
    return ExposureReport(
        rows=[read_row(row) for row in result["accounts"]],
        turns=result["turns"],
        is_current=is_current,
        is_anchored=pool.regime is Regime.ANCHORED,
    )


def read_row(row: dict[str, Any]) -> ExposureRow:
    """A row of a result."""
    return ExposureRow(
        row["accounts"],
        as_percent(row["by_matchup"]),
        as_percent(row["by_prompt"]),
        row["certain"],
    )


def as_percent(auc: float | None) -> int | None:
    """Per cent of right answers; who is wrong more often than not turns the answer round."""
    return None if auc is None else round(100 * max(auc, 1.0 - auc))

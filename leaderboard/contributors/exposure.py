"""What colluding accounts could find out about an event's controls: asked for, computed, kept.

A simulation of some seconds, which a worker runs and the desk shows. It is stale once the event has
other numbers.
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import isnan
from random import Random
from typing import Any

from django.db.models import Count, Q

from arena.cache import count
from arena.events.lifecycle.hiding import (
    MAX_RECORDS_COUNTED,
    MatchupPool,
    Regime,
    count_matchups_usual,
    count_pool,
    list_records_with_controls,
)
from arena.events.models import Event
from arena.judging.serving.schedule import get_run
from leaderboard.models import Exposure
from leaderboard.trust.exposure import Draw, Estimate, estimate_exposure

VERSION = 1
"""Moves when the simulation does: what was computed before is stale."""
TURNS = 40
"""Judgments of each colluding account."""
PATIENCE_SECONDS = 120
"""A worker that has not answered for so long is asked again."""


@dataclass(frozen=True)
class ExposureInputs:
    """The numbers of an event that decide about the draw. per_record, per_control: matchups in
    service that records without and with a control usually have."""

    pool: MatchupPool
    per_record: int
    per_control: int
    overlap: int
    gap: int
    choosing: str

    def fingerprint(self) -> str:
        """Of these numbers and this simulation."""
        pool = self.pool
        numbers = [VERSION, TURNS, pool.ordinary, pool.companions, pool.controls, pool.anchors]
        numbers += [pool.interval, self.per_record, self.per_control, self.overlap, self.gap]
        return hashlib.sha256(json.dumps([*numbers, self.choosing]).encode()).hexdigest()

    def build_draw(self) -> Draw:
        """The event as the simulation sees it. Where pairs are weighed, matchups are drawn alike:
        their weights say nothing about controls."""
        pool = self.pool
        is_anchored = pool.regime is Regime.ANCHORED
        return Draw(
            ordinary=pool.ordinary + pool.companions,
            controls=pool.controls,
            anchors=pool.anchors if is_anchored else 0,
            per_record=max(1, self.per_record),
            per_control=max(1, self.per_control),
            overlap=self.overlap,
            is_matched=pool.regime is Regime.MATCHED,
            picks_least=self.choosing == Event.Choosing.COVERAGE,
            gap=self.gap,
            get_run=partial(get_run, interval=pool.interval),
        )


def read_inputs(event: Event) -> ExposureInputs:
    """The event's numbers as they are now."""
    records = list_records_with_controls(event)
    counts = records.annotate(count=Count("matchups", filter=Q(matchups__retired_at=None)))
    found = Counter(counts.values_list("count", flat=True)[:MAX_RECORDS_COUNTED])
    return ExposureInputs(
        count_pool(event),
        count_matchups_usual(event),
        max(found, key=lambda count: (found[count], count)) if found else 0,
        event.overlap,
        event.recurrence_gap,
        event.choosing,
    )


def find_exposure(event: Event) -> tuple[Exposure | None, str]:
    """The last result, if any, and the fingerprint of what the event's numbers are now."""
    return Exposure.objects.filter(event=event).first(), read_inputs(event).fingerprint()


def is_first_to_ask(event: Event, fingerprint: str) -> bool:
    """Whether nobody has asked a worker for this of late."""
    return count(f"exposure:{event.pk}:{fingerprint}", PATIENCE_SECONDS) == 1


def compute_exposure(event: Event, now: datetime) -> Exposure | None:
    """Compute what the event's numbers give now, unless that is there; None then."""
    inputs = read_inputs(event)
    fingerprint = inputs.fingerprint()
    if Exposure.objects.filter(event=event, fingerprint=fingerprint).exists():
        return None
    # The same numbers give the same result.
    found = estimate_exposure(inputs.build_draw(), TURNS, Random(fingerprint))  # noqa: S311
    computed = {
        "fingerprint": fingerprint,
        "result": {"turns": TURNS, "accounts": [as_row(one) for one in found]},
        "computed_at": now,
    }
    return Exposure.objects.update_or_create(event=event, defaults=computed)[0]


def as_row(found: Estimate) -> dict[str, Any]:
    """A row of the result; null for what could not be compared."""

    def round_auc(value: float) -> float | None:
        return None if isnan(value) else round(value, 3)

    return {
        "accounts": found.accounts,
        "by_matchup": round_auc(found.by_matchup),
        "by_prompt": round_auc(found.by_prompt),
        "certain": round(found.certain, 1),
    }

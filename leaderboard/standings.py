"""Where each contributor stands: for now by the number of their counted judgments."""

import numpy as np
import numpy.typing as npt
from django.db.models import BigIntegerField
from django.db.models.functions import Cast

from arena.judging.models import Origin
from leaderboard.arrays import integers
from leaderboard.comparisons import ORIGINS, Comparisons
from leaderboard.models import Standing

COUNTED = ("judgments", "simulated")


def write_standings(data: Comparisons) -> None:
    """Bring the standings of an event's contributors up to its judgments; writes what changed."""
    wanted = tallies(data)
    kept = Standing.objects.filter(event=data.event)
    numbers = [Cast(name, BigIntegerField()) for name in COUNTED]
    there = integers(kept.order_by("enrollment").values_list("enrollment", *numbers))
    stays = np.isin(there[:, 0], data.enrollments)
    kept.filter(enrollment__in=there[~stays, 0].tolist()).delete()
    before = np.full_like(wanted, -1)
    before[np.isin(data.enrollments, there[:, 0])] = there[stays, 1:]
    changed = np.flatnonzero((before != wanted).any(axis=1))
    rows = np.column_stack([data.enrollments[changed], wanted[changed]]).tolist()
    Standing.objects.bulk_create(
        (
            Standing(event=data.event, enrollment_id=key, **dict(zip(COUNTED, counts, strict=True)))
            for key, *counts in rows
        ),
        batch_size=2_000,
        update_conflicts=True,
        unique_fields=["enrollment"],
        update_fields=COUNTED,
    )


def tallies(data: Comparisons) -> npt.NDArray[np.int64]:
    """Counted judgments of each contributor, all and simulated: int64 (people, 2)."""
    contributor, origin = data.columns["contributor"], data.columns["origin"]
    simulated = data.judgments & (origin == ORIGINS.index(Origin.SIMULATED))
    people = len(data.enrollments)
    return np.stack(
        [np.bincount(contributor[rows], minlength=people) for rows in (data.judgments, simulated)],
        axis=1,
    )

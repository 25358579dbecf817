"""Where each contributor stands: for now by the number of their counted judgments."""

import numpy as np
from django.db.models import BigIntegerField
from django.db.models.functions import Cast

from leaderboard.arrays import integers
from leaderboard.comparisons import Comparisons
from leaderboard.models import Standing


def write_standings(data: Comparisons) -> None:
    """Bring the standings of an event's contributors up to its judgments; writes what changed."""
    wanted = np.bincount(
        data.columns["contributor"][data.judgments], minlength=len(data.enrollments)
    )
    judgments = Cast("judgments", BigIntegerField())
    kept = Standing.objects.filter(event=data.event)
    there = integers(kept.order_by("enrollment").values_list("enrollment", judgments))
    gone = there[~np.isin(there[:, 0], data.enrollments), 0]
    kept.filter(enrollment__in=gone.tolist()).delete()
    known = np.isin(data.enrollments, there[:, 0])
    before = np.full(len(wanted), -1)
    before[known] = there[np.isin(there[:, 0], data.enrollments), 1]
    changed = np.flatnonzero(before != wanted)
    Standing.objects.bulk_create(
        (
            Standing(event=data.event, enrollment_id=enrollment, judgments=number)
            for enrollment, number in zip(
                data.enrollments[changed].tolist(), wanted[changed].tolist(), strict=True
            )
        ),
        batch_size=2_000,
        update_conflicts=True,
        unique_fields=["enrollment"],
        update_fields=["judgments"],
    )

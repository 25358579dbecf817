"""Writing the standings of contributors: S = scored judgments × quality, see `scores`."""

from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import BigIntegerField, Value
from django.db.models.functions import Cast, Coalesce

from arena.judging.models import Origin
from leaderboard.contributors.scores import score_contributors
from leaderboard.models import Standing
from leaderboard.trust.quality import UNRATED
from leaderboard.votes.queries import read_integers
from leaderboard.votes.table import Comparisons
from leaderboard.votes.vote_rows import ORIGINS

COUNT_FIELDS = ("judgments", "simulated", "scored")
RATED_FIELDS = ("quality", "score", "rank", "band")
"""Null in the database and -1 in arrays for contributors who are not rated."""
WRITTEN_FIELDS = COUNT_FIELDS + RATED_FIELDS


def write_standings(data: Comparisons) -> None:
    """Update the standings of an event's contributors; only changed rows are written."""
    wanted = count_judgments(data)
    kept = Standing.objects.filter(event=data.event)
    numbers = [
        *(Cast(name, BigIntegerField()) for name in COUNT_FIELDS),
        *(Cast(Coalesce(name, Value(UNRATED)), BigIntegerField()) for name in RATED_FIELDS),
    ]
    there = read_integers(kept.order_by("enrollment").values_list("enrollment", *numbers))
    stays = np.isin(there[:, 0], data.enrollments)
    kept.filter(enrollment__in=there[~stays, 0].tolist()).delete()
    before = np.full_like(wanted, UNRATED)
    before[np.isin(data.enrollments, there[:, 0])] = there[stays, 1:]
    changed = np.flatnonzero((before != wanted).any(axis=1))
    rows = np.column_stack([data.enrollments[changed], wanted[changed]]).tolist()
    Standing.objects.bulk_create(
        (
            Standing(event=data.event, enrollment_id=key, **as_fields(values))
            for key, *values in rows
        ),
        batch_size=2_000,
        update_conflicts=True,
        unique_fields=["enrollment"],
        update_fields=WRITTEN_FIELDS,
    )


def count_judgments(data: Comparisons) -> npt.NDArray[np.int64]:
    """`WRITTEN_FIELDS` of each contributor: int64 (contributors, 7)."""
    contributor, origin = data.columns["contributor"], data.columns["origin"]
    simulated = data.judgments & (origin == ORIGINS.index(Origin.SIMULATED))
    people = len(data.enrollments)
    judged, made = (
        np.bincount(contributor[rows], minlength=people) for rows in (data.judgments, simulated)
    )
    return np.column_stack([judged, made, score_contributors(data)])


def as_fields(numbers: list[int]) -> dict[str, Any]:
    """The fields of a standing from a row of numbers."""
    named = zip(WRITTEN_FIELDS, numbers, strict=True)
    return {name: None if value == UNRATED else value for name, value in named}

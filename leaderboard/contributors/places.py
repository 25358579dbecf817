"""A standing as pages show it: coarse while the event runs, exact once it is over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from arena.events.models import Enrollment, Event
from arena.events.records.controls import has_controls
from leaderboard.contributors.scores import first_look
from leaderboard.models import Reliability, Standing, StandingQuerySet
from leaderboard.trust.quality import QUALITY_UNIT, to_band
from leaderboard.trust.reliability import LIMIT


@dataclass(frozen=True)
class ScoreParts:
    """What somebody's exact score is made of: N, and the lower limits L_c and L_o."""

    scored: int
    on_controls: float
    on_others: float


@dataclass(frozen=True)
class Place:
    """A contributor's row. quality (in [0, 1]) and score are None while the event runs; for
    unrated contributors everything is None but the number of judgments."""

    enrollment: Enrollment
    accepted: int
    simulated: int
    rank: int | None
    band: int | None
    quality: float | None = None
    score: float | None = None
    # Of one's own alone: about how many more judgments a rating takes, and what a score is made of.
    missing: int | None = None
    parts: "ScoreParts | None" = None

    @property
    def band_label(self) -> Any:
        """The band's label, without "yet" once the event is over; empty if not rated."""
        if self.band == Standing.Band.UNCLEAR and self.quality is not None:
            return _("Not told apart from chance")
        return Standing.Band(self.band).label if self.band else ""


def standings_of(event: Event) -> StandingQuerySet:
    """The event's standings in the order in which its pages list them."""
    standings = Standing.objects.filter(event=event).select_related("enrollment__user")
    return standings.by_score() if event.is_over() else standings.as_shown()


def build_places(event: Event, standings: Sequence[Standing], before: int = 0) -> list[Place]:
    """The rows of one page of standings in that order; before: standings on earlier pages."""
    if not event.is_over():
        return [stepped_place(standing) for standing in standings]
    ranks: list[int | None] = []
    for index, standing in enumerate(standings):
        if index and standing.score == standings[index - 1].score:
            ranks.append(ranks[-1])
        elif index and standing.score:
            ranks.append(before + index + 1)
        else:
            ranks.append(rank_of(standing))
    return [exact_place(standing, rank) for standing, rank in zip(standings, ranks, strict=True)]


def place_of(event: Event, enrollment: Enrollment | None) -> Place | None:
    """One contributor's row; None before their first judgment that counts."""
    if enrollment is None:
        return None
    standing = standings_of(event).filter(enrollment=enrollment).first()
    if standing is None:
        return None
    if not event.is_over():
        return replace(stepped_place(standing), missing=count_missing(event, standing))
    return replace(exact_place(standing, rank_of(standing)), parts=find_parts(standing))


def find_parts(standing: Standing) -> ScoreParts | None:
    """The parts of an exact score; None without one."""
    known = Reliability.objects.filter(enrollment=standing.enrollment_id).first()
    if known is None or standing.quality is None:
        return None
    return ScoreParts(standing.scored, *lower_limits(known))


def lower_limits(known: Reliability) -> tuple[float, float]:
    """L_c and L_o: the lower 5% limits of R on controls and on all else."""
    return (
        known.on_controls - LIMIT * known.on_controls_error,
        known.on_others - LIMIT * known.on_others_error,
    )


def rank_of(standing: Standing) -> int | None:
    """The exact rank; None without a score, or where it is 0."""
    if not standing.score:
        return None
    return 1 + Standing.objects.filter(event=standing.event_id, score__gt=standing.score).count()


def count_missing(event: Event, standing: Standing) -> int | None:
    """About how many more judgments a rating takes; None once rated, and where nobody is."""
    if standing.band is not None or not has_controls(event):
        return None
    return max(first_look(event) - standing.judgments, 0)


def stepped_place(standing: Standing) -> Place:
    """A row while the event runs: only the number of judgments is exact."""
    return Place(
        standing.enrollment,
        standing.judgments,
        standing.simulated,
        standing.rank,
        standing.band,
    )


def exact_place(standing: Standing, rank: int | None) -> Place:
    """A row once the event is over."""
    quality = standing.quality
    return Place(
        standing.enrollment,
        standing.judgments,
        standing.simulated,
        rank,
        None if quality is None else int(to_band(np.array(quality))),
        as_number(quality),
        as_number(standing.score),
    )


def as_number(millionths: int | None) -> float | None:
    """Millionths as a float."""
    return None if millionths is None else millionths / QUALITY_UNIT

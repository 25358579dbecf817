"""The winner's certificate: the score in its parts, what was checked, and how close it was."""

from collections.abc import Callable
from dataclasses import dataclass

from arena.events.models import Enrollment, Event
from arena.judging.models import Case
from leaderboard.contributors.places import as_number, lower_limits
from leaderboard.models import Reliability, Standing, Winner

State = Case.State


@dataclass(frozen=True)
class Rated:
    """A contributor with a quality, and what a score is made of: L_c and L_o."""

    standing: Standing
    controls: int
    on_controls: float
    on_others: float


@dataclass(frozen=True)
class Certificate:
    """Everything on it.

    own: the winner's figures; quality, score: as numbers; second: the next by score, or None;
    margin: how many of the winner's judgments would have to go for them to lead; by_volume,
    by_controls, by_others: who would have won by judgments alone, by N × L_c, and by N × L_o;
    placed: people with a score above 0; cases: questions about contributors by how they ended;
    is_questioned: whether one about the winner is open.
    """

    own: Rated
    quality: float
    score: float
    second: Enrollment | None
    margin: int | None
    by_volume: Enrollment
    by_controls: Enrollment
    by_others: Enrollment
    placed: int
    cases: dict[str, int]
    is_questioned: bool

    @property
    def asked(self) -> int:
        """How many questions about contributors there were."""
        return sum(self.cases.values())


def build_certificate(event: Event, winner: Winner) -> Certificate | None:
    """The certificate of an event's confirmed winner; None where the winner has no score."""
    rated = list_rated(event)
    own = next((one for one in rated if one.standing.enrollment_id == winner.enrollment_id), None)
    if own is None or not own.standing.score:
        return None
    others = (one.standing for one in rated if one is not own)
    second = max(others, key=lambda standing: standing.score or 0, default=None)
    about = Case.objects.filter(event=event)
    return Certificate(
        own=own,
        quality=as_number(own.standing.quality) or 0.0,
        score=as_number(own.standing.score) or 0.0,
        second=second.enrollment if second and second.score else None,
        margin=count_margin(own.standing, second) if second and second.score else None,
        by_volume=find_best(rated, lambda one: one.standing.judgments),
        by_controls=find_best(rated, lambda one: one.standing.scored * one.on_controls),
        by_others=find_best(rated, lambda one: one.standing.scored * one.on_others),
        placed=sum(1 for one in rated if one.standing.score),
        is_questioned=about.waiting().filter(enrollment=winner.enrollment_id).exists(),
        cases={state: about.filter(state=state).count() for state in State.values},
    )


def list_rated(event: Event) -> list[Rated]:
    """Everybody with a quality, in the order of their enrollment."""
    standings = Standing.objects.filter(event=event, quality__isnull=False)
    known = {one.enrollment_id: one for one in Reliability.objects.filter(event=event)}
    found = []
    for standing in standings.select_related("enrollment__user").order_by("enrollment"):
        reliability = known.get(standing.enrollment_id)
        if reliability is not None:
            limits = lower_limits(reliability)
            found.append(Rated(standing, reliability.controls, *limits))
    return found


def count_margin(first: Standing, second: Standing) -> int:
    """The fewest judgments of the first without which the second has the higher score."""
    assert first.quality is not None
    assert second.score is not None
    # The largest number with which the first does not lead: (N − k)·Q < S₂.
    enough = -(-second.score // first.quality)  # rounded up: with so many they are level or ahead
    return max(first.scored - enough + 1, 1)


def find_best(rated: list[Rated], score: Callable[[Rated], float]) -> Enrollment:
    """Who would have won by this score."""
    return max(rated, key=score).standing.enrollment

"""Forecasts for the set-up: judgments and hours wanted, and how many people can be rated."""

from dataclasses import dataclass

from arena.events.lifecycle.control_runs import ANCHORS_PER_CONTROL
from arena.events.lifecycle.hiding import Regime, count_pool
from arena.events.models import Event
from arena.judging.serving.schedule import count_turns_until_controls
from leaderboard.contributors.scores import first_look
from leaderboard.trust.quality import MIN_CONTROLS_FOR_QUALITY

# Reading two answers of some length and deciding; people differ by a factor of three.
SECONDS_PER_JUDGMENT = 60
# Intervals that organizers choose between, for comparison.
USUAL_INTERVALS = (12, 20)


@dataclass(frozen=True)
class WorkPlan:
    """An event's work as it is planned. needed: judgments of one person before a rating; per_run:
    matchups of each run of the schedule that are not ordinary, a control and anchors."""

    matchups: int
    overlap: int
    controls: int
    needed: int
    # The most that one person can be given, anchors included, and the controls among them.
    most_each: int
    controls_each: int
    per_run: int = 1

    @property
    def judgments(self) -> int:
        """Judgments of ordinary matchups that are wanted."""
        return self.matchups * self.overlap

    @property
    def hours(self) -> float:
        """The time of everybody together, at a minute each."""
        return self.judgments * SECONDS_PER_JUDGMENT / 3600

    @property
    def ordinary_needed(self) -> int:
        """Ordinary judgments of one person before a rating."""
        return self.needed - MIN_CONTROLS_FOR_QUALITY * self.per_run

    @property
    def people_rated(self) -> int:
        """How many people at most can be rated, if each judges only as much as a rating takes."""
        if self.controls < MIN_CONTROLS_FOR_QUALITY or self.most_each < self.needed:
            return 0
        return self.judgments // self.ordinary_needed

    @property
    def usual(self) -> list[tuple[int, int]]:
        """Intervals between controls that are often chosen, and what each person needs then."""
        needed = [
            (interval, count_turns_until_controls(MIN_CONTROLS_FOR_QUALITY, interval))
            for interval in USUAL_INTERVALS
        ]
        return [pair for pair in needed if pair[1] != self.needed]

    @property
    def fewest_controls(self) -> int:
        """How many controls a contributor's rating needs."""
        return MIN_CONTROLS_FOR_QUALITY


def plan_work(event: Event) -> WorkPlan:
    """The plan by the settings and by what has been imported so far."""
    pool = count_pool(event)
    ordinary = pool.ordinary + pool.companions
    per_run = 1 + ANCHORS_PER_CONTROL if pool.regime is Regime.ANCHORED else 1
    met = count_controls_met(ordinary, pool.controls, event.control_interval, per_run)
    return WorkPlan(
        matchups=ordinary,
        overlap=event.overlap,
        controls=pool.controls,
        needed=first_look(event),
        most_each=ordinary + met * per_run,
        controls_each=met,
        per_run=per_run,
    )


def count_controls_met(ordinary: int, controls: int, interval: int, per_run: int = 1) -> int:
    """How many controls somebody meets who judges every matchup; nobody meets a control twice."""
    met = 0
    while met < controls:
        turns = ordinary + (met + 1) * per_run
        if turns < count_turns_until_controls(met + 1, interval):
            break
        met += 1
    return met

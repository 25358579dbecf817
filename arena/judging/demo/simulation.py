"""Simulated contributors for trying an event out. Their judgments are marked as simulated.

They are served and recorded by the same functions as people, so that the event looks in every
respect as if judged by a crowd.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from arena.events.current_rules import get_rules
from arena.events.models import Enrollment, Event, Matchup
from arena.judging.models import Assignment, Origin
from arena.judging.recording import check_answers, record_judgment
from arena.judging.serving.leases import next_assignment, return_reserves

# The advantage of a control's expected response, in natural-log strength.
CONTROL_GAP = 2.8
# Standard deviation of a response's quality around its model's strength.
RECORD_NOISE = 0.6
# The share of keen contributors, and their visits relative to others'.
KEEN_SHARE, KEEN_VISITS = 0.14, 50.0
# Perceived advantage up to which the answer is a tie, and past which it is "much better".
THRESHOLDS = (0.45, 1.6)


@dataclass(frozen=True)
class Temperament:
    """How a simulated contributor judges: the share of careless answers, and sensitivity."""

    share: float
    careless: float
    sharpness: float
    # Where a careless answer falls: a segment of the scale, or None for anywhere.
    habit: str | None = None


TEMPERAMENTS: dict[str, Temperament] = {
    "careful": Temperament(share=0.45, careless=0.01, sharpness=1.6),
    "ordinary": Temperament(share=0.33, careless=0.08, sharpness=1.0),
    "hasty": Temperament(share=0.12, careless=0.35, sharpness=0.8),
    "left-handed": Temperament(share=0.05, careless=0.9, sharpness=0.5, habit="a1"),
    "coin-flipper": Temperament(share=0.05, careless=1.0, sharpness=0.0),
}


def simulate_judgments(
    event: Event,
    strengths: Mapping[str, float],
    *,
    people: int,
    judgments: int,
    span: tuple[datetime, datetime],
    rng: Random,
) -> int:
    """Enroll simulated contributors and let them judge; returns the number of judgments.

    `strengths` maps competitors' names to natural-log strengths that decide the answers.
    """
    crowd = list(enroll_crowd(event, people, span[0], rng))
    visits = [draw_visit_weight(rng) for _ in crowd]
    everybody = iter(rng.sample(range(people), people))
    start, end = span
    moments = sorted(start + (end - start) * rng.random() for _ in range(judgments))
    done = 0
    for moment in moments:
        if not any(visits):
            break
        # Everybody comes once.
        number = next(everybody, None)
        if number is None:
            number = rng.choices(range(people), visits)[0]
        enrollment, temperament = crowd[number]
        assignment = next_assignment(enrollment, rng, moment)
        if assignment is None:
            visits[number] = 0
            continue
        posted = {"preference": choose_answer(assignment, temperament, strengths, rng)}
        answers = check_answers(assignment, posted)
        finished = moment + timedelta(seconds=rng.lognormvariate(3.4, 0.6))
        record_judgment(assignment, answers, now=finished, origin=Origin.SIMULATED)
        done += 1
    return_reserves(Assignment.objects.filter(enrollment__in=[person for person, _ in crowd]))
    return done


def draw_visit_weight(rng: Random) -> float:
    """Draw a contributor's relative number of visits: a few for most, many for the keen."""
    if rng.random() < KEEN_SHARE:
        return KEEN_VISITS
    return min(rng.paretovariate(1.3), 8.0)


def enroll_crowd(
    event: Event, people: int, joined_at: datetime, rng: Random
) -> Iterator[tuple[Enrollment, Temperament]]:
    """Yield simulated contributors with their temperaments, drawn by share."""
    guidelines = get_rules(event).guidelines
    shares = [temperament.share for temperament in TEMPERAMENTS.values()]
    for number in range(1, people + 1):
        enrollment = Enrollment.objects.create(
            event=event,
            external_id=f"simulated-{number:03}",
            pseudonym=f"Simulated {number:03}",
            joined_at=joined_at,
            guidelines=guidelines,
            guidelines_at=joined_at,
        )
        yield enrollment, rng.choices(list(TEMPERAMENTS.values()), shares)[0]


def choose_answer(
    assignment: Assignment, temperament: Temperament, strengths: Mapping[str, float], rng: Random
) -> str:
    """Choose an answer on the five-point scale."""
    if rng.random() < temperament.careless:
        return temperament.habit or rng.choice(["a2", "a1", "tie", "b1", "b2"])
    if is_tie_control(assignment.matchup):
        return "tie"
    gap = compute_gap(assignment, strengths)
    uniform = min(max(rng.random(), 1e-9), 1 - 1e-9)
    felt = gap * temperament.sharpness + math.log(uniform / (1 - uniform)) * 0.6
    if abs(felt) < THRESHOLDS[0]:
        return "tie"
    degree = 2 if abs(felt) > THRESHOLDS[1] else 1
    return f"{'a' if felt > 0 else 'b'}{degree}"


def is_tie_control(matchup: Matchup) -> bool:
    """Whether both responses are the same, which whoever looks at them sees."""
    return matchup.role == Matchup.Role.CONTROL and not matchup.control.key["sign"]


def compute_gap(assignment: Assignment, strengths: Mapping[str, float]) -> float:
    """The true advantage of the left response: by a control's key, else by strength; a companion
    of a control is of nobody's."""
    matchup = assignment.matchup
    first_on_left = assignment.order[0] < assignment.order[1]
    if matchup.role == Matchup.Role.CONTROL:
        gap = CONTROL_GAP * int(matchup.control.key["sign"])
    else:
        names = matchup.places.order_by("position").values_list(
            "response__competitor__name", flat=True
        )
        first, second = (strengths[name] if name else 0.0 for name in names)
        # The same for everybody who meets this matchup, as a lucky or an unlucky response is.
        luck = Random(matchup.pk).gauss(0, RECORD_NOISE)  # noqa: S311 - no secret depends on it
        gap = first - second + luck
    return gap if first_on_left else -gap

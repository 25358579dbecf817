"""The sample event with five people planted in its honest crowd: `bench.review` asks whether the
review queue names them.

One takes the left always, one clicks at random, one reads controls alone, one lifts one model, and
one is careful and has a taste of their own. They judge about as much as the keenest of the crowd
do, through the same functions as people.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from django.db import transaction

from arena.events.current_rules import get_rules
from arena.events.models import Enrollment, Event, Matchup
from arena.judging.demo.sample_event import DAYS, SAMPLE_FOLDER, open_sample_event
from arena.judging.demo.simulation import (
    TEMPERAMENTS,
    Temperament,
    choose_answer,
    draw_visit_weight,
)
from arena.judging.ledger import seal_event
from arena.judging.models import Assignment, Origin
from arena.judging.recording import check_answers, record_judgment
from arena.judging.serving.leases import next_assignment

LEFT, RANDOM, AWARE, RIGGER, DISSENTER = PLANTED = (
    *("always left", "random", "careful with controls only", "lifts one model", "own taste"),
)
HONEST = ("careful", "ordinary", "hasty")
"""Temperaments of the crowd, by their shares in the sample event."""
PEOPLE, JUDGMENTS = 60, 1_800
PLANTED_JUDGMENTS = (84, 100)
"""What each of the planted judges, at least and at most."""
ANYWHERE = ("a2", "a1", "tie", "b1", "b2")
TARGET, KNOWN_TARGET = "Wheatear", 0.95
"""Whom the rigger lifts, in the middle of the board, and how often they recognise it."""
MAX_CORRELATION = 0.0
"""Of the dissenter's strengths with everybody's, at most."""
SECONDS = {LEFT: 1.8, RANDOM: 2.2}
"""Mean logarithm of seconds of an answer; everybody else's is as the crowd's."""
Answering = Callable[[Assignment], str]


@dataclass
class Judge:
    """Somebody who judges: how, how fast (mean logarithm of seconds), and how often they come."""

    enrollment: Enrollment
    answer: Answering
    pace: float
    visits: float
    left_to_do: float = math.inf


def make_review_event(slug: str, now: datetime, seed: int) -> tuple[Event, dict[int, str]]:
    """The event, judged and sealed, and which enrollments are planted as what."""
    rng = Random(f"review {seed}")
    plan = json.loads((SAMPLE_FOLDER / "event.json").read_text(encoding="utf-8"))
    event, strengths = open_sample_event(plan | {"slug": slug}, now, rng)
    # Where controls come follows from it: the same seed gives the same event.
    event.secret = f"{rng.getrandbits(256):064x}"
    event.save(update_fields=["secret"])
    opened = now - timedelta(days=DAYS)
    judges = [*list_crowd(event, strengths, opened, rng)]
    planted = [*list_planted(event, strengths, opened, rng)]
    judge_all([*judges, *(judge for _kind, judge in planted)], (opened, now), rng)
    seal_event(event.pk, now)
    return event, {judge.enrollment.pk: kind for kind, judge in planted}


def list_crowd(
    event: Event, strengths: dict[str, float], joined: datetime, rng: Random
) -> Iterator[Judge]:
    """Honest people, more or less careful."""
    kinds = [TEMPERAMENTS[name] for name in HONEST]
    for _ in range(PEOPLE):
        (kind,) = rng.choices(kinds, [one.share for one in kinds])
        yield Judge(
            enroll(event, joined, rng), read_as(kind, strengths, rng), 3.4, draw_visit_weight(rng)
        )


def list_planted(
    event: Event, strengths: dict[str, float], joined: datetime, rng: Random
) -> Iterator[tuple[str, Judge]]:
    """The five, each with what they are."""
    careful = read_as(TEMPERAMENTS["careful"], strengths, rng)
    answering: dict[str, Answering] = {
        LEFT: lambda _assignment: rng.choice(("a1", "a2")),
        RANDOM: lambda _assignment: rng.choice(ANYWHERE),
        AWARE: lambda assignment: (
            careful(assignment) if is_control(assignment) else rng.choice(ANYWHERE)
        ),
        RIGGER: lambda assignment: lift(assignment, rng) or careful(assignment),
        DISSENTER: read_with_taste(strengths, rng),
    }
    for kind in PLANTED:
        judge = Judge(enroll(event, joined, rng), answering[kind], SECONDS.get(kind, 3.4), 1.0)
        judge.left_to_do = rng.randint(*PLANTED_JUDGMENTS)
        yield kind, judge


def enroll(event: Event, joined: datetime, rng: Random) -> Enrollment:
    """One more simulated contributor, whose name says nothing of their kind."""
    number = event.enrollments.count() + 1
    guidelines = get_rules(event).guidelines
    return Enrollment.objects.create(
        event=event,
        # The schedule of controls follows from it.
        public_id=UUID(int=rng.getrandbits(128), version=4),
        external_id=f"simulated-{number:03}",
        pseudonym=f"Simulated {rng.getrandbits(32):08x}",
        joined_at=joined,
        guidelines=guidelines,
        guidelines_at=joined,
    )


def read_as(kind: Temperament, strengths: dict[str, float], rng: Random) -> Answering:
    """As the simulated crowd reads."""
    return lambda assignment: choose_answer(assignment, kind, strengths, rng)


def is_control(assignment: Assignment) -> bool:
    """Whether its answer is known."""
    return assignment.matchup.role == Matchup.Role.CONTROL


def names_on_screen(assignment: Assignment) -> list[str]:
    """The models from left to right, "" where a response is of nobody's."""
    places = assignment.matchup.places.order_by("position")
    names = places.values_list("response__competitor__name", flat=True)
    return [names[position] or "" for position in assignment.order]


def lift(assignment: Assignment, rng: Random) -> str:
    """The rigger's answer where they recognise their model; "" elsewhere."""
    names = names_on_screen(assignment)
    if TARGET not in names or rng.random() >= KNOWN_TARGET:
        return ""
    return ("a2", "b2")[names.index(TARGET)]


def read_with_taste(strengths: dict[str, float], rng: Random) -> Answering:
    """Careful, by strengths of one's own and one's own liking of single responses."""
    own = dict(zip(strengths, draw_taste(list(strengths.values()), rng), strict=True))
    key = rng.getrandbits(32)
    careful = TEMPERAMENTS["careful"]

    def answer(assignment: Assignment) -> str:
        if is_control(assignment):
            return choose_answer(assignment, careful, strengths, rng)
        first, second = names_on_screen(assignment)
        liking = Random(f"{key} {assignment.matchup_id}").gauss(0, 0.6)
        on_left = assignment.order[0] < assignment.order[1]
        gap = own.get(first, 0.0) - own.get(second, 0.0) + (liking if on_left else -liking)
        uniform = min(max(rng.random(), 1e-9), 1 - 1e-9)
        felt = gap * careful.sharpness + math.log(uniform / (1 - uniform)) * 0.6
        if abs(felt) < 0.45:
            return "tie"
        return f"{'a' if felt > 0 else 'b'}{2 if abs(felt) > 1.6 else 1}"

    return answer


def draw_taste(strengths: list[float], rng: Random) -> list[float]:
    """The strengths in another order, that does not follow everybody's."""
    mean = sum(strengths) / len(strengths)
    while True:
        own = rng.sample(strengths, len(strengths))
        if sum((a - mean) * (b - mean) for a, b in zip(strengths, own, strict=True)) <= 0.0:
            return own


def judge_all(judges: list[Judge], span: tuple[datetime, datetime], rng: Random) -> None:
    """Let everybody judge, at moments spread over the span."""
    start, end = span
    due = [judge for judge in judges if math.isinf(judge.left_to_do)]
    turns = [*due, *rng.choices(due, [judge.visits for judge in due], k=JUDGMENTS - len(due))]
    for judge in judges:
        if not math.isinf(judge.left_to_do):
            turns += [judge] * int(judge.left_to_do)
    rng.shuffle(turns)
    moments = sorted(start + (end - start) * rng.random() for _ in turns)
    # One transaction, for speed alone.
    with transaction.atomic():
        for judge, moment in zip(turns, moments, strict=True):
            assignment = next_assignment(judge.enrollment, rng, moment)
            if assignment is None:
                continue
            answers = check_answers(assignment, {"preference": judge.answer(assignment)})
            finished = moment + timedelta(seconds=rng.lognormvariate(judge.pace, 0.6))
            record_judgment(assignment, answers, now=finished, origin=Origin.SIMULATED)

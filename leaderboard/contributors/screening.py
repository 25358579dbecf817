"""Questions about contributors that a person has to decide, and whom the event excludes by itself.

A screen that could not run raises no question. What is claimed of people together is held to a
false discovery rate; pace and one-sidedness are hints and raise none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from arena.events.models import Enrollment, Event
from arena.judging.models import Case
from arena.judging.review.cases import (
    Question,
    count_automatic_exclusions,
    exclude_automatically,
    find_reinstated,
    open_cases,
)
from leaderboard.models import Reliability
from leaderboard.trust.not_reading import find_not_reading
from leaderboard.trust.removal import Removal, choose_removals
from leaderboard.trust.rigging import STRONG_EVIDENCE, find_discoveries

SIDES_ALPHA = 0.01
"""Of those who are named for going by sides, at most so many are honest, on average."""
Reason = Case.Reason


@dataclass(frozen=True)
class Pair:
    """Two contributors, by enrollment, whose answers to so many shared matchups agree beyond what
    gaps and habits explain; evidence: natural logarithm of the e-value."""

    one: int
    other: int
    shared: int
    evidence: float


def raise_questions(
    event: Event, rows: list[Reliability], twins: list[Pair], people: int, now: datetime
) -> None:
    """Open the cases that these rows, of everybody who counts, give rise to.

    people: how many have judged, excluded ones among them.
    """
    if not rows:
        return
    open_cases(event, [*find_questions(rows), *ask_about_twins(rows, twins)], now)
    let_be = find_reinstated(event)
    others = [row for row in rows if row.enrollment_id not in let_be]
    removal = choose_from(others, people, count_automatic_exclusions(event))
    removed, asked = (
        [ask(others[index], Reason.UNRELIABLE) for index in indices]
        for indices in (removal.removed, removal.asked)
    )
    # A result that is about to be published changes by a person.
    if event.is_over() or not event.excludes_automatically:
        open_cases(event, [*removed, *asked], now)
        return
    open_cases(event, asked, now)
    for question in removed:
        exclude_automatically(event, question, now)


def find_questions(rows: list[Reliability]) -> Iterator[Question]:
    """What the screens claim of whom."""
    columns = ("overall", "overall_error", "on_controls", "controls", "judgments")
    overall, error, on_controls, controls, judgments = (
        np.array([getattr(row, name) for row in rows]) for name in columns
    )
    clicking = find_not_reading((overall, error), on_controls, controls, judgments)
    yield from (ask(rows[index], Reason.UNRELIABLE) for index in np.flatnonzero(clicking))
    for row in rows:
        if row.rig_evidence > np.log(STRONG_EVIDENCE):
            yield ask(row, Reason.RIGGING)
        if row.has_gap:
            yield ask(row, Reason.GAP)
    named = find_discoveries(np.array([row.side_evidence for row in rows]), SIDES_ALPHA)
    yield from (ask(rows[index], Reason.SIDES) for index in np.flatnonzero(named))


def ask_about_twins(rows: list[Reliability], twins: list[Pair]) -> Iterator[Question]:
    """One question about each person of a pair, by their strongest pair."""
    by_person = {row.enrollment_id: row for row in rows}
    names = Enrollment.objects.in_bulk({key for pair in twins for key in (pair.one, pair.other)})
    asked: set[int] = set()
    for pair in sorted(twins, key=lambda pair: -pair.evidence):
        for person, other in ((pair.one, pair.other), (pair.other, pair.one)):
            if person not in asked and person in by_person:
                asked.add(person)
                figures = {
                    "other": names[other].pseudonym,
                    "shared": pair.shared,
                    "evidence": pair.evidence,
                }
                yield Question(person, Reason.TWIN, figures, by_person[person].judgments)


def choose_from(rows: list[Reliability], people: int, before: int) -> Removal:
    """Whom the automatic rule takes out, and of whom it asks a person."""
    columns = ("overall", "overall_error", "on_controls", "on_controls_error")
    overall, overall_error, on_controls, on_controls_error = (
        np.array([getattr(row, name) for row in rows]) for name in columns
    )
    return choose_removals(
        (overall, overall_error),
        (on_controls, on_controls_error),
        np.array([row.controls for row in rows]),
        np.array([row.judgments for row in rows]),
        people=people,
        before=before,
    )


def ask(row: Reliability, reason: str) -> Question:
    """The question, with the figures of the day."""
    figures: dict[str, float | int | str | None] = {
        name: getattr(row, name)
        for name in (
            *("judgments", "controls", "passed", "reads"),
            *("overall", "overall_error", "on_controls", "on_controls_error"),
            *("on_others", "on_others_error", "rig_evidence", "side_evidence"),
        )
    }
    if reason == Reason.RIGGING and row.rig_model is not None:
        figures |= {"model": row.rig_model.name, "lifts": row.rig_lifts}
    return Question(row.enrollment_id, reason, figures, row.judgments)

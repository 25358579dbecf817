"""What is asked about whom after a computation, and whom the event excludes by itself."""

from datetime import timedelta

import numpy as np
import pytest

from arena.events.decision_record import Ruling
from arena.events.models import Event
from arena.judging.models import Case, Exclusion
from arena.judging.review.cases import reinstate
from leaderboard.contributors.screening import Pair, raise_questions
from leaderboard.models import Reliability
from leaderboard.trust.removal import choose_removals
from tests.factories import NOW, make_competitors, make_enrollment, make_event, make_user

LATER = NOW + timedelta(hours=1)
Reason, State = Case.Reason, Case.State


def make_row(event: Event, **fields: object) -> Reliability:
    """What is known of somebody careful, unless it is said otherwise."""
    known: dict[str, object] = {
        "judgments": 100,
        "controls": 12,
        "passed": 12,
        "reads": 0.99,
        "weight": 4000,
        "overall": 1.0,
        "overall_error": 0.1,
        "on_controls": 1.0,
        "on_controls_error": 0.1,
        "on_others": 1.0,
        "on_others_error": 0.1,
        "left": 40,
        "ties": 10,
        "right": 40,
        "rig_evidence": 0.0,
        "side_evidence": 0.0,
    }
    row = Reliability(event=event, enrollment=make_enrollment(event), **(known | fields))
    row.save()
    return row


def clicker(event: Event, judgments: int = 100) -> Reliability:
    return make_row(event, judgments=judgments, passed=3, reads=0.0, overall=0.02, on_controls=0.05)


def asked(event: Event) -> list[tuple[int, str, str]]:
    cases = Case.objects.filter(event=event).order_by("pk")
    return list(cases.values_list("enrollment", "reason", "state"))


@pytest.mark.django_db
def test_screens_open_cases() -> None:
    event = make_event()
    models = make_competitors(event, 2)
    rows = [
        make_row(event),
        make_row(event, rig_evidence=9.0, rig_model=models[1], rig_lifts=True),
        make_row(event, has_gap=True, on_others=0.1),
        make_row(event, side_evidence=30.0),
    ]
    raise_questions(event, rows, [], len(rows), NOW)
    people = [row.enrollment_id for row in rows]
    assert sorted(asked(event)) == sorted(
        [
            (people[1], Reason.RIGGING, State.OPEN),
            (people[2], Reason.GAP, State.OPEN),
            (people[3], Reason.SIDES, State.OPEN),
        ]
    )
    rigging = Case.objects.get(reason=Reason.RIGGING)
    assert rigging.evidence["model"] == models[1].name
    assert rigging.evidence["lifts"] is True
    raise_questions(event, rows, [], len(rows), LATER)
    assert Case.objects.count() == 3


@pytest.mark.django_db
def test_twins_are_asked_about_both_once() -> None:
    event = make_event()
    rows = [make_row(event) for _ in range(3)]
    one, other, third = (row.enrollment_id for row in rows)
    pairs = [Pair(one, other, 40, 30.0), Pair(one, third, 20, 12.0)]
    raise_questions(event, rows, pairs, 3, NOW)
    cases = {case.enrollment_id: case for case in Case.objects.filter(reason=Reason.TWIN)}
    assert set(cases) == {one, other, third}
    assert cases[one].evidence["other"] == rows[1].enrollment.pseudonym
    assert cases[third].evidence["other"] == rows[0].enrollment.pseudonym


@pytest.mark.django_db
def test_without_the_rule_a_person_is_asked() -> None:
    event = make_event(excludes_automatically=False)
    rows = [clicker(event), *(make_row(event) for _ in range(39))]
    raise_questions(event, rows, [], 40, NOW)
    assert asked(event) == [(rows[0].enrollment_id, Reason.UNRELIABLE, State.OPEN)]
    assert not Exclusion.objects.exists()


@pytest.mark.django_db
def test_the_rule_excludes_up_to_five_per_cent_and_then_asks() -> None:
    event = make_event(excludes_automatically=True)
    bad = [clicker(event, judgments) for judgments in (50, 300, 100)]
    rows = [*bad, *(make_row(event) for _ in range(37))]
    raise_questions(event, rows, [], 40, NOW)
    out = list(Exclusion.objects.order_by("pk").values_list("enrollment", flat=True))
    assert out == [bad[1].enrollment_id, bad[2].enrollment_id]
    assert (bad[0].enrollment_id, Reason.UNRELIABLE, State.OPEN) in asked(event)
    # Nobody more, however often it runs, and not whom a person has reinstated.
    reviewer = make_user("rita")
    for exclusion in Exclusion.objects.all():
        reinstate(exclusion, Ruling(reviewer, LATER, "They read."))
    raise_questions(event, rows, [], 40, LATER)
    assert not Exclusion.objects.in_force().exists()


@pytest.mark.django_db
def test_once_judging_has_ended_it_only_proposes() -> None:
    event = make_event(excludes_automatically=True, state=Event.State.CLOSED)
    rows = [clicker(event), *(make_row(event) for _ in range(39))]
    raise_questions(event, rows, [], 40, NOW)
    assert asked(event) == [(rows[0].enrollment_id, Reason.UNRELIABLE, State.OPEN)]


def test_who_disagrees_and_passes_the_controls_is_never_removed() -> None:
    low, error = np.array([0.05, 0.05, 0.05, 0.5]), np.full(4, 0.05)
    on_controls = np.array([1.0, 0.1, 0.1, 0.1])
    controls, judgments = np.array([20, 20, 7, 20]), np.array([10, 20, 30, 40])
    found = choose_removals(
        (low, error), (on_controls, error), controls, judgments, people=100, before=0
    )
    assert (found.removed, found.asked) == ([1], [])
    used_up = choose_removals(
        (low, error), (on_controls, error), controls, judgments, people=100, before=5
    )
    assert (used_up.removed, used_up.asked) == ([], [1])

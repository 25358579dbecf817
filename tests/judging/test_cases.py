"""Cases: opened by screens, decided once, by a person with a reason or by the event's own rule."""

from datetime import timedelta

import pytest

from arena.errors import ArenaError, ConflictError
from arena.events.decision_record import Ruling
from arena.events.models import Enrollment, Event
from arena.judging.models import Case, Exclusion
from arena.judging.review.cases import (
    Question,
    count_automatic_exclusions,
    dismiss,
    exclude_automatically,
    exclude_for,
    exclude_on_review,
    find_reinstated,
    open_cases,
    reinstate,
)
from arena.people.models import User
from tests.factories import NOW, make_enrollment, make_event, make_user

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
State, Reason = Case.State, Case.Reason


@pytest.fixture
def event() -> Event:
    return make_event()


@pytest.fixture
def reviewer() -> User:
    return make_user("rita")


def ask(who: Enrollment, reason: str = Reason.GAP, judgments: int = 50) -> Question:
    return Question(who.pk, reason, {"on_controls": 1.0}, judgments)


def open_one(event: Event, who: Enrollment, reason: str = Reason.GAP) -> Case:
    (case,) = open_cases(event, [ask(who, reason)], NOW)
    return Case.objects.get(uuid=case.uuid)


def test_a_question_is_asked_once(event: Event) -> None:
    who = make_enrollment(event)
    case = open_one(event, who)
    assert (case.state, case.evidence, case.opened_by) == (State.OPEN, {"on_controls": 1.0}, None)
    assert open_cases(event, [ask(who, judgments=500)], NOW) == []
    assert len(open_cases(event, [ask(who, Reason.RIGGING)], NOW)) == 1


def test_a_dismissed_question_is_asked_again_at_twice_the_judgments(
    event: Event, reviewer: User
) -> None:
    who = make_enrollment(event)
    case = open_one(event, who)
    with pytest.raises(ArenaError, match="Say why"):
        dismiss(case, Ruling(reviewer, LATER, "  "))
    dismiss(case, Ruling(reviewer, LATER, "A taste of their own."))
    case.refresh_from_db()
    assert (case.state, case.decided_by, case.decided_at) == (State.DISMISSED, reviewer, LATER)
    assert case.note == "A taste of their own."
    assert open_cases(event, [ask(who, judgments=99)], LATER) == []
    assert len(open_cases(event, [ask(who, judgments=100)], LATER)) == 1


def test_a_case_is_decided_once(event: Event, reviewer: User) -> None:
    who = make_enrollment(event)
    case = open_one(event, who)
    dismiss(case, Ruling(reviewer, LATER, "Fine."))
    with pytest.raises(ConflictError, match="already"):
        exclude_for(case, Ruling(reviewer, LATER, "Not fine."))
    assert not who.exclusions.exists()


def test_an_exclusion_ends_every_open_case_and_reinstating_says_so(
    event: Event, reviewer: User
) -> None:
    who = make_enrollment(event)
    case, other = open_one(event, who), open_one(event, who, Reason.RIGGING)
    exclusion = exclude_for(case, Ruling(reviewer, LATER, "Reads controls only."))
    case.refresh_from_db()
    other.refresh_from_db()
    assert (case.exclusion, case.state, other.state) == (exclusion, State.EXCLUDED, State.EXCLUDED)
    assert (exclusion.reason, exclusion.created_by) == (Exclusion.Reason.UNRELIABLE, reviewer)
    reinstate(exclusion, Ruling(reviewer, LATER, "A mistake."))
    case.refresh_from_db()
    assert (case.state, case.note) == (State.REINSTATED, "A mistake.")
    assert find_reinstated(event) == {who.pk}


def test_a_reviewers_own_finding_opens_a_case_that_is_decided(event: Event, reviewer: User) -> None:
    who = make_enrollment(event)
    waiting = open_one(event, who)
    exclusion = exclude_on_review(who, "organizer", Ruling(reviewer, NOW, "Asked to."))
    waiting.refresh_from_db()
    assert waiting.state == State.EXCLUDED
    case = exclusion.case
    assert (case.reason, case.state, case.opened_by) == (Reason.REVIEW, State.EXCLUDED, reviewer)
    with pytest.raises(ConflictError):
        exclude_on_review(who, "organizer", Ruling(reviewer, NOW, "Again."))
    assert Case.objects.count() == 2


def test_the_events_own_rule_opens_a_case_too(event: Event, reviewer: User) -> None:
    who = make_enrollment(event)
    exclude_automatically(event, ask(who, Reason.UNRELIABLE), NOW)
    case = Case.objects.get(enrollment=who)
    assert (case.state, case.decided_by, case.exclusion.created_by) == (State.EXCLUDED, None, None)
    assert count_automatic_exclusions(event) == 1
    exclude_automatically(event, ask(who, Reason.UNRELIABLE, 500), NOW)  # twice is once
    assert who.exclusions.count() == 1
    reinstate(case.exclusion, Ruling(reviewer, LATER, "They read."))
    assert count_automatic_exclusions(event) == 1

"""How answers are given: what is taken, kept with the assignment, and erased with the person."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from arena.events.joining.terms import publish_terms
from arena.events.models import Enrollment, Event, Matchup
from arena.judging.behaviour import (
    CODE_LENGTH,
    COUNT_STEPS,
    SECOND_STEPS,
    Behaviour,
    check_code,
    read_code,
)
from arena.judging.leaving.erasure import erase_contributor, finish_erasures
from arena.judging.ledger import seal_event, verify_ledger
from arena.judging.models import Answer, Assignment, Judgment
from arena.judging.recording import check_answers, record_judgment
from arena.judging.skipping import skip_assignment
from tests.factories import (
    NOW,
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchups,
)
from tests.judging.cast import HTMX, Cast
from tests.services import ROOT

pytestmark = pytest.mark.django_db
CODE = "3a10027"
NOT_CODES = ["", "3a1002", "3a100277", "3A10027", "3a1002g", "3a1002\n", "٣a10027", '{"keys": 3}']


def stored(assignment: Assignment) -> str | None:
    return Assignment.objects.values_list("behaviour", flat=True).get(pk=assignment.pk)


def judge(
    cast: Cast, code: str | None, assignment: Assignment | None = None, **posted: str
) -> None:
    """An answer from the screen with this summary; None: the page sends no such field."""
    shown = assignment or cast.assignment()
    form = {"preference": "a1"} | posted | ({} if code is None else {"behaviour": code})
    reply = cast.client.post(reverse("judging:judge", args=[shown.uuid]), form, **HTMX)
    assert reply.status_code == 200


# --- What is taken and what is dropped ------------------------------------------------------------
def test_a_code_says_seven_numbers() -> None:
    assert read_code(CODE) == Behaviour(3, 32, 1, 0, 0, 2, 20)
    assert read_code("f" * CODE_LENGTH) == Behaviour(192, 192, 192, 192, 600, 600, 600)


@pytest.mark.parametrize("posted", NOT_CODES)
def test_what_is_no_code_is_none(posted: str) -> None:
    assert check_code(CODE) == CODE
    assert check_code(posted) is None


def test_the_page_has_the_same_steps() -> None:
    script = (ROOT / "arena/static/js/behaviour.js").read_text()
    found = dict(re.findall(r"const (\w+_STEPS) = (\[[\d, ]+\]);", script))
    assert json.loads(found["COUNT_STEPS"]) == list(COUNT_STEPS)
    assert json.loads(found["SECOND_STEPS"]) == list(SECOND_STEPS)
    assert len(COUNT_STEPS) == len(SECOND_STEPS) == 16


def test_it_is_stored_with_the_answer() -> None:
    cast = Cast()
    shown = cast.assignment()
    judge(cast, CODE, shown)
    assert stored(shown) == CODE
    assert Judgment.objects.get().assignment == shown


@pytest.mark.parametrize("code", [None, *NOT_CODES])
def test_anything_else_is_dropped_and_the_answer_stays(code: str | None) -> None:
    cast = Cast()
    shown = cast.assignment()
    judge(cast, code, shown)
    assert stored(shown) is None
    assert Judgment.objects.counted().count() == 1


def test_an_event_that_keeps_none_neither_asks_nor_takes() -> None:
    cast = Cast(keeps_behaviour=False)
    shown = cast.assignment()
    address = reverse("judging:judge", args=[shown.uuid])
    assert "behaviour" not in cast.client.get(address).content.decode()
    judge(cast, CODE, shown)
    assert stored(shown) is None
    Event.objects.update(keeps_behaviour=True)
    page = cast.client.get(reverse("judging:judge", args=[cast.assignment().uuid]))
    assert 'name="behaviour" value=""' in page.content.decode()
    assert "js/behaviour" in page.content.decode()


def test_nobody_is_measured_before_they_accept_terms_that_say_so() -> None:
    cast = Cast(keeps_behaviour=False)
    accepted = publish_terms(cast.event, keeps_behaviour=False)
    Enrollment.objects.update(terms=accepted, terms_at=NOW)
    shown = cast.assignment()
    Event.objects.update(keeps_behaviour=True)
    newer = publish_terms(cast.event, keeps_behaviour=True)
    address = reverse("judging:judge", args=[shown.uuid])
    assert "behaviour" not in cast.client.get(address).content.decode()
    cast.client.post(address, {"preference": "a1", "behaviour": CODE})
    assert stored(shown) is None
    Enrollment.objects.update(terms=newer)
    again = cast.assignment()
    judge(cast, CODE, again)
    assert stored(again) == CODE


def test_a_revision_and_a_repeat_leave_that_of_the_first_answer() -> None:
    cast = Cast()
    shown = cast.assignment()
    judge(cast, CODE, shown)
    judge(cast, "0000000", shown)
    judge(cast, "0000000", shown, preference="b1", replaces="0")
    assert Judgment.objects.standing().get().revision == 1
    assert stored(shown) == CODE


def test_late_answers_and_answers_to_skips_bring_theirs() -> None:
    cast = Cast()
    expired = cast.assignment()
    Assignment.objects.filter(pk=expired.pk).update(
        state="expired", lease_until=timezone.now() - timedelta(minutes=1)
    )
    judge(cast, CODE, expired)
    skipped = cast.assignment()
    skip_assignment(skipped, "length", now=timezone.now())
    judge(cast, CODE, skipped, replaces="skip")
    assert (stored(expired), stored(skipped)) == (CODE, CODE)


def test_it_takes_no_statement_more_for_controls_and_others_alike() -> None:
    cast = Cast(matchups=60, controls=12)
    judge(cast, CODE)
    counts: dict[str, set[tuple[str, ...]]] = {}
    for number in range(30):
        shown, has_reserve = cast.assignment(), cast.has_reserve()
        with CaptureQueriesContext(connection) as queries:
            judge(cast, CODE if number % 2 else "", shown)
        statements = tuple(re.sub(r"\d+|'[^']*'", "?", query["sql"])[:40] for query in queries)
        if has_reserve:  # else a chunk was built as well
            counts.setdefault(shown.matchup.role, set()).add(statements)
    assert counts[Matchup.Role.ORDINARY] == counts[Matchup.Role.CONTROL]
    assert len(counts[Matchup.Role.ORDINARY]) == 1


# --- Where it must not be, and how it goes (exports: tests/exports/test_behaviour.py) ----------
def test_the_chain_stays_as_it_was_and_still_finds_what_counts() -> None:
    event = make_event()
    make_matchups(event, make_competitors(event, 2), 3)
    for _ in range(3):
        make_judgment(make_enrollment(event))
    seal_event(event.pk, NOW)
    assert verify_ledger(event.pk) is None
    Assignment.objects.update(behaviour=CODE)
    assert verify_ledger(event.pk) is None
    Answer.objects.filter(outcome__isnull=False).update(outcome=-3)
    assert verify_ledger(event.pk) is not None


def test_it_is_erased_with_the_person_and_nobody_elses() -> None:
    cast = Cast()
    judge(cast, CODE)
    other = make_enrollment(cast.event)
    theirs = make_judgment(other).assignment
    Assignment.objects.filter(pk=theirs.pk).update(behaviour=CODE)
    open_one = cast.assignment()
    erase_contributor(cast.enrollment.user, NOW)
    kept = Assignment.objects.exclude(behaviour=None)
    assert [assignment.enrollment for assignment in kept] == [other]
    # An answer that was under way in another tab.
    open_one.behaviour = CODE
    record_judgment(open_one, check_answers(open_one, {"preference": "a1"}), now=NOW)
    assert stored(open_one) == CODE
    finish_erasures(NOW + timedelta(minutes=10))
    assert stored(open_one) is None
    assert kept.get().enrollment == other

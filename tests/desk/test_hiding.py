"""What hides the controls, on their page: the regime, two buttons, and what accounts could find."""

from datetime import timedelta

import pytest
from django.test import Client

from arena.desk.queries.hiding import count_showings_left, report_exposure, report_hiding
from arena.events.models import Control, Event, Matchup
from arena.judging.models import Assignment
from leaderboard.contributors.exposure import compute_exposure
from leaderboard.models import Exposure
from leaderboard.tasks import measure_exposure
from tests.desk.cast import signed_in, url
from tests.factories import (
    NOW,
    make_control,
    make_enrollment,
    make_judgment,
    make_matchups,
    make_membership,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(event: Event) -> Event:
    """60 matchups and three controls, which are too few."""
    make_matchups(event, list(event.competitors.all()), 54)
    for _ in range(3):
        make_control(event)
    return event


def page(desk: Client, event: Event, name: str = "controls", **headers: str) -> str:
    return desk.get(url(name, event), **headers).content.decode()


def add_controls(event: Event, count: int) -> None:
    for _ in range(count):
        make_control(event)


# --- the buttons -------------------------------------------------------------------------------
def test_a_short_pool_gets_its_anchors_after_a_question(desk: Client, event: Event) -> None:
    assert "Nothing hides the controls" in page(desk, event)
    assert "Make 6 anchors" in page(desk, event)
    asked = desk.post(url("anchors", event)).content.decode()
    assert "Make 6 ordinary matchups anchors?" in asked
    assert "of 100 judgments about 22" in asked
    assert not event.matchups.filter(role="anchor").exists()
    desk.post(url("anchors", event), {"sure": "yes"})
    assert event.matchups.filter(role="anchor").count() == 6
    told = page(desk, event)
    assert "Anchors: 6 matchups that everybody may meet" in told
    assert "Of 100 judgments about 22 are of anchors" in told
    assert "Make 6 anchors" not in told
    again = desk.post(url("anchors", event), {"sure": "yes"}, follow=True).content.decode()
    assert "There are anchors enough." in again


def test_a_matched_pool_offers_none(desk: Client, event: Event) -> None:
    add_controls(event, 6)
    told = page(desk, event)
    assert "Matched pool: 9 controls (at least 8 are needed)" in told
    assert "Anchors are ordinary matchups" not in told
    assert url("anchors", event) not in told


def test_tie_controls_after_a_question(desk: Client, event: Event) -> None:
    assert "tie control" not in page(desk, event)
    add_controls(event, 6)
    assert "Make 1 tie control" in page(desk, event)
    assert "Make 1 tie control?" in desk.post(url("ties", event)).content.decode()
    desk.post(url("ties", event), {"sure": "yes"})
    assert Control.objects.filter(key__sign=0).count() == 1
    assert event.matchups.filter(role="ordinary", retired_at=None).count() == 59
    again = desk.post(url("ties", event), {"sure": "yes"}, follow=True).content.decode()
    assert "There are tie controls enough." in again


def test_nothing_is_offered_once_the_event_is_over(desk: Client, event: Event) -> None:
    add_controls(event, 9)
    Event.objects.filter(pk=event.pk).update(state=Event.State.CLOSED)
    event.refresh_from_db()
    report = report_hiding(event, NOW)
    assert (report.anchors_offered, report.ties_offered) == (0, 0)
    assert report_exposure(event) is None


def test_reviewers_press_no_button(event: Event) -> None:
    reviewer = make_user()
    make_membership(event, reviewer)
    for name in ("anchors", "ties"):
        assert signed_in(reviewer).post(url(name, event), {"sure": "yes"}).status_code == 404


# --- when no control is left -------------------------------------------------------------------
def test_the_page_says_how_long_controls_last_and_from_when_on_none_is_left(
    desk: Client, event: Event
) -> None:
    add_controls(event, 5)
    assert count_showings_left(event, NOW) == (24, None)
    assert "They can be shown 24 more times, enough for about 214 judgments" in page(desk, event)
    make_judgment(make_enrollment(event))  # with reserves behind it
    taken = Assignment.objects.filter(matchup__role="control").count()
    assert taken
    assert count_showings_left(event, NOW) == (24 - taken, None)
    for number, control in enumerate(event.matchups.filter(role="control")):
        for _ in range(3 - control.assignments.count()):
            show(control, NOW + timedelta(minutes=number))
    last = NOW + timedelta(minutes=7)
    assert count_showings_left(event, NOW) == (0, last)
    assert "since 1 Nov 2026, 12:07 turns of controls are ordinary ones" in page(desk, event)
    # A skip that is final gives one back.
    final = Assignment.objects.filter(matchup__role="control", state="done").first()
    Assignment.objects.filter(pk=final.pk).update(state="skipped", lease_until=NOW)
    assert count_showings_left(event, NOW)[0] == 1


def show(control: Matchup, at) -> None:
    person = make_enrollment(control.event)
    Assignment.objects.create(
        enrollment=person,
        matchup=control,
        ordinal=1,
        order=[0, 1],
        state="done",
        reserved_at=at,
        shown_at=at,
        lease_until=at,
    )


# --- what colluding accounts could find out ------------------------------------------------------
def test_the_page_waits_for_a_worker_and_then_says_what_was_found(
    desk: Client, event: Event
) -> None:
    waiting = page(desk, event)
    assert "is being computed" in waiting
    assert f'hx-get="{url("controls", event)}"' in waiting
    part = page(desk, event, HTTP_HX_REQUEST="true")
    assert "is being computed" in part
    assert "<html" not in part
    measure_exposure(event.pk)
    told = page(desk, event, HTTP_HX_REQUEST="true")
    assert "hx-get" not in told
    assert "By prompt" in told
    assert [row["accounts"] for row in Exposure.objects.get().result["accounts"]] == [10, 5, 2]
    # Three controls that everybody meets, and sixty matchups that three do.
    report = report_exposure(event)
    assert report is not None
    assert report.rows[0].by_matchup > 80
    assert f"{report.rows[0].by_matchup} %" in told


def test_other_numbers_make_it_stale(desk: Client, event: Event) -> None:
    compute_exposure(event, NOW)
    assert report_exposure(event).is_current
    make_control(event)
    told = page(desk, event)
    assert "being computed anew" in told
    assert "By matchup" in told
    assert compute_exposure(event, NOW) is not None
    assert compute_exposure(event, NOW) is None
    assert report_exposure(event).is_current


def test_one_worker_is_asked_for_the_same_numbers(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr("leaderboard.tasks.measure_exposure.delay", asked.append)
    for _ in range(3):
        assert not report_exposure(event).is_current
    assert asked == [event.pk]
    make_control(event)
    report_exposure(event)
    assert len(asked) == 2
    compute_exposure(event, NOW)
    assert report_exposure(event).is_current
    assert len(asked) == 2


def test_the_same_numbers_give_the_same_result(event: Event) -> None:
    first = compute_exposure(event, NOW).result
    Exposure.objects.all().delete()
    assert compute_exposure(event, NOW).result == first


def test_the_checklist_says_it_to_organizers(desk: Client, event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(state=Event.State.DRAFT)
    event.refresh_from_db()
    compute_exposure(event, NOW)
    assert "By prompt" in page(desk, event, "questions")
    assert page(desk, event).count('id="exposure"') == 1
    reviewer = make_user()
    make_membership(event, reviewer)
    told = page(signed_in(reviewer), event, "overview")
    assert "Before opening" in told
    assert "By prompt" not in told


def test_without_controls_there_is_nothing_to_find(desk: Client, event: Event) -> None:
    event.matchups.filter(role="control").delete()
    assert report_exposure(event) is None
    assert "What hides them" not in page(desk, event)
    assert not Exposure.objects.exists()

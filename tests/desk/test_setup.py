"""Set-up: times, terms, ways into a private event, a new code for one seat."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from arena.events.joining.terms import current_terms
from arena.events.models import Event
from arena.judging.models import Assignment
from arena.people.models import Seat, User
from arena.people.seats.provisioning import provision_seats
from tests.desk.cast import url
from tests.desk.test_desk import FORM, QUESTIONS
from tests.factories import NOW, make_control, make_enrollment, make_event, make_judgment

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
TERMS = {
    "licence": "CC0-1.0",
    "public_release": "Everything but your name.",
    "minimum_age": "16",
    "content_warning": "",
    "assistance": "A dictionary, and nothing else.",
    "prize_rules": "One a person.",
    "why": "It was asked for.",
}


def as_shown(form: Any) -> dict[str, str]:
    """What a browser sends back of a form that nobody touched."""
    texts = {field.name: field.value() for field in form}
    shown = {name: form[name].subwidgets[0].data["value"] for name in ("opens_at", "closes_at")}
    return {name: value for name, value in (texts | shown).items() if value not in (None, False)}


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_what_nobody_touched_stays_as_it_was(desk: Client, event: Event, zone: str) -> None:
    # At half past one on this day, clocks in Los Angeles show the same minute twice.
    opens, closes = (
        datetime(2031, 4, 30, 9, 0, 7, tzinfo=UTC),
        datetime(2031, 11, 2, 9, 30, tzinfo=UTC),
    )
    Event.objects.filter(pk=event.pk).update(timezone=zone, opens_at=opens, closes_at=closes)
    form = desk.get(url("event", event)).context["form"]
    assert desk.post(url("event", event), as_shown(form)).status_code == 302
    event.refresh_from_db()
    assert (event.opens_at, event.closes_at, event.timezone) == (opens, closes, zone)
    assert event.guidelines.count() == 1
    form = desk.get(url("overview", event)).context["deadline_form"]
    shown = form["closes_at"].subwidgets[0].data["value"]
    desk.post(
        url("state", event), {"to": "extended", "closes_at": shown, "why": "It was asked for."}
    )
    event.refresh_from_db()
    assert event.closes_at == closes


def test_another_zone_keeps_what_the_clock_says(desk: Client, event: Event) -> None:
    desk.post(url("event", event), FORM)
    desk.post(url("event", event), FORM | {"timezone": "Asia/Tokyo"})
    event.refresh_from_db()
    assert event.closes_at == datetime(2031, 5, 1, 9, 0, tzinfo=UTC)


def test_changed_terms_are_a_new_version(desk: Client, event: Event) -> None:
    for _ in range(2):
        assert desk.post(url("terms", event), TERMS).status_code == 302
    terms = event.terms.get()
    assert (terms.version, terms.minimum_age, terms.licence) == (1, 16, "CC0-1.0")
    assert terms.assistance == "A dictionary, and nothing else."
    desk.post(url("terms", event), TERMS | {"minimum_age": "18"})
    assert current_terms(event).version == 2
    event.refresh_from_db()
    assert event.licence == "CC0-1.0"
    assert desk.post(url("terms", event), TERMS | {"minimum_age": "old"}).status_code == 422
    assert event.terms.count() == 2
    desk.post(url("terms", event), TERMS | {"minimum_age": "18", "assistance": "None."})
    assert (current_terms(event).version, current_terms(event).assistance) == (3, "None.")


def test_keeping_how_answers_are_given_is_said_in_the_terms(desk: Client, event: Event) -> None:
    page = desk.get(url("questions", event)).content.decode()
    assert "Keep how an answer was given (pace, focus, paste)" in page
    assert page.index("More settings") < page.index("Keep how an answer was given")
    desk.post(url("terms", event), TERMS)
    assert current_terms(event).keeps_behaviour
    off = {name: value for name, value in QUESTIONS.items() if name != "keeps_behaviour"}
    make_enrollment(event)
    asked = desk.post(url("questions", event), off).content.decode()
    assert "asked to accept the new terms" in asked
    event.refresh_from_db()
    assert event.keeps_behaviour
    for _ in range(2):
        desk.post(url("questions", event), off | {"sure": "yes"})
    event.refresh_from_db()
    terms = current_terms(event)
    assert (event.keeps_behaviour, terms.keeps_behaviour, terms.version) == (False, False, 2)
    assert terms.assistance == "A dictionary, and nothing else."
    desk.post(url("questions", event), QUESTIONS | {"sure": "yes"})
    assert current_terms(event).version == 3


def test_the_events_licence_is_that_of_its_terms(desk: Client, event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(prize="A pen")
    desk.post(url("event", event), FORM | {"licence": "CC-BY-SA-4.0", "prize": "A pen"})
    assert not event.terms.exists()
    desk.post(url("terms", event), TERMS)
    desk.post(url("event", event), FORM | {"licence": "CC-BY-4.0", "prize": "A pen"})
    assert current_terms(event).licence == "CC-BY-4.0"
    assert current_terms(event).prize_rules == "One a person."


def test_another_prize_is_another_promise(desk: Client, event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(state="draft", prize="A pen")
    desk.post(url("terms", event), TERMS)
    for _ in range(2):
        desk.post(url("event", event), FORM | {"prize": "A book\r\nand a pen"})
    terms = current_terms(event)
    assert (terms.version, terms.prize, terms.prize_rules) == (
        2,
        "A book\nand a pen",
        "One a person.",
    )


def test_what_was_promised_stays_once_the_event_is_over(desk: Client, event: Event) -> None:
    desk.post(url("event", event), FORM)
    desk.post(url("terms", event), TERMS)
    Event.objects.filter(pk=event.pk).update(state="closed")
    before = Event.objects.filter(pk=event.pk).values().get()
    moved = {"title": "New", "summary": "Short", "closes_at": "2032-01-01T10:00", "prize": "Gold"}
    moved |= {"guidelines": "# Other", "timezone": "Asia/Tokyo", "licence": "MIT"}
    desk.post(url("event", event), FORM | moved)
    desk.post(url("questions", event), QUESTIONS | {"overlap": "9", "control_interval": "2"})
    desk.post(url("terms", event), TERMS | {"prize_rules": "None."})
    after = Event.objects.filter(pk=event.pk).values().get()
    changed = {name for name, value in after.items() if value != before[name]}
    assert changed == {"title", "summary"}
    assert (event.guidelines.count(), event.terms.count()) == (2, 1)
    assert event.questions.filter(name="comment").exists()
    for name in ("event", "questions", "terms"):
        assert b"can no longer be changed" in desk.get(url(name, event)).content


def test_rare_settings_are_folded_away_and_saved(desk: Client, event: Event) -> None:
    folded = {"freeze_minutes": "0", "grace_minutes": "3"}
    desk.post(url("event", event), FORM | folded)
    desk.post(url("questions", event), QUESTIONS | {"recurrence_gap": "2", "counts_machine": "on"})
    event.refresh_from_db()
    assert (event.freeze_minutes, event.grace_minutes, event.recurrence_gap) == (0, 3, 2)
    assert (event.counts_imported, event.counts_machine) == (False, True)
    wrong = desk.post(url("event", event), FORM | {"grace_minutes": "-1"})
    assert wrong.status_code == 422
    assert b"<details open>" in wrong.content


def test_two_answers_leave_no_control_without_its_right_one(desk: Client, event: Event) -> None:
    make_control(event, sign=0)
    posted = QUESTIONS | {"scale": "2"}
    assert desk.post(url("questions", event), posted).status_code == 422


def test_domains_are_kept_one_a_line(desk: Client, event: Event) -> None:
    private = FORM | {"is_private": "on", "needs_approval": "on"}
    desk.post(url("event", event), private | {"email_domains": "@Example.org, uni.example"})
    event.refresh_from_db()
    assert (event.email_domains, event.needs_approval) == ("example.org\nuni.example", True)
    response = desk.post(url("event", event), private | {"email_domains": "somewhere"})
    assert response.status_code == 422


@pytest.mark.parametrize("kind", ["printed", "open"])
def test_one_seat_gets_a_new_code(desk: Client, event: Event, organizer: User, kind: str) -> None:
    provision_seats(event.seats, 1, kind, NOW)
    Seat.objects.update(claimed_at=NOW)
    user = Seat.objects.get().user
    make_judgment(make_enrollment(event, user))
    page = desk.post(
        url("reissue_seat", event), {"username": f" {user.username} ", "sure": "yes"}, follow=True
    )
    code = page.context["slip"]["code"]
    assert code.encode() in page.content
    assert "no-store" in page.headers["Cache-Control"]
    assert bool(page.context["slip"]["link"]) == (kind == "printed")
    assert Client().login(username=user.username, password=code)
    assert event.judgments.count() == 1
    assert code.encode() in desk.get(url("seats", event)).content  # the page loaded again
    assert code.encode() not in desk.get(url("seats", make_event(organizer=organizer))).content
    desk.post(url("reissue_seat", event), {"handed": "yes"})
    assert code.encode() not in desk.get(url("seats", event)).content


def test_another_events_seat_is_not_there(desk: Client, event: Event) -> None:
    other = make_event()
    provision_seats(other.seats, 1, "printed", NOW)
    before = Seat.objects.get().user.password
    username = Seat.objects.get().user.username
    page = desk.post(url("reissue_seat", event), {"username": username}, follow=True)
    assert b"No seat of this event" in page.content
    assert Seat.objects.get().user.password == before
    page = desk.post(url("reissue_seat", event), {}, follow=True)
    assert b"No seat of this event" in page.content


def test_an_open_seat_nobody_has_taken_has_no_code(desk: Client, event: Event) -> None:
    provision_seats(event.seats, 1, "open", NOW)
    posted = {"username": Seat.objects.get().user.username, "sure": "yes"}
    page = desk.post(url("reissue_seat", event), posted, follow=True)
    assert b"Nobody has taken this seat yet" in page.content


def test_a_matchup_is_seen_as_a_contributor_would(desk: Client, event: Event) -> None:
    assert url("preview", event).encode() in desk.get(url("questions", event)).content
    page = desk.get(url("preview", event))
    matchup = event.matchups.order_by("pk").first()
    for place in matchup.places.select_related("response"):
        assert place.response.text.encode() in page.content
    assert b"Zyxomodel" not in page.content
    assert b"<div inert>" in page.content
    assert not Assignment.objects.exists()
    matchup.refresh_from_db()
    assert matchup.open_slots == event.overlap


def test_without_records_the_preview_leads_to_the_import(desk: Client, event: Event) -> None:
    event.records.all().delete()
    assert desk.get(url("preview", event)).headers["Location"].endswith("/import/")


def test_what_is_missing_before_opening_leads_to_its_step(desk: Client, event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(state=Event.State.DRAFT)
    page = desk.get(url("overview", event)).content.decode()
    checklist = page[page.index('aria-labelledby="checklist"') :]
    for step in ("controls", "seats"):
        assert f'href="{url(step, event)}"' in checklist
    at_seats = desk.get(url("seats", event)).content.decode()
    checklist = at_seats[at_seats.index('aria-labelledby="checklist"') :]
    assert f'href="{url("seats", event)}"' not in checklist
    assert f'href="{url("controls", event)}"' in checklist

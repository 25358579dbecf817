"""The controls of an event: which side is right, a key corrected or withdrawn, a prize's pool."""

import pytest
from django.test import Client

from arena.events.models import Control, Event, Matchup, MatchupResponse, Record
from arena.judging.ledger import seal_event
from leaderboard.snapshots.refresh import fingerprint_of
from tests.desk.cast import url
from tests.desk.test_desk import FORM
from tests.desk.test_records import texts
from tests.factories import (
    NOW,
    make_control,
    make_enrollment,
    make_judgment,
    make_matchup,
    make_matchup_of,
)

pytestmark = pytest.mark.django_db


def post(desk: Client, event: Event, matchup: Matchup, act: str, **data: str) -> str:
    address = url("matchup", event, matchup.record.external_id)
    page = desk.post(address, {"key": matchup.key, "act": act, "sure": "yes"} | data, follow=True)
    return page.content.decode()


def control_forms(desk: Client, event: Event, record: Record):
    return desk.get(url("record", event, record.external_id)).context["control_forms"]


def test_the_choices_name_the_texts_in_the_order_of_the_key(desk: Client, event: Event) -> None:
    matchup = event.matchups.select_related("record").first()
    first, second = matchup.places.all()
    # The rows of the places say nothing about their order.
    for place in (first, second):
        place.delete()
    for place in (second, first):
        MatchupResponse.objects.create(
            matchup=matchup, response=place.response, position=place.position
        )
    (form,) = control_forms(desk, event, matchup.record)
    labels = [label for _value, label in form.fields["expected"].choices]
    assert labels[0] == f"{first.response.competitor}: {first.response.text}"
    assert labels[2] == f"{second.response.competitor}: {second.response.text}"
    assert [value for value, _label in form.fields["expected"].choices] == ["a", "tie", "b"]


def test_every_matchup_of_a_record_has_its_own_choices(desk: Client, event: Event) -> None:
    control = make_control(event, texts=("The sky is blue.", "The sky is " + "green " * 30))
    record, (_one, other) = control.record, control.record.responses.order_by("pk")
    third = record.responses.create(text="The sky is grey.")
    make_matchup_of(record, [other, third])
    seen = [form.sides for form in control_forms(desk, event, record)]
    assert [side[:16] for side in seen[0]] == ["“The sky is blue", "“The sky is gree"]
    assert [side[:16] for side in seen[1]] == ["“The sky is gree", "“The sky is grey"]
    assert max(len(side) for sides in seen for side in sides) < 70


def test_a_tie_is_no_key_where_nobody_can_answer_it(desk: Client, event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(scale=2)
    matchup = event.matchups.first()
    (form,) = control_forms(desk, event, matchup.record)
    assert [value for value, _label in form.fields["expected"].choices] == ["a", "b"]
    post(desk, event, matchup, "control", expected="tie", reason="Alike.")
    assert not Control.objects.exists()


def test_a_wrong_key_is_changed_and_the_boards_follow(desk: Client, event: Event) -> None:
    control = make_control(event)
    for _ in range(5):
        make_judgment(make_enrollment(event))
    seal_event(event.pk, NOW)
    before = fingerprint_of(event)
    assert "Say which side" in post(desk, event, control, "change", expected="b", reason=" ")
    assert "key is changed" in post(desk, event, control, "change", expected="b", reason="No: B.")
    key = Control.objects.get()
    assert (key.key, key.reason) == ({"sign": -1}, "No: B.")
    assert fingerprint_of(event) != before
    (form,) = control_forms(desk, event, control.record)
    assert form.initial == {"expected": "b", "reason": "No: B."}


def test_a_withdrawn_key_measures_nobody(desk: Client, event: Event) -> None:
    control = make_control(event)
    enrollment = make_enrollment(event)
    for _ in range(5):
        make_judgment(enrollment)
    assert desk.get(url("overview", event)).context["health"].control_judgments == 1
    assert "Say why" in post(desk, event, control, "withdraw", reason=" ")
    assert "Both are right." in post(desk, event, control, "withdraw", reason="Both are right.")
    assert desk.get(url("overview", event)).context["health"].control_judgments == 0
    assert b"Key withdrawn" in desk.get(url("controls", event)).content
    assert not Matchup.objects.serving().filter(role="control").exists()
    assert "already withdrawn" in post(desk, event, control, "withdraw", reason="Again.")
    assert "key was withdrawn" in post(desk, event, control, "restore")
    post(desk, event, control, "change", expected="tie", reason="Alike.")
    assert Control.objects.get().retired_at is None
    assert Matchup.objects.serving().filter(role="control").exists()


def prize_event(event: Event, *, ordinary: int = 92, controls: int = 10) -> Event:
    """The event with a prize, so many matchups, and frequent controls."""
    Event.objects.filter(pk=event.pk).update(prize="A book", control_interval=12)
    models = list(event.competitors.all())
    for _ in range(ordinary - event.matchups.filter(role="ordinary").count()):
        make_matchup(event, models)
    for _ in range(controls):
        make_control(event)
    event.refresh_from_db()
    return event


def test_a_prize_keeps_the_controls_that_a_winner_needs(desk: Client, event: Event) -> None:
    prize_event(event, controls=11)
    first, second = event.matchups.filter(role="control").select_related("record")[:2]
    post(desk, event, first, "retire", reason="So.")
    assert "at least 10 controls" in post(desk, event, second, "retire", reason="So.")
    assert "at least 10 controls" in post(desk, event, second, "withdraw", reason="Wrong.")
    assert Matchup.objects.serving().filter(role="control").count() == 10
    assert not Control.objects.exclude(retired_at=None).exists()
    Event.objects.filter(pk=event.pk).update(state="closed")
    post(desk, event, second, "withdraw", reason="Wrong.")
    assert Control.objects.exclude(retired_at=None).count() == 1


def test_a_running_event_gets_a_prize_with_its_controls_alone(desk: Client, event: Event) -> None:
    make_control(event)
    response = desk.post(url("event", event), FORM | {"prize": "A book"})
    assert b"at least 10 controls" in response.content
    event.refresh_from_db()
    assert event.prize == ""
    prize_event(event, controls=9)
    Event.objects.filter(pk=event.pk).update(prize="")
    response = desk.post(url("event", event), FORM | {"prize": "A book"})
    assert b"A prize needs 14 controls, or two anchors" in response.content
    prize_event(event, controls=4)
    Event.objects.filter(pk=event.pk).update(prize="")
    response = desk.post(url("event", event), FORM | {"prize": "A book"})
    assert "Live boards tell anyone watching" in response.content.decode()
    Event.objects.filter(pk=event.pk).update(publish_batch=20)
    assert desk.post(url("event", event), FORM | {"prize": "A book"}).status_code == 302


def test_a_correction_copies_no_withdrawn_key(desk: Client, event: Event) -> None:
    control = make_control(event)
    Control.objects.update(retired_at=NOW)
    posted = texts(control.record) | {"turn-0": "Better?", "why": "Unclear."}
    desk.post(url("correct", event, control.record.external_id), posted | {"sure": "yes"})
    assert not Record.objects.get(replaces=control.record).matchups.exists()
    assert Control.objects.count() == 1

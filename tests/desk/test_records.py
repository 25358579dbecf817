"""Correcting a record makes a new version; single judgments are excluded and reinstated."""

import pytest
from django.test import Client

from arena.events.models import Event, Matchup, Record
from arena.judging.models import Exclusion, Judgment
from tests.desk.cast import signed_in, url
from tests.events.pairs import assert_pairs_stored
from tests.factories import make_control, make_enrollment, make_judgment, make_membership, make_user

pytestmark = pytest.mark.django_db


def texts(record: Record) -> dict[str, str]:
    """The form as it comes, with the line ends of a browser."""
    responses = record.responses.order_by("pk").values_list("text", flat=True)
    turns = [turn["content"] for turn in record.prompt]
    posted = {f"turn-{index}": text for index, text in enumerate(turns)}
    posted |= {f"response-{index}": text for index, text in enumerate(responses)}
    return {name: text.replace("\n", "\r\n") for name, text in posted.items()} | {
        "sure": "yes",
        "why": "So.",
    }


def test_a_correction_is_a_new_version_that_names_the_old(desk: Client, event: Event) -> None:
    judgment = make_judgment(make_enrollment(event))
    old = judgment.matchup.record
    seen = old.responses.order_by("pk").first().text
    posted = texts(old) | {"response-0": "Corrected **once**.\r\nTwice."}
    response = desk.post(url("correct", event, old.external_id), posted)
    new = Record.objects.get(replaces=old)
    assert new.external_id == f"{old.external_id}.v2"
    assert response.headers["Location"] == url("record", event, new.external_id)
    first = new.responses.order_by("pk").first()
    assert (first.text, first.bold) == ("Corrected **once**.\nTwice.", 1)
    assert new.prompt == old.prompt
    matchup = new.matchups.get()
    assert (matchup.role, matchup.open_slots) == ("ordinary", event.overlap)
    assert [place.response_id for place in matchup.places.all()] == list(
        new.responses.order_by("pk").values_list("pk", flat=True)
    )
    assert_pairs_stored(event, pairs=1)
    assert matchup.pair == judgment.matchup.pair
    assert not Matchup.objects.serving().filter(record=old).exists()
    judgment.refresh_from_db()
    assert judgment.matchup.record == old
    assert old.responses.order_by("pk").first().text == seen
    assert new.external_id.encode() in desk.get(url("record", event, old.external_id)).content
    assert old.external_id.encode() in desk.get(url("record", event, new.external_id)).content


def test_a_control_keeps_its_key(desk: Client, event: Event) -> None:
    control = make_control(event, sign=-1, texts=("no\n", "yes"))
    old = control.record
    desk.post(url("correct", event, old.external_id), texts(old) | {"turn-0": "Better?"})
    fresh = Matchup.objects.serving().get(role="control")
    assert (fresh.control.key, fresh.control.reason) == ({"sign": -1}, "It is so.")
    assert (fresh.open_slots, fresh.record.prompt[0]["content"]) == (0, "Better?")
    # A text that was left alone is the same to the letter.
    ordered = fresh.responses.order_by("pk").values_list("text", flat=True)
    assert list(ordered) == ["no\n", "yes"]


def test_a_correction_is_refused_where_there_is_none(desk: Client, event: Event) -> None:
    old = event.records.first()
    address, posted = url("correct", event, old.external_id), texts(old)
    assert b"Nothing has changed" in desk.post(address, posted, follow=True).content
    assert desk.post(address, posted | {"turn-0": ""}).status_code == 422
    assert not Record.objects.exclude(replaces=None).exists()
    desk.post(address, posted | {"turn-0": "Once?"})
    page = desk.post(address, posted | {"turn-0": "Twice?"}, follow=True)
    assert b"already been replaced" in page.content
    assert Record.objects.exclude(replaces=None).count() == 1


def test_versions_are_counted_on(desk: Client, event: Event) -> None:
    old = event.records.first()
    desk.post(url("correct", event, old.external_id), texts(old) | {"turn-0": "Once?"})
    second = Record.objects.get(replaces=old)
    desk.post(
        url("correct", event, second.external_id),
        texts(second) | {"turn-0": "Twice?"},
    )
    assert Record.objects.get(replaces=second).external_id == f"{old.external_id}.v3"


def test_reviewers_correct_nothing(event: Event) -> None:
    reviewer = make_user()
    make_membership(event, reviewer)
    address = url("correct", event, event.records.first().external_id)
    assert signed_in(reviewer).get(address).status_code == 404


def test_one_judgment_is_excluded_and_reinstated(desk: Client, event: Event) -> None:
    enrollment = make_enrollment(event)
    first, second = make_judgment(enrollment), make_judgment(enrollment)
    address = url("contributor", event, enrollment.public_id)
    posted = {"judgment": str(first.uuid), "act": "exclude", "reason": "broken", "note": "cut"}
    desk.post(address, posted)
    assert list(Judgment.objects.counted()) == [second]
    assert Exclusion.objects.in_force().get().judgment == first
    assert b"Shown text was broken" in desk.get(address).content
    desk.post(address, {"judgment": str(first.uuid), "act": "reinstate", "because": "No"})
    assert Judgment.objects.counted().count() == 2


def test_a_judgment_is_reached_through_its_author_alone(desk: Client, event: Event) -> None:
    mine, other = make_enrollment(event), make_enrollment(event)
    judgment = make_judgment(other)
    address = url("contributor", event, mine.public_id)
    posted = {"act": "exclude", "reason": "broken", "note": "So."}
    assert desk.post(address, posted | {"judgment": str(judgment.uuid)}).status_code == 404
    assert desk.post(address, posted | {"judgment": "7"}).status_code == 404
    assert not Exclusion.objects.exists()

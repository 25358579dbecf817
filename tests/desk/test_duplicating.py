"""A copy of an event has its settings, words and records, and nobody's judgments."""

import pytest
from django.test import Client

from arena.events.models import Category, Event, Terms
from tests.desk.cast import url
from tests.events.pairs import assert_pairs_stored
from tests.factories import NOW, make_control, make_enrollment, make_judgment

pytestmark = pytest.mark.django_db


def duplicate(desk: Client, event: Event, title: str = "Tea again") -> Event:
    response = desk.post(url("duplicate", event), {"title": title})
    assert response.status_code == 302
    return Event.objects.exclude(pk=event.pk).latest("pk")


def test_a_copy_is_a_draft_with_everything_in_service(desk: Client, event: Event) -> None:
    changed = {"scale": 7, "overlap": 2, "prize": "A book", "keeps_behaviour": False}
    Event.objects.filter(pk=event.pk).update(**changed, closes_at=NOW)
    agreed = {"minimum_age": 21, "assistance": "None.", "keeps_behaviour": False}
    Terms.objects.create(event=event, version=3, licence="CC0-1.0", **agreed)
    record = event.records.first()
    record.categories.add(Category.objects.create(event=event, slug="tea", name="Tea"))
    control = make_control(event, sign=-1, texts=("no", "yes"))
    gone = event.matchups.filter(role="ordinary").last()
    event.matchups.filter(pk=gone.pk).update(retired_at=NOW)
    make_judgment(make_enrollment(event))
    copy = duplicate(desk, event)
    assert (copy.slug, copy.state, copy.closes_at) == ("tea-again", "draft", None)
    assert (copy.scale, copy.overlap, copy.prize) == (7, 2, "A book")
    assert copy.secret != event.secret
    assert copy.seats_id not in (None, event.seats_id)
    assert (copy.guidelines.get().text, copy.guidelines.get().version) == ("# Be fair", 1)
    assert copy.keeps_behaviour is False
    assert Terms.objects.filter(event=copy, version=1, **agreed).exists()
    assert [question.name for question in copy.questions.all()] == ["preference", "comment"]
    assert copy.records.get(external_id=record.external_id).categories.get().event == copy
    assert copy.matchups.filter(role="ordinary").count() == 5
    assert set(copy.matchups.filter(role="ordinary").values_list("open_slots", flat=True)) == {2}
    copied = copy.matchups.get(role="control")
    assert (copied.control.key, copied.open_slots) == ({"sign": -1}, 0)
    assert copied.control.question.event == copy
    texts = [place.response.text for place in copied.places.all()]
    assert texts == [place.response.text for place in control.places.all()]
    for matchup in copy.matchups.prefetch_related("places__response"):
        places = list(matchup.places.all())
        assert matchup.key == ",".join(str(place.response_id) for place in places)
        assert {place.response.record_id for place in places} == {matchup.record_id}
    assert_pairs_stored(copy, pairs=1)
    assert not copy.judgments.exists()
    assert not copy.enrollments.exists()
    assert [each.user.username for each in copy.memberships.all()] == ["olga"]


def test_a_copy_changes_nothing_of_the_original(desk: Client, event: Event) -> None:
    before = list(event.matchups.order_by("pk").values())
    copy = duplicate(desk, event)
    copy.records.all().delete()
    assert list(event.matchups.order_by("pk").values()) == before
    assert event.competitors.count() == 2


def test_addresses_are_taken_once(desk: Client, event: Event) -> None:
    slugs = {duplicate(desk, event, "Tea").slug for _ in range(2)}
    assert slugs == {"tea-2", "tea-3"}
    page = desk.post(url("duplicate", event), {"title": " "}, follow=True)
    assert b"Give the new event a title" in page.content
    assert Event.objects.count() == 3

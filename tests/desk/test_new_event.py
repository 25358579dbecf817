"""A new event: its address, its time zone, and the fields that apply to it."""

import re
from zoneinfo import available_timezones

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.desk.forms.timezones import OFFERED_ZONES, list_timezones, timezone_choices
from arena.events.models import Event
from tests.desk.cast import signed_in, url
from tests.factories import make_event, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
WORDS = {"guidelines": "Be fair.", "licence": "CC0", "timezone": "UTC"}
TIMES = {"freeze_minutes": "60", "grace_minutes": "10"}


@pytest.fixture
def visitor() -> Client:
    return signed_in(make_user())


def begin(client: Client, **said: str) -> Event:
    """The event that this form makes."""
    before = set(Event.objects.values_list("pk", flat=True))
    answer = client.post(reverse("desk:new"), WORDS | TIMES | {"title": "Tea"} | said)
    assert answer.status_code == 302, answer.content.decode()
    return Event.objects.exclude(pk__in=before).get()


@pytest.mark.parametrize("title", ["日本語", "🍵🍵", "Чай", "شاي", "!!!", "— …"])
def test_a_title_in_any_script_gets_an_address_that_works(visitor: Client, title: str) -> None:
    event = begin(visitor, title=title)
    assert re.fullmatch(r"event-[a-z0-9]{6}", event.slug)
    page = visitor.get(reverse("events:event", args=[event.slug]))
    assert title in page.content.decode()
    assert begin(visitor, title=title).slug != event.slug


def test_an_address_follows_the_title_and_a_second_one_gets_a_number(visitor: Client) -> None:
    titles = ["Café crème", "Café crème", "Cafe Creme!", "x" * 120, "x" * 120]
    slugs = [begin(visitor, title=title).slug for title in titles]
    assert slugs[:3] == ["cafe-creme", "cafe-creme-2", "cafe-creme-3"]
    assert slugs[3:] == ["x" * 50, "x" * 50 + "-2"]
    assert begin(visitor, title="日本語 2026").slug == "2026"


def test_an_address_that_is_typed_and_taken_is_refused_by_name(visitor: Client) -> None:
    make_event("tea")
    answer = visitor.post(reverse("desk:new"), WORDS | TIMES | {"title": "Tea", "slug": "tea"})
    assert answer.status_code == 422
    assert "Another event already uses this address" in answer.content.decode()


def test_the_list_of_time_zones_is_short_grouped_and_says_how_far_they_are(visitor: Client) -> None:
    groups = timezone_choices(timezone.now(), "UTC")
    zones = {name: str(label) for _group, zones in groups for name, label in zones}
    assert 40 < len(zones) < 70
    assert set(zones) <= available_timezones()
    assert zones["Asia/Kolkata"] == "Delhi, Mumbai, Bengaluru (UTC+5:30)"
    assert zones["America/Phoenix"] == "Phoenix (UTC−7)"
    assert zones["UTC"] == "Coordinated universal time (UTC)"
    page = visitor.get(reverse("desk:new")).content.decode()
    assert len(re.findall("<optgroup", page)) == len(OFFERED_ZONES)
    assert "data-own-timezone" in page
    assert page.count('<option value="Africa/Asmara"></option>') == 1  # in the full list


def test_any_time_zone_can_be_chosen_and_stays_chosen(visitor: Client) -> None:
    by_script = begin(visitor, timezone="America/Godthab")
    by_name = begin(visitor, timezone="UTC", other_timezone="Pacific/Chatham")
    assert (by_script.timezone, by_name.timezone) == ("America/Godthab", "Pacific/Chatham")
    page = visitor.get(url("event", by_name)).content.decode()
    assert '<option value="Pacific/Chatham" selected>' in page
    assert "data-own-timezone" not in page
    assert "Pacific/Chatham" in list_timezones()


@pytest.mark.parametrize("field", ["timezone", "other_timezone"])
def test_what_is_no_time_zone_is_refused(visitor: Client, field: str) -> None:
    said = WORDS | TIMES | {"title": "Tea", field: "Mars/Olympus"}
    answer = visitor.post(reverse("desk:new"), said)
    assert answer.status_code == 422
    assert "Mars/Olympus" in answer.content.decode()


def test_domains_of_a_public_event_are_neither_asked_for_nor_checked(visitor: Client) -> None:
    assert begin(visitor, email_domains="not a domain!").email_domains == ""
    private = begin(visitor, is_private="on", email_domains="@Example.org")
    assert private.email_domains == "example.org"


def test_rules_of_a_prize_are_asked_for_where_there_is_one(visitor: Client) -> None:
    plain, prized = begin(visitor), begin(visitor, prize="A teapot.")
    assert "Prize rules" not in visitor.get(url("terms", plain)).content.decode()
    assert "Prize rules" in visitor.get(url("terms", prized)).content.decode()

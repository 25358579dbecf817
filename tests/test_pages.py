"""Home and the event page: the board's own numbers, and who is offered what."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.events.joining.enrolling import provision_event_seats
from arena.events.joining.terms import publish_terms
from arena.events.models import Event
from arena.judging.ledger import seal_event
from arena.people.models import Seat
from leaderboard.results.rounds import publish_event
from leaderboard.snapshots.refresh import refresh_fully
from tests.factories import (
    NOW,
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchups,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
HOME = "/"


@pytest.fixture
def event() -> Event:
    event = make_event("tea", organizer=make_user("olga"), overlap=9)
    models = make_competitors(event, 2)
    make_matchups(event, models, 5)
    enrollment = make_enrollment(event)
    for posted in ("a2", "b1", "tie"):
        make_judgment(enrollment, posted)
    seal_event(event.pk, NOW)
    refresh_fully(event, now=NOW)
    return event


def page(url: str, user=None) -> str:
    client = Client()
    if user:
        client.force_login(user)
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_home_and_event_page_show_the_boards_numbers(event: Event) -> None:
    assert "3 judgments" in " ".join(page(HOME).split())
    response = Client().get(reverse("events:event", args=["tea"]))
    assert response.context["event"].judged == 3


def test_a_visitor_starts_with_one_button_where_there_are_seats(event: Event) -> None:
    address = reverse("events:event", args=["tea"])
    assert 'name="accept"' not in page(address)
    provision_event_seats(event, 3, Seat.Kind.OPEN, NOW)
    assert 'name="accept"' in page(address)
    assert 'name="accept"' not in page(address, make_user())
    assert "you cannot judge in it" in page(address, event.memberships.get().user)


def test_my_page_leads_whoever_has_not_joined_to_joining(event: Event) -> None:
    client = Client()
    client.force_login(make_user())
    address = reverse("judging:me", args=["tea"])
    assert client.get(address).headers["Location"] == reverse("events:join", args=["tea"])
    Event.objects.update(is_private=True)
    assert client.get(address).status_code == 404


def test_an_event_that_has_yet_to_open_takes_people_and_says_when(event: Event) -> None:
    provision_event_seats(event, 3, Seat.Kind.OPEN, NOW)
    opens_at = timezone.now().replace(microsecond=0) + timedelta(days=3)
    Event.objects.update(opens_at=opens_at, timezone="Asia/Tokyo")
    address, when = reverse("events:event", args=["tea"]), opens_at.isoformat()
    visited = page(address)
    assert "See the result" not in visited
    assert "Accept and join" in visited
    assert f'<time datetime="{when}" data-local="Asia/Tokyo">' in " ".join(visited.split())
    joined = make_enrollment(event).user
    assert "Judging begins when the event opens" in page(address, joined)
    assert "Judging has not begun yet" in page(reverse("judging:next", args=["tea"]), joined)
    home = page(HOME)
    assert when in home
    assert "Join: Tea" in home
    assert "Judge: Tea" not in home


def test_what_people_may_meet_is_said_before_the_button(event: Event) -> None:
    provision_event_seats(event, 3, Seat.Kind.OPEN, NOW)
    said = {"content_warning": "There are spiders.", "assistance": "No program may help."}
    publish_terms(event, minimum_age=21, **said)
    visited = page(reverse("events:event", args=["tea"]))
    for words in said.values():
        assert visited.index(words) < visited.index("<details")
    assert visited.index("21 or older") < visited.index('name="accept"')


def test_frozen_ranks_are_said_where_they_are_seen(event: Event) -> None:
    closes_at = timezone.now() + timedelta(minutes=30)
    Event.objects.update(state="frozen", closes_at=closes_at)
    for name in ("events:event", "leaderboard:board"):
        assert "Ranks are frozen until" in page(reverse(name, args=["tea"]))
    Event.objects.update(state="open")
    for name in ("events:event", "leaderboard:board"):
        assert "Ranks are frozen until" not in page(reverse(name, args=["tea"]))


def test_a_contributor_finds_a_private_event_at_home(event: Event) -> None:
    Event.objects.update(is_private=True)
    contributor = event.enrollments.get().user
    assert "Judge: Tea" in page(HOME, contributor)
    assert "Judge: Tea" not in page(HOME, make_user())
    Event.objects.update(state="closed")
    assert "Provisional result: Tea" in page(HOME, contributor)
    assert "Provisional result: Tea" not in page(HOME)


def test_private_events_and_drafts_are_not_listed(event: Event) -> None:
    Event.objects.update(is_private=True)
    assert "Tea" not in page(HOME)
    assert Client().get(reverse("events:event", args=["tea"])).status_code == 404
    Event.objects.update(is_private=False, state="draft")
    assert "Tea" not in page(HOME)


def test_a_published_event_names_its_winner_and_its_bundle(event: Event) -> None:
    Event.objects.update(state="closed")
    event.refresh_from_db()
    refresh_fully(event, now=NOW + timedelta(minutes=1))
    bundle = reverse("exports:bundle", args=["tea", "Final result"])
    assert bundle not in page(HOME)
    publish_event(event, NOW)
    listed = page(HOME)
    assert bundle in listed
    assert "First" in listed
    assert bundle in page(reverse("events:event", args=["tea"]))
    assert Client().get(bundle).headers["Content-Type"] == "application/zip"


def test_somebody_who_looks_after_events_finds_their_desk(event: Event) -> None:
    organizer = event.memberships.get().user
    assert reverse("desk:overview", args=["tea"]) in page(HOME, organizer)
    assert reverse("desk:overview", args=["tea"]) not in page(HOME, make_user())
    assert reverse("desk:new") in page(HOME, make_user())
    assert reverse("desk:new") not in page(HOME)

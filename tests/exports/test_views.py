"""The downloads: for organizers alone, as files, and refused where the form is wrong."""

import io
import itertools
import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.test import Client
from django.urls import reverse

from arena.events.models import Event, Membership
from arena.exports.formats import FORMATS
from arena.people.models import User
from tests.exports.cast import Cast, somebody
from tests.exports.test_bundle import current
from tests.factories import NOW, make_event, make_membership

pytestmark = pytest.mark.django_db
numbers = itertools.count()
NOW_SEALED = {"name": "Week 1/final", "sealed_at": NOW}
PAGE, JUDGMENTS, PAIRS_FILE = "", "judgments.jsonl", "pairs.jsonl"
TYPES = [f"{each.name}.features.json" for each in FORMATS.values()]
FILES = [PAGE, *(each.file for each in FORMATS.values()), *TYPES]
PAIRS = {"aggregate": "none", "min_votes": 1, "min_agreement": 0, "test_share": 0, "part": "all"}


@pytest.fixture
def cast() -> Cast:
    cast = Cast()
    cast.judge_all()
    return cast


def anybody() -> User:
    """Somebody who has nothing to do with the event."""
    return somebody(f"user{next(numbers)}")


def client_of(user=None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def address(cast: Cast, file: str) -> str:
    return f"/events/{cast.event.slug}/exports/{file}"


def get(cast: Cast, file: str, query=None, user=None):
    return client_of(user or cast.organizer).get(address(cast, file), query)


def test_the_page_offers_every_file(cast: Cast) -> None:
    page = get(cast, PAGE)
    assert page.status_code == 200
    for file in FILES[1:]:
        assert f'"{address(cast, file)}"'.encode() in page.content
    assert (page.context["standing"], page.context["counted"]) == (7, 6)


def test_judgments_come_as_a_file(cast: Cast) -> None:
    response = get(cast, JUDGMENTS)
    assert response.streaming
    assert response.headers["Content-Disposition"] == 'attachment; filename="fair-judgments.jsonl"'
    assert "no-store" in response.headers["Cache-Control"]
    assert len([json.loads(line) for line in response.getvalue().splitlines()]) == 7


def test_pairs_come_as_asked(cast: Cast) -> None:
    response = get(cast, PAIRS_FILE, PAIRS)
    assert response.headers["Content-Disposition"] == 'attachment; filename="fair-pairs.jsonl"'
    assert len(response.getvalue().splitlines()) == 2
    majority = get(cast, PAIRS_FILE, PAIRS | {"aggregate": "majority"})
    assert len(majority.getvalue().splitlines()) == 1
    parts = [
        get(cast, PAIRS_FILE, PAIRS | {"test_share": 0.5, "part": part})
        for part in ("train", "test")
    ]
    assert sorted(len(part.getvalue().splitlines()) for part in parts) == [0, 2]
    assert "fair-pairs.train.jsonl" in parts[0].headers["Content-Disposition"]


@pytest.mark.parametrize(
    "wrong", [{"min_votes": 0}, {"min_agreement": 2}, {"aggregate": "random"}, {"part": ""}]
)
def test_what_cannot_be_made_is_said_on_the_page(cast: Cast, wrong) -> None:
    response = get(cast, PAIRS_FILE, PAIRS | wrong)
    assert response.status_code == 422
    assert b'class="field-error"' in response.content


@pytest.mark.parametrize("file", FILES)
def test_nobody_else_finds_them(cast: Cast, file: str) -> None:
    outsiders = [anybody(), cast.ada.user]
    for role in (Membership.Role.REVIEWER, Membership.Role.READER):
        outsiders.append(make_membership(cast.event, anybody(), role).user)
    other = anybody()
    make_event(organizer=other)
    for user in (*outsiders, other):
        assert get(cast, file, PAIRS, user).status_code == 404
    anonymous = client_of().get(address(cast, file))
    assert anonymous.status_code == 302
    assert get(cast, file, PAIRS).status_code == 200


@pytest.mark.parametrize("file", FILES)
def test_reading_only(cast: Cast, file: str) -> None:
    assert client_of(cast.organizer).post(address(cast, file)).status_code == 405


@pytest.fixture
def bundle_url(cast: Cast, settings, tmp_path: Path) -> str:
    """Where the bundle of a sealed round is."""
    settings.MEDIA_ROOT = tmp_path
    snapshot = current(cast.event)
    cast.event.snapshots.filter(pk=snapshot.pk).update(**NOW_SEALED)
    return reverse("exports:bundle", args=[cast.event.slug, "Week 1/final"])


def test_a_round_has_its_bundle(cast: Cast, bundle_url: str) -> None:
    assert bundle_url.encode() in get(cast, PAGE).content
    response = client_of(cast.organizer).get(bundle_url)
    disposition = 'attachment; filename="fair-week-1final.zip"'
    assert response.headers["Content-Disposition"] == disposition
    assert ZipFile(io.BytesIO(response.getvalue())).testzip() is None


def test_a_bundle_is_for_organizers_until_the_event_is_published(
    cast: Cast, bundle_url: str
) -> None:
    reviewer = make_membership(cast.event, anybody()).user
    for user in (None, anybody(), cast.ada.user, reviewer):
        assert client_of(user).get(bundle_url).status_code == 404
    Event.objects.update(state=Event.State.PUBLISHED)
    for user in (None, anybody(), cast.ada.user, reviewer):
        response = client_of(user).get(bundle_url)
        assert ZipFile(io.BytesIO(response.getvalue())).read("controls.jsonl")
    Event.objects.update(is_private=True)
    assert client_of().get(bundle_url).status_code == 404


def test_only_sealed_rounds_have_one(cast: Cast, bundle_url: str) -> None:
    assert client_of(cast.organizer).get(bundle_url.replace("Week", "None")).status_code == 404
    cast.event.snapshots.update(name=None, sealed_at=None)
    assert client_of(cast.organizer).get(bundle_url).status_code == 404


def test_a_bundle_that_can_no_longer_be_made_is_a_conflict(cast: Cast, bundle_url: str) -> None:
    cast.judge(cast.ben, cast.first, "a2")
    current(cast.event)
    assert client_of(cast.organizer).get(bundle_url).status_code == 409

"""No cell of any CSV that the site hands out is a formula, whatever it was made of."""

import csv
import io
import zipfile
from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from arena.events.models import Competitor, Enrollment, Event
from arena.judging.ledger import seal_event
from leaderboard.snapshots.refresh import refresh_fully
from tests.factories import make_judgment
from tests.security.cast import Side, World, make_world
from tests.security.payloads import FORMULAS, SCRIPTS
from tests.security.policy import NOBODY, ORGANIZER, URLS, Url
from tests.undoing import undone

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
STARTS = tuple("=+-@\t\r\n＝＋－＠")


@pytest.fixture(scope="module")
def hostile(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """A world whose every name begins with something that a spreadsheet would run; it is made
    once, and each test's changes to it end with the test."""
    with django_db_blocker.unblock(), undone():
        yield make_hostile_world()


def make_hostile_world() -> World:
    """The world, with such a name wherever a table might show it."""
    world, now = make_world(), timezone.now()
    side = world.public
    event = side.event
    for number, formula in enumerate(FORMULAS):
        Competitor.objects.create(
            event=event, name=formula, organization=formula, licence=f"{formula}{number}"
        )
    for competitor, formula in zip(event.competitors.all()[:3], reversed(FORMULAS), strict=False):
        competitor.name = f"{formula}!"
        competitor.save()
    Event.objects.filter(pk=event.pk).update(title=FORMULAS[0])
    Enrollment.objects.filter(pk=side.contributor.pk).update(pseudonym=FORMULAS[3])
    make_judgment(side.contributor, comment=FORMULAS[0], now=now)
    seal_event(event.pk, now)
    refresh_fully(event, now=now)
    return world


def answers(world: World, side: Side) -> Iterator[tuple[Url, HttpResponse]]:
    """What the organizer gets from every URL, and from every door of the desk."""
    organizer = world.actor(f"{side.event.slug} {ORGANIZER}")
    for url in URLS:
        path = url.path(side.arguments(url))
        if url.is_ours and url.doors.get != NOBODY:
            yield url, world.client(organizer).get(path)
        if url.name.startswith("desk:") and url.doors.post != NOBODY:
            yield url, world.client(organizer).post(path, side.form(url))


def tables(response: HttpResponse) -> Iterator[str]:
    """The CSV files in an answer: itself, or what its archive holds."""
    kind = response.headers.get("Content-Type", "")
    if kind.startswith("text/csv"):
        yield response.content.decode()
    elif kind.startswith("application/zip"):
        body = b"".join(response) if response.streaming else response.content
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for name in archive.namelist():
                if name.endswith(".csv"):
                    yield archive.read(name).decode("utf-8-sig")


def test_no_cell_is_a_formula(hostile: World) -> None:
    found = {}
    for url, response in answers(hostile, hostile.public):
        for text in tables(response):
            rows = list(csv.reader(io.StringIO(text)))
            found[url.name] = len(rows)
            for cell in (cell for row in rows for cell in row):
                assert not cell.startswith(STARTS) or is_number(cell), (url.name, cell)
    assert found.keys() >= {"leaderboard:board_csv", "desk:print_seats"}
    assert found["leaderboard:board_csv"] > len(FORMULAS)


def is_number(cell: str) -> bool:
    """Whether a cell is a plain number, which may well be negative."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("title", [*FORMULAS, *SCRIPTS[:4], "a\nb", "名前\u202e", "x" * 120])
def test_a_sheet_is_made_for_any_title(hostile: World, title: str) -> None:
    side = hostile.private
    Event.objects.filter(pk=side.event.pk).update(title=title)
    client = hostile.client(hostile.actor(f"wine {ORGANIZER}"))
    response = client.post("/events/wine/desk/seats/printed/", {"printed": "1"})
    (table,) = tables(response)
    assert len(list(csv.reader(io.StringIO(table)))) == 2

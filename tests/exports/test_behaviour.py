"""How answers were given leaves in nothing: no export, no bundle, no receipt and no public page."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from arena.events.models import Event
from arena.exports.bundle_tables import RESULTS, SOURCES
from arena.exports.formats import FORMATS
from arena.judging.models import Assignment, Judgment
from arena.judging.receipts import Receipt
from leaderboard.models import Snapshot
from leaderboard.snapshots.refresh import refresh_event
from tests.exports.cast import Cast
from tests.exports.test_bundle import current, opened
from tests.factories import NOW

pytestmark = pytest.mark.django_db
# Nothing else holds these digits.
MARK = "abcdef7"
PAGES = ("board", "board_csv", "board_json", "contributors", "method")


@pytest.fixture
def cast(settings: Any, tmp_path: Path) -> Cast:
    settings.MEDIA_ROOT = tmp_path / "uploads"
    cast = Cast()
    cast.judge_all()
    Assignment.objects.update(behaviour=MARK)
    return cast


def read_pages(cast: Cast) -> Iterator[bytes]:
    """What everybody, and a contributor, reads of the event."""
    contributor, slug = Client(), cast.event.slug
    contributor.force_login(cast.ada.user)
    names = ["judging:me", "events:event", *(f"leaderboard:{name}" for name in PAGES)]
    for name in names:
        page = contributor.get(reverse(name, args=[slug]))
        assert page.status_code == 200
        yield page.content


def read_exports(cast: Cast, folder: Path) -> Iterator[bytes]:
    """Every format, with the types of its columns."""
    for identifier in FORMATS:
        out = folder / identifier
        call_command("export", cast.event.slug, "--format", identifier, "--out", str(out))
        yield out.read_bytes()
        yield out.with_suffix(".features.json").read_bytes()


def test_it_leaves_in_nothing(cast: Cast, tmp_path: Path) -> None:
    snapshot = current(cast.event)
    Event.objects.update(state=Event.State.PUBLISHED)
    refresh_event(Event.objects.get(), now=NOW)
    snapshot = Snapshot.objects.latest()
    bundle = opened(snapshot)
    files = [bundle.read(name) for name in bundle.namelist() if not name.endswith(".py")]
    told = [*files, *read_exports(cast, tmp_path)]
    pages = list(read_pages(cast))
    uuid = str(Judgment.objects.first().uuid).encode()
    assert any(uuid in text for text in told)  # it is these judgments that leave
    assert any(b"is much better" in text for text in pages)
    assert not [text for text in told + pages if MARK.encode() in text]
    # Whether it is kept is a rule of the event, and registered.
    assert any(b"keeps_behaviour" in text for text in told)
    rest = [text.lower().replace(b"keeps_behaviour", b"") for text in told]
    assert not [text for text in rest if b"behaviour" in text]


def test_no_table_of_a_bundle_and_no_receipt_has_a_place_for_it() -> None:
    columns = {column for table in (*SOURCES, *RESULTS) for column in table.columns}
    assert "judged_at" in columns
    assert not [column for column in columns if "behaviour" in column]
    assert Assignment not in [table.model for table in (*SOURCES, *RESULTS)]
    assert "judged_at" in Receipt.__dataclass_fields__
    assert "behaviour" not in Receipt.__dataclass_fields__


def test_what_a_site_says_of_itself_beside_a_dump_has_none(cast: Cast) -> None:
    current(cast.event)
    out = io.StringIO()
    call_command("describe_state", stdout=out)
    assert cast.event.slug in out.getvalue()
    assert MARK not in out.getvalue()

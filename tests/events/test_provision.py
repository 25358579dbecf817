"""manage.py provision."""

import csv
import io
import stat
import zipfile
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from arena.events.models import Event
from arena.people.models import Seat
from tests.factories import make_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return make_event("hall")


def test_printed_seats_and_their_sheet(event: Event, tmp_path: Path) -> None:
    path = tmp_path / "sheet.zip"
    call_command("provision", "hall", "12", out=path, site="https://arena.example/")
    assert event.seats is not None
    assert event.seats.seats.printed_unclaimed().count() == 12
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("seats.csv").decode("utf-8-sig"))))
    assert len(rows) == 12
    for row in rows:
        user = authenticate(None, username=row["username"], password=row["access_code"])
        assert user is not None
        assert row["claim_link"].startswith("https://arena.example/seats/")


def test_open_seats_have_no_sheet(event: Event, tmp_path: Path) -> None:
    call_command("provision", "hall", "7", open=True)
    assert Seat.objects.open_unclaimed().filter(pool=event.seats).count() == 7
    assert list(tmp_path.iterdir()) == []


def test_it_says_which_address_the_slips_lead_to(
    event: Event, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("provision", "hall", "2", out=tmp_path / "a.zip", site="https://arena.example/")
    assert "The slips lead to https://arena.example/events/hall/ (from --site)." in told(capsys)
    call_command("provision", "hall", "2", open=True)
    assert f"Visitors claim them at {settings.SITE_URL}/events/hall/ (" in told(capsys)


def test_printed_seats_alone_are_said_to_let_no_visitor_in(
    event: Event, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("provision", "hall", "2", out=tmp_path / "a.zip")
    assert "Visitors need open seats" in told(capsys)
    call_command("provision", "hall", "2", open=True)
    call_command("provision", "hall", "2", out=tmp_path / "b.zip")
    assert "Visitors need open seats" not in told(capsys)


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_a_sheet_is_never_overwritten_and_costs_no_seats(event: Event, tmp_path: Path) -> None:
    path = tmp_path / "sheet.zip"
    path.write_bytes(b"codes of last week")
    with pytest.raises(CommandError, match="Cannot write"):
        call_command("provision", "hall", "3", out=path)
    assert path.read_bytes() == b"codes of last week"
    assert Seat.objects.count() == 0


@pytest.mark.parametrize("count", ["0", "-1", "100001"])
def test_a_count_out_of_range_is_refused(event: Event, count: str) -> None:
    with pytest.raises(CommandError, match="seats at a time"):
        call_command("provision", "hall", "--", count)


def test_an_unknown_event_is_refused(event: Event) -> None:
    with pytest.raises(CommandError, match="no event"):
        call_command("provision", "hell", "3")

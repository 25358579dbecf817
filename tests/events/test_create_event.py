"""manage.py create_event."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command

from arena.events.joining.enrolling import provision_event_seats
from arena.events.models import Event, Membership
from arena.people.models import Seat
from tests.factories import NOW, make_event, make_user

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_event", *arguments, stdout=out)
    return out.getvalue()


def test_a_title_is_enough() -> None:
    printed = run("A fair test")

    event = Event.objects.get()
    assert (event.slug, event.title, event.state) == ("a-fair-test", "A fair test", "draft")
    assert (event.scale, event.both_bad, event.timezone) == (5, True, "UTC")
    assert list(event.questions.values_list("kind", flat=True)) == ["preference", "text"]
    assert f"{project.SITE_URL}/events/a-fair-test/desk/" in printed
    assert "manage.py import_records a-fair-test records.jsonl" in printed
    assert "create_organizer NAME --event a-fair-test" in printed


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    make_user("olga")
    guidelines = tmp_path / "guidelines.md"
    guidelines.write_text("# Be fair\n", encoding="utf-8")

    printed = run(
        "Haiku", "--slug", "poems", "--organizer", "olga", "--guidelines", str(guidelines),
        "--scale", "7", "--no-both-bad", "--overlap", "5", "--opens", "2040-06-01T09:00",
        "--deadline", "2040-06-30 18:00", "--timezone", "Europe/Berlin", "--summary", "Short.",
        "--prize", "A book", "--private", "--ignore-imported", "--count-machine",
    )  # fmt: skip

    event = Event.objects.get(slug="poems")
    assert (event.scale, event.both_bad, event.overlap, event.is_private) == (7, False, 5, True)
    assert event.opens_at == datetime(2040, 6, 1, 7, tzinfo=UTC)
    assert event.closes_at == datetime(2040, 6, 30, 16, tzinfo=UTC)
    assert (event.summary, event.prize) == ("Short.", "A book")
    assert event.counted_origins() == ["screen", "machine"]
    assert event.guidelines.get().text == "# Be fair"
    membership = Membership.objects.get(event=event)
    assert (membership.user.username, membership.role) == ("olga", "organizer")
    assert "create_organizer" not in printed


def test_a_moment_may_name_its_zone() -> None:
    run("Haiku", "--deadline", "2040-06-30T18:00+09:00", "--timezone", "Europe/Berlin")
    assert Event.objects.get().closes_at == datetime(2040, 6, 30, 9, tzinfo=UTC)


def test_a_title_that_is_taken_gets_another_address() -> None:
    run("Haiku")
    run("Haiku")
    assert set(Event.objects.values_list("slug", flat=True)) == {"haiku", "haiku-2"}


def test_a_title_without_a_latin_letter_gets_an_address() -> None:
    run("日本語")
    assert Event.objects.get().slug.startswith("event")


def test_the_printed_commands_and_what_is_missing_follow_the_event() -> None:
    printed = run("Haiku")
    assert "until then these are missing:" in printed
    assert "  - " in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--slug", "fair"], "slug"),
        (["--slug", "not a slug"], "slug"),
        (["--organizer", "nobody"], "create_organizer nobody makes one"),
        (["--organizer", "seated"], "seat made for a contributor"),
        (["--guidelines", "/does/not/exist"], "Cannot read the guidelines"),
        (["--scale", "4"], "invalid choice"),
        (["--deadline", "tomorrow"], "is not a date and time like"),
        (["--deadline", "2020-01-01"], "is in the past"),
        (["--overlap", "0"], "overlap is 1 or more"),
        (["--opens", "2040-02-01", "--deadline", "2040-01-01"], "closes"),
        (["--timezone", "Mars/Olympus"], "is not a time zone"),
        (["--overlap", "0"], "overlap"),
    ],
)
def test_refuses(arguments: list[str], words: str, tmp_path: Path) -> None:
    fair = make_event("fair")
    assert fair.seats is not None

    provision_event_seats(fair, 1, Seat.Kind.PRINTED, NOW)
    seat: Any = Seat.objects.get()
    seat.user.username = "seated"
    seat.user.save()
    before = Event.objects.count()

    with pytest.raises(CommandError, match=words):
        run("Haiku", *arguments)

    assert Event.objects.count() == before

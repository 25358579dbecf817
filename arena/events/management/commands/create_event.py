"""manage.py create_event TITLE: a draft with guidelines, scale and deadline, and what is next."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from arena.events.lifecycle.creation import (
    NewEvent,
    can_organize,
    create_event,
    free_event_slug,
)
from arena.events.lifecycle.transitions import check_readiness
from arena.events.models import Event
from arena.events.timezones import timezone_names
from arena.people.models import User

# Options that are fields of the event as they stand.
EVENT_FIELDS = (
    *("summary", "description", "prize", "licence", "timezone", "scale", "both_bad", "overlap"),
    *("is_private", "counts_imported", "counts_simulated", "counts_machine"),
)


def parse_moment(text: str) -> datetime:
    """A date and time as ISO 8601, with a zone or on the event's clock."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is not a date and time like 2026-12-20T18:00"
        raise ArgumentTypeError(message) from None


class Command(BaseCommand):
    """Create an event as the page for a new one does; it stays a draft until it is opened."""

    help = "Create an event as a draft, and print its addresses and what is missing before opening."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("title", help="what people call it")
        parser.add_argument("--slug", default="", help="its address (default: from the title)")
        parser.add_argument(
            "--organizer", default="", metavar="NAME", help="username of whoever looks after it"
        )
        parser.add_argument(
            "--guidelines", type=Path, metavar="FILE", help="Markdown that everybody reads first"
        )
        parser.add_argument(
            "--scale",
            type=int,
            choices=Event.Scale.values,
            default=Event.Scale.FIVE.value,
            help="answers to choose from: 2 (A or B), 3 (with a tie), 5 or 7 (with degrees); "
            "default: 5",
        )
        parser.add_argument(
            "--no-both-bad",
            dest="both_bad",
            action="store_false",
            help="do not offer “both are bad”",
        )
        parser.add_argument(
            "--overlap", type=int, default=3, metavar="N", help="judgments wanted for each matchup"
        )
        parser.add_argument(
            "--opens", type=parse_moment, metavar="WHEN", help="default: when opened"
        )
        parser.add_argument(
            "--deadline", type=parse_moment, metavar="WHEN", help="2026-12-20T18:00; default: none"
        )
        parser.add_argument(
            "--timezone", default="UTC", help="in which the times are meant; default: UTC"
        )
        parser.add_argument("--summary", default="", help="one line beside the title")
        parser.add_argument("--description", default="", help="what is compared, and why")
        parser.add_argument("--prize", default="", help="what the best contributor gets")
        parser.add_argument("--licence", default="CC-BY-4.0", help="default: CC-BY-4.0")
        parser.add_argument(
            "--private", dest="is_private", action="store_true", help="for invited people only"
        )
        parser.add_argument(
            "--ignore-imported",
            dest="counts_imported",
            action="store_false",
            help="keep imported votes off the boards",
        )
        parser.add_argument(
            "--count-simulated",
            dest="counts_simulated",
            action="store_true",
            help="let simulated votes count",
        )
        parser.add_argument(
            "--count-machine",
            dest="counts_machine",
            action="store_true",
            help="let votes of machines count",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        organizer = self.find_organizer(options["organizer"])
        plan = NewEvent(
            slug=options["slug"] or free_event_slug(options["title"]),
            title=options["title"],
            guidelines=self.read_guidelines(options["guidelines"]),
            settings=self.parse_settings(options),
        )
        try:
            event = create_event(plan, organizer=organizer)
        except ValidationError as error:
            raise CommandError(self.describe_errors(error)) from error
        self.print_next_steps(event, organizer)

    def find_organizer(self, name: str) -> User | None:
        """Who looks after the event, if anybody is named."""
        if not name:
            return None
        user = User.objects.filter(username=name).first()
        if user is None:
            message = f"There is no user {name!r}; manage.py create_organizer {name} makes one."
            raise CommandError(message)
        if not can_organize(user):
            raise CommandError(f"{name} has a seat made for a contributor and cannot organize.")
        return user

    def read_guidelines(self, path: Path | None) -> str:
        """The text of the guidelines."""
        if path is None:
            return ""
        try:
            text = path.read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"Cannot read the guidelines: {error}") from error
        if not text:
            raise CommandError(f"{path} is empty.")
        return text

    def parse_settings(self, options: dict[str, Any]) -> dict[str, Any]:
        """The event's fields; times without a zone are on its own clock."""
        if options["timezone"] not in timezone_names():
            raise CommandError(f"{options['timezone']!r} is not a time zone, like Europe/Berlin.")
        zone = ZoneInfo(options["timezone"])
        chosen = {name: options[name] for name in EVENT_FIELDS}
        for name, option in (("opens_at", "opens"), ("closes_at", "deadline")):
            at = options[option]
            chosen[name] = at.replace(tzinfo=zone) if at and at.tzinfo is None else at
        if chosen["overlap"] < 1:
            raise CommandError("The overlap is 1 or more.")
        if chosen["closes_at"] and chosen["closes_at"] <= timezone.now():
            raise CommandError("The deadline is in the past.")
        return chosen

    def describe_errors(self, error: ValidationError) -> str:
        """What is wrong, by field."""
        return "; ".join(
            f"{field}: {' '.join(messages)}" if field != "__all__" else " ".join(messages)
            for field, messages in error.message_dict.items()
        )

    def print_next_steps(self, event: Event, organizer: User | None) -> None:
        """Where the event is, and what to do next."""
        site = settings.SITE_URL
        pages = (("Event", "events:event"), ("Desk", "desk:overview"), ("Import", "imports:new"))
        self.stdout.write(f"Created {event.slug}, a draft.")
        for label, name in pages:
            self.stdout.write(f"  {label:<7} {site}{reverse(name, args=[event.slug])}")
        self.stdout.write("")
        self.stdout.write("Next:")
        if organizer is None:
            self.stdout.write(f"  manage.py create_organizer NAME --event {event.slug}")
        self.stdout.write(f"  manage.py import_records {event.slug} records.jsonl")
        self.stdout.write(f"  manage.py import_judgments {event.slug} votes.csv (if there are any)")
        self.stdout.write(f"  manage.py provision {event.slug} 100 --open")
        missing = check_readiness(event, timezone.now())
        if missing:
            self.stdout.write("The desk opens it; until then these are missing:")
        for check in missing:
            self.stdout.write(f"  - {check.message}")

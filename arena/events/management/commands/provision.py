"""manage.py provision EVENT COUNT: make seats and their sheet."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from arena.events.joining.enrolling import provision_event_seats
from arena.events.models import Event
from arena.events.seat_sheet import build_event_sheet
from arena.people.models import Seat
from arena.people.seats.claiming import SeatAvailability, get_seat_availability

MAX_SEATS = 100_000


class Command(BaseCommand):
    """Make printed seats (the default; their sheet is written once) or open ones."""

    help = "Make seats for an event. Access codes are in the sheet and nowhere else."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event")
        parser.add_argument("count", type=int, help="how many seats")
        parser.add_argument(
            "--open", action="store_true", help="seats that visitors claim by a click: no sheet"
        )
        parser.add_argument("--out", type=Path, help="the sheet's ZIP (default: EVENT-seats.zip)")
        parser.add_argument(
            "--site", help=f"address printed on the slips: {settings.SITE_URL} if not given"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        event = Event.objects.filter(slug=options["event"]).select_related("seats").first()
        if event is None:
            raise CommandError(f"There is no event {options['event']!r}.")
        count = options["count"]
        if not 1 <= count <= MAX_SEATS:
            raise CommandError(f"Between 1 and {MAX_SEATS:,} seats at a time.")
        if options["open"]:
            provision_event_seats(event, count, Seat.Kind.OPEN, timezone.now())
            self.stdout.write(f"{count:,} open seats for {event.slug}.")
            self.print_address("Visitors claim them at", options["site"], event)
            return
        self.print_sheet(event, count, options["out"], options["site"])

    def print_sheet(self, event: Event, count: int, path: Path | None, site: str | None) -> None:
        """Make printed seats; the file is created first, so that no codes are made for nothing."""
        path = path or Path(f"{event.slug}-seats.zip")
        try:
            sheet = path.open("xb")
        except OSError as error:
            raise CommandError(f"Cannot write the sheet: {error}") from error
        with sheet:
            path.chmod(0o600)
            slips = provision_event_seats(event, count, Seat.Kind.PRINTED, timezone.now())
            sheet.write(build_event_sheet(event, slips, (site or settings.SITE_URL).rstrip("/")))
        self.stdout.write(f"{count:,} printed seats for {event.slug}; their codes are in {path}.")
        self.print_address("The slips lead to", site, event)
        if get_seat_availability(event.seats) is not SeatAvailability.FREE:
            self.stdout.write(
                "They are for people who hold a slip. Visitors need open seats to join by the "
                f"link: provision {event.slug} {count} --open"
            )

    def print_address(self, words: str, site: str | None, event: Event) -> None:
        """Which address was used, and why: a wrong one makes every slip a dead end."""
        origin = "from --site" if site else settings.ADDRESS.origin
        url = (site or settings.SITE_URL).rstrip("/")
        self.stdout.write(f"{words} {url}{reverse('events:event', args=[event.slug])} ({origin}).")

"""Print the review queue of an event."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.desk.queries.review_queue import QueueLine, list_entries, view_entries
from arena.events.models import Event

MAX_LINES = 200
HEADINGS = ["SINCE", "WHAT", "ABOUT", "CLAIM"]


class Command(BaseCommand):
    """manage.py review EVENT"""

    help = "Print what waits for a reviewer's decision, the most urgent first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event", help="the event's slug")

    def handle(self, *args: Any, **options: Any) -> None:
        event = Event.objects.filter(slug=options["event"]).first()
        if event is None:
            raise CommandError(f"There is no event {options['event']}.")
        entries = list_entries(event, None)
        lines = view_entries(event, None, entries[:MAX_LINES], timezone.now())
        if not lines:
            self.stdout.write("Nothing to review.")
            return
        rows = [HEADINGS, *(list_cells(line, event) for line in lines)]
        self.stdout.write("\n".join(align(rows)))
        if len(entries) > MAX_LINES:
            self.stdout.write(f"And {len(entries) - MAX_LINES} more.")


def list_cells(line: QueueLine, event: Event) -> list[str]:
    """A line of the queue as the cells of a row."""
    since = line.since.astimezone(event.zone()).strftime("%Y-%m-%d %H:%M")
    claim = f"{line.claim} ({line.note})" if line.note else line.claim
    return [since, line.title, line.about, " ".join(claim.split())]


def align(rows: list[list[str]]) -> list[str]:
    """The rows with their columns below each other; the last one is as wide as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip()
        for row in rows
    ]

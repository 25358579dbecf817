"""Refresh the boards of an event now, or rebuild them from the judgments."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.events.models import Event
from arena.judging.ledger import seal_event
from leaderboard.snapshots.case_effects import refresh_case_effects
from leaderboard.snapshots.refresh import refresh_fully


class Command(BaseCommand):
    """manage.py refresh EVENT [--rebuild]"""

    help = "Seal an event's judgments and refresh its boards now, without waiting for the worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event", help="the event's slug")
        parser.add_argument(
            "--rebuild",
            action="store_true",
            help=(
                "discard what is kept between refreshes and compute everything from the judgments"
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        event = Event.objects.filter(slug=options["event"]).first()
        if event is None:
            raise CommandError(f"There is no event {options['event']}.")
        seal_event(event.pk, timezone.now())
        snapshot = refresh_fully(event, now=timezone.now(), rebuild=options["rebuild"])
        refresh_case_effects(event, now=timezone.now(), rebuild=options["rebuild"])
        if snapshot is None:
            self.stdout.write(
                "Nothing to do: the board is up to date, or a worker is computing it."
            )
            return
        self.stdout.write(
            f"{event}: {snapshot.judgments:,} judgments of {snapshot.contributors:,} contributors, "
            f"ledger position {snapshot.ledger_seq:,}."
        )

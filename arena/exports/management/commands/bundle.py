"""manage.py bundle EVENT --out FILE: everything a board follows from, in one ZIP."""

import shutil
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.errors import ArenaError, ConflictError
from arena.events.models import Event
from arena.exports.bundle import open_bundle, write_bundle
from arena.judging.ledger import seal_event
from leaderboard.models import Snapshot
from leaderboard.snapshots.refresh import refresh_event

MAX_TRIES = 5
"""In a busy event the board may have moved on before its bundle has begun."""


class Command(BaseCommand):
    """Write the bundle of a sealed round, or of the board as it stands."""

    help = "Write a reproducible bundle: judgments, settings, boards, versions and checksums."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event")
        parser.add_argument("--out", type=Path, required=True, help="the ZIP file to write")
        parser.add_argument("--round", help="name of a sealed round (default: the board now)")

    def handle(self, *args: Any, **options: Any) -> None:
        event = Event.objects.filter(slug=options["event"]).first()
        if event is None:
            raise CommandError(f"There is no event {options['event']!r}.")
        try:
            if options["round"]:
                sealed = event.snapshots.filter(name=options["round"]).first()
                if sealed is None:
                    raise CommandError(f"There is no round {options['round']!r}.")
                with open_bundle(sealed) as kept, options["out"].open("wb") as out:
                    shutil.copyfileobj(kept, out)
            else:
                write_current(event, options["out"], timezone.now())
        except ArenaError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"Cannot write: {error}") from error
        self.stdout.write(f"The bundle is {options['out']}.")


def write_current(event: Event, path: Path, now: datetime) -> None:
    """The bundle of the board, which is brought up to date first."""
    for left in reversed(range(MAX_TRIES)):
        snapshot = refresh_snapshot(event, now)
        try:
            write_bundle(snapshot, path)
            return
        except ConflictError:
            if not left:
                raise


def refresh_snapshot(event: Event, now: datetime) -> Snapshot:
    """The event's latest snapshot after everything has been sealed and computed."""
    seal_event(event.pk, now)
    refresh_event(event, now=now)
    latest = event.snapshots.order_by("-pk").first()
    if latest is None:
        raise CommandError(f"{event} has no judgments yet.")
    return latest

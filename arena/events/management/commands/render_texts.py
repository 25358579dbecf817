"""manage.py render_texts [EVENT] [--all]: render the texts of records and responses."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from arena.events.models import Event, Record
from arena.events.rendering import render_records, unrendered

RECORDS_AT_A_TIME = 1_000


class Command(BaseCommand):
    """At once what workers do bit by bit; `--all` after a change of what a text costs."""

    help = "Render texts of records and responses that this version has not rendered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event", nargs="?", help="slug of an event; all of them by default")
        parser.add_argument(
            "--all", action="store_true", help="those too that this version has rendered"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        records = Record.objects.filter(imported_at__isnull=False)
        if slug := options["event"]:
            event = Event.objects.filter(slug=slug).first()
            if event is None:
                raise CommandError(f"There is no event {slug!r}.")
            records = records.filter(event=event)
        if not options["all"]:
            records = unrendered(records)
        done = last = 0
        # By key: what is rendered meanwhile by a worker does not shift what comes next.
        while keys := list(
            records.filter(pk__gt=last)
            .order_by("pk")
            .values_list("pk", flat=True)[:RECORDS_AT_A_TIME]
        ):
            done += render_records(keys)
            last = keys[-1]
        self.stdout.write(f"{done:,} records rendered.")

"""manage.py import_records EVENT FILE: bring prompts and responses into an event."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from random import SystemRandom
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.errors import ArenaError
from arena.events.importing import ImportReport, Unreadable, import_records
from arena.events.importing.competitors import read_competitors
from arena.events.importing.console import (
    add_file_arguments,
    console_for,
    print_report,
    progress_bar,
)
from arena.events.models import Event


class Command(BaseCommand):
    """Import records from JSONL, JSON or CSV; all of them, or none where a line is wrong."""

    help = "Import records: prompt, responses by model, categories, metadata, external_id, control."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_file_arguments(parser)
        parser.add_argument(
            "--competitors",
            type=Path,
            metavar="FILE",
            help="CSV or JSON with name, organization, licence and version of the models",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        event = Event.objects.filter(slug=options["event"]).first()
        if event is None:
            raise CommandError(f"There is no event {options['event']!r}.")
        console = console_for(self.stdout)
        report = ImportReport()
        try:
            competitors = (
                read_competitors(options["competitors"], report) if options["competitors"] else []
            )
            if not report.error_total:
                with progress_bar(console) as progress:
                    report = import_records(
                        event,
                        sys.stdin.buffer if options["file"] == "-" else Path(options["file"]),
                        format=options["format"],
                        mapping=dict(options["map"]),
                        on_error=options["on_error"],
                        competitors=competitors,
                        now=timezone.now(),
                        rng=SystemRandom(),
                        progress=progress,
                    )
        except OSError as error:
            raise CommandError(f"Cannot read the file: {error}") from error
        except Unreadable as error:
            report.refuse(error.error)
        except ArenaError as error:
            raise CommandError(error.message) from error
        print_report(console, report)
        if not report.landed:
            raise CommandError(f"{report.error_total:,} errors; the event is as it was.")

"""manage.py import_records EVENT FILE: bring prompts and responses into an event."""

import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import SystemRandom
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.errors import ArenaError
from arena.events.importing import CompetitorRow, ImportReport, UnreadableFileError, import_records
from arena.events.importing.console import (
    add_file_arguments,
    build_error_table,
    open_console,
    print_report,
    progress_bar,
)
from arena.events.importing.reading.competitors import read_competitors
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
        parser.add_argument(
            "--accept-doubts",
            "--yes",
            action="store_true",
            help="import even if something in the file looks doubtful; without it, doubts are "
            "listed, and on a terminal the command asks",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        event = Event.objects.filter(slug=options["event"]).first()
        if event is None:
            raise CommandError(f"There is no event {options['event']!r}.")
        console = open_console(self.stdout)
        report = ImportReport()
        try:
            competitors = (
                read_competitors(options["competitors"], report) if options["competitors"] else []
            )
            if report.warnings:
                console.print(build_error_table("Warnings", report.warnings, report.warning_total))
            if not report.error_total:
                report = self.import_file(
                    event, competitors, options, accepts=options["accept_doubts"]
                )
        except OSError as error:
            raise CommandError(f"Cannot read the file: {error}") from error
        except UnreadableFileError as error:
            report.refuse(error.error)
        except ArenaError as error:
            raise CommandError(error.message) from error
        if is_doubtful(report) and self.can_ask(options):
            print_report(console, report)
            if input("Import it all the same? [y/N] ").strip().casefold() in ("y", "yes"):
                report = self.import_file(event, competitors, options, accepts=True)
        print_report(console, report)
        if is_doubtful(report):
            raise CommandError("Nothing was imported. If all of this is right: --accept-doubts.")
        if not report.landed:
            raise CommandError(f"{report.error_total:,} errors; nothing was changed.")

    def import_file(
        self,
        event: Event,
        competitors: Sequence[CompetitorRow],
        options: Mapping[str, Any],
        *,
        accepts: bool,
    ) -> ImportReport:
        """Import the file."""
        with progress_bar(open_console(self.stdout)) as progress:
            return import_records(
                event,
                sys.stdin.buffer if options["file"] == "-" else Path(options["file"]),
                format=options["format"],
                mapping=dict(options["map"]),
                on_error=options["on_error"],
                accepts_doubts=accepts,
                competitors=competitors,
                now=timezone.now(),
                rng=SystemRandom(),
                progress=progress,
            )

    def can_ask(self, options: Mapping[str, Any]) -> bool:
        """Whether somebody sits at a terminal, and the file can be read once more."""
        return (
            options["file"] != "-" and sys.stdin.isatty() and open_console(self.stdout).is_terminal
        )


def is_doubtful(report: ImportReport) -> bool:
    """Whether nothing but doubts kept the file from being imported."""
    return bool(report.doubts) and not report.errors and not report.landed

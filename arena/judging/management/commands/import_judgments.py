"""manage.py import_judgments EVENT FILE: bring votes that were collected elsewhere."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from random import SystemRandom
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.errors import ArenaError
from arena.events.importing.console import (
    add_file_arguments,
    console_for,
    print_report,
    progress_bar,
)
from arena.events.models import Enrollment, Event
from arena.judging.importing import import_judgments
from arena.judging.models import Origin


class Command(BaseCommand):
    """Import votes from CSV, JSONL or JSON; all of them, or none where a line is wrong."""

    help = (
        "Import votes in file order: worker, record, model_a, model_b, and winner (a, b, tie, "
        "both_bad) or outcome (positive: model_a is better); optional timestamp, left and comment."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_file_arguments(parser)
        parser.add_argument(
            "--left",
            choices=("a", "b", "unknown"),
            default="unknown",
            help="which model stood left where the file has no such column (default: unknown)",
        )
        parser.add_argument(
            "--kind",
            choices=Enrollment.Kind.values,
            default=Enrollment.Kind.HUMAN.value,
            help="whether people or machines voted (default: human)",
        )
        parser.add_argument(
            "--origin",
            choices=(Origin.IMPORTED.value, Origin.SIMULATED.value, Origin.MACHINE.value),
            default="",
            help="default: imported; machine for machines",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        event = Event.objects.filter(slug=options["event"]).first()
        if event is None:
            raise CommandError(f"There is no event {options['event']!r}.")
        console = console_for(self.stdout)
        try:
            with progress_bar(console) as progress:
                report = import_judgments(
                    event,
                    sys.stdin.buffer if options["file"] == "-" else Path(options["file"]),
                    format=options["format"],
                    mapping=dict(options["map"]),
                    on_error=options["on_error"],
                    left=options["left"],
                    kind=options["kind"],
                    origin=options["origin"],
                    now=timezone.now(),
                    rng=SystemRandom(),
                    progress=progress,
                )
        except OSError as error:
            raise CommandError(f"Cannot read the file: {error}") from error
        except ArenaError as error:
            raise CommandError(error.message) from error
        print_report(console, report)
        if not report.landed:
            raise CommandError(f"{report.error_total:,} errors; the event is as it was.")

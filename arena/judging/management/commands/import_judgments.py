"""manage.py import_judgments EVENT FILE: bring votes that were collected elsewhere."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from random import SystemRandom
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.errors import ArenaError
from arena.events.importing.console import (
    add_file_arguments,
    open_console,
    print_report,
    progress_bar,
)
from arena.events.models import Enrollment, Event
from arena.judging.importing import VoteOptions, import_judgments
from arena.judging.importing.options import DUPLICATE_POLICIES
from arena.judging.importing.reading.preferences import parse_number
from arena.judging.importing.reading.value_answers import read_value_answers
from arena.judging.models import Origin

# Options of the command that are fields of `VoteOptions`.
VOTE_OPTIONS = ("ends", "duplicates", "worker", "left", "kind", "origin")


def parse_ends_option(text: str) -> tuple[float, float]:
    """Parse `a=3,b=-3` as the two ends of the scale."""
    said = dict(part.partition("=")[::2] for part in text.split(","))
    numbers = [parse_number(said.get(side)) for side in ("a", "b")]
    if set(said) != {"a", "b"} or None in numbers:
        raise ArgumentTypeError(f"{text!r} is not of the form a=3,b=-3")
    return numbers[0] or 0.0, numbers[1] or 0.0


class Command(BaseCommand):
    """Import votes from CSV, JSONL or JSON; all of them, or none where a line is wrong."""

    help = (
        "Import votes in file order: worker, record, model_a, model_b, and winner (a, b, left, "
        "right, tie, both_bad, a model's name and the like) or outcome (a grade, with --ends); "
        "optional timestamp, left and comment. An export of another event (manage.py export) is "
        "taken as it is, with its records."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_file_arguments(parser)
        parser.add_argument(
            "--ends",
            type=parse_ends_option,
            metavar="a=3,b=-3",
            help="for grades: the number that says that model_a is much better, and model_b",
        )
        parser.add_argument(
            "--values",
            action="append",
            default=[],
            metavar="VALUE=ANSWER",
            help="what a value of winner or outcome means: a, b, tie, both_bad, or a2 and b3 for "
            "degrees; VALUE= leaves such votes out; repeatable, or a CSV or JSON file of pairs",
        )
        parser.add_argument(
            "--duplicates",
            choices=DUPLICATE_POLICIES,
            default="stop",
            help="where a worker votes on one pair again: stop (default), keep the first or the "
            "last, or both: the last stands, the earlier ones are kept as its earlier revisions",
        )
        parser.add_argument(
            "--worker",
            default="",
            metavar="NAME",
            help="who voted, where the file has no such column",
        )
        parser.add_argument(
            "--left",
            choices=("a", "b", "unknown"),
            default="",
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
        console = open_console(self.stdout)
        try:
            chosen = VoteOptions(
                values=read_value_answers(options["values"]),
                **{name: options[name] for name in VOTE_OPTIONS},
            )
            with progress_bar(console) as progress:
                report = import_judgments(
                    event,
                    sys.stdin.buffer if options["file"] == "-" else Path(options["file"]),
                    format=options["format"],
                    mapping=dict(options["map"]),
                    on_error=options["on_error"],
                    options=chosen,
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
            raise CommandError(f"{report.error_total:,} errors; nothing was changed.")

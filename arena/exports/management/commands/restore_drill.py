"""manage.py restore_drill STATE ERASURES: is what was restored what was backed up?"""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.exports.site_state import compare_state
from arena.judging.leaving.repeating import repeat_erasures
from arena.people.erasures import ErasureNotes


class Command(BaseCommand):
    """Compare ledgers, boards and bundles, repeat erasures, and compare again."""

    help = "Compare a restored database with the state beside its dump, and repeat erasures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file",
            help="what describe_state has printed and, in its next line, what list_erasures has; "
            "- for standard input",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file = options["file"]
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text()
            first, second = text.splitlines()
            state, notes = json.loads(first), ErasureNotes.from_json(second)
            self.report(compare_state(state))
        except (OSError, ValueError, KeyError) as error:
            raise CommandError(f"Cannot read {file}: {error!r}") from error
        erased = repeat_erasures(notes, timezone.now()).erased
        self.report(compare_state(state))
        counts = ", ".join(f"{len(state[name])} {name}" for name in ("heads", "boards", "bundles"))
        self.stdout.write(f"As backed up: {counts}. Erased again: {erased}.")

    def report(self, faults: list[str]) -> None:
        """Name what differs. Raises `CommandError` where something does."""
        for fault in faults:
            self.stdout.write(fault)
        if faults:
            raise CommandError("This is not what was backed up.")

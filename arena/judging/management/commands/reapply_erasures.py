"""manage.py reapply_erasures FILE: after a restore of an older dump."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.judging.leaving.repeating import repeat_erasures
from arena.people.erasures import ErasureNotes


class Command(BaseCommand):
    """Erase the accounts again that had been erased when the list was written."""

    help = "Repeat the erasures of a list (list_erasures) and of this site's own notes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="what list_erasures has printed; - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        file = options["file"]
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text()
            notes = ErasureNotes.from_json(text)
        except (OSError, ValueError) as error:
            raise CommandError(f"Cannot read {file}: {error}") from error
        repeated = repeat_erasures(notes, timezone.now())
        self.stdout.write(f"Erased again: {repeated.erased}")
        for slug in repeated.leaderless:
            self.stdout.write(f"Has no organizer any more: {slug}")

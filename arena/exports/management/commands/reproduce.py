"""manage.py reproduce BUNDLE: recompute a bundle's boards and compare every number."""

from argparse import SUPPRESS, ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.errors import ArenaError
from arena.exports.reproducing import Verdict, reproduce, reproduce_elsewhere

SHOWN = 20
"""Differences that are listed."""


class Command(BaseCommand):
    """Check a bundle's files, recompute its boards in a database of their own, and compare."""

    help = (
        "Check a bundle's checksums, recompute its boards from its judgments in an empty database "
        "of their own, and compare every number to the last digit. Fails on any difference; where "
        "the bundle was made by other code, libraries or processors, on any larger than rounding."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("bundle", type=Path, help="the ZIP file")
        # For the process that this one starts; works on any empty database, and leaves it empty.
        parser.add_argument("--here", action="store_true", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["bundle"]
        if not options["here"]:
            done = reproduce_elsewhere(path)
            if done.returncode:
                raise CommandError(done.stderr.strip().removeprefix("CommandError: "))
            self.stdout.write(done.stdout.strip())
            return
        try:
            verdict = reproduce(path, timezone.now())
        except ArenaError as error:
            raise CommandError(error.message) from error
        if verdict.differences:
            raise CommandError(failure(verdict))
        self.stdout.write(success(verdict))


def named(verdict: Verdict) -> str:
    """Which boards were compared."""
    manifest = verdict.manifest
    title = f", {manifest['round']}" if manifest["round"] else ""
    return f"{manifest['event']}{title} (ledger position {manifest['ledger_seq']:,})"


def success(verdict: Verdict) -> str:
    """The good news, and what was not compared."""
    lines = [
        f"REPRODUCED: all {verdict.compared:,} values of {named(verdict)} are the same "
        f"{how_closely(verdict)}."
    ]
    if not verdict.manifest["with_controls"]:
        lines.append("The bundle is without controls, so it has no weighted boards to compare.")
    return "\n".join([*lines, *means(verdict)])


def how_closely(verdict: Verdict) -> str:
    """To the last digit, or how many values only to rounding."""
    if not verdict.rounded:
        return "to the last digit"
    return f"but for rounding: {len(verdict.rounded):,} differ, by at most one part in a billion"


def failure(verdict: Verdict) -> str:
    """What differs, and what may be why."""
    wrong = verdict.differences
    lines = [f"NOT REPRODUCED: of {verdict.compared:,} values of {named(verdict)}, these differ:"]
    lines += [f"  {difference}" for difference in wrong[:SHOWN]]
    if len(wrong) > SHOWN:
        lines.append(f"  and {len(wrong) - SHOWN:,} more")
    return "\n".join([*lines, *means(verdict)])


def means(verdict: Verdict) -> list[str]:
    """What else is not the same."""
    if not verdict.means:
        return []
    return ["The bundle was made by other means:", *(f"  {line}" for line in verdict.means)]

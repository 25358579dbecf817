"""manage.py reproduce BUNDLE: recompute a bundle's boards and compare every number."""

from argparse import SUPPRESS, ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.errors import ArenaError
from arena.exports.reproducing import Reproduction, reproduce, reproduce_elsewhere

MAX_SHOWN = 20
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
            result = reproduce(path, timezone.now())
        except ArenaError as error:
            raise CommandError(error.message) from error
        if result.differences:
            raise CommandError(describe_failure(result))
        self.stdout.write(describe_success(result))


def name_boards(result: Reproduction) -> str:
    """Which boards were compared."""
    manifest = result.manifest
    title = f", {manifest['round']}" if manifest["round"] else ""
    return f"{manifest['event']}{title} (ledger position {manifest['ledger_seq']:,})"


def describe_success(result: Reproduction) -> str:
    """The good news, and what was not compared."""
    lines = [
        f"REPRODUCED: all {result.compared:,} values of {name_boards(result)} are the same "
        f"{describe_closeness(result)}."
    ]
    if result.registration:
        lines.append(
            f"Its rules are those registered at the opening (SHA-256 {result.registration}) and "
            "changed with a record since."
        )
    if not result.manifest["with_controls"]:
        lines.append("The bundle is without controls, so it has no weighted boards to compare.")
    elif result.has_earlier_method:
        lines.append(
            "Its weighted boards were made by an earlier method and are not compared; unweighted "
            "ones are made alike by both."
        )
    if result.lacking:
        names = ", ".join(result.lacking)
        lines.append(f"The bundle has no {names}: what was added since then is not compared.")
    return "\n".join([*lines, *describe_means(result)])


def describe_closeness(result: Reproduction) -> str:
    """To the last digit, or how many values only to rounding."""
    if not result.rounded:
        return "to the last digit"
    return f"but for rounding: {len(result.rounded):,} differ, by at most one part in a billion"


def describe_failure(result: Reproduction) -> str:
    """What differs, and what may be why."""
    wrong = result.differences
    lines = [
        f"NOT REPRODUCED: of {result.compared:,} values of {name_boards(result)}, these differ:"
    ]
    lines += [f"  {difference}" for difference in wrong[:MAX_SHOWN]]
    if len(wrong) > MAX_SHOWN:
        lines.append(f"  and {len(wrong) - MAX_SHOWN:,} more")
    return "\n".join([*lines, *describe_means(result)])


def describe_means(result: Reproduction) -> list[str]:
    """What else is not the same."""
    if not result.changed_means:
        return []
    return ["The bundle was made by other means:", *(f"  {line}" for line in result.changed_means)]

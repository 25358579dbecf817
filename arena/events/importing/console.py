"""How the import commands show themselves: a progress bar, a table of errors, the counts."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from arena.events.importing.checking.doubts import DOUBT_KINDS
from arena.events.importing.reading import files
from arena.events.importing.report import ImportReport, LineError
from arena.events.importing.report import ProgressCallback as Callback
from arena.events.models import ImportJob


def add_file_arguments(parser: ArgumentParser) -> None:
    """The arguments that both commands have."""
    parser.add_argument("event", help="slug of the event")
    parser.add_argument("file", help="the file to import, or - for standard input")
    parser.add_argument("--format", choices=files.FORMATS, default="", help="default: as it looks")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        type=parse_mapping,
        metavar="THEIRS=OURS",
        help="a column or key of the file and what it means; THEIRS= leaves it out; repeatable",
    )
    parser.add_argument(
        "--on-error",
        choices=("stop", "skip"),
        default="stop",
        help="stop: import nothing where a line is wrong (default); skip: import the other lines",
    )


def parse_mapping(text: str) -> tuple[str, str]:
    """`instruction=prompt` as a pair."""
    theirs, equals, ours = text.partition("=")
    if not theirs or not equals:
        raise ArgumentTypeError(f"{text!r} is not of the form THEIRS=OURS")
    return theirs, ours


@contextmanager
def progress_bar(console: Console) -> Iterator[Callback]:
    """A bar on a terminal, nothing elsewhere; follows the states of the import."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
    )
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as bar:
        task = bar.add_task("", total=None)
        state = ""

        def show(new_state: str, done: int, total: int | None) -> None:
            nonlocal state
            if new_state != state:
                state = new_state
                bar.reset(task, description=str(ImportJob.State(state).label))
            bar.update(task, completed=done, total=total)

        yield show


def print_report(console: Console, report: ImportReport) -> None:
    """Warnings and errors by line, then the counts."""
    if report.warnings:
        console.print(build_error_table("Warnings", report.warnings, report.warning_total))
    if report.doubts and not report.errors:
        console.print(build_doubt_table(report))
    if report.errors:
        console.print(build_error_table("Errors", report.errors, report.error_total))
    counts = [
        f"{number:,} {word}"
        for word in ("created", "updated", "unchanged", "skipped")
        if (number := getattr(report, word)) or word == "created"
    ]
    verdict = "Imported" if report.landed else "Nothing was imported"
    console.print(Text(f"{verdict}: {', '.join(counts)}." if report.landed else f"{verdict}."))


def build_error_table(title: str, errors: Sequence[LineError], total: int) -> Table:
    """The first errors as a table; texts are printed as they are, never as markup."""
    told = sum(error.count for error in errors)
    shown = f"{title}: {total:,}"
    if total > len(errors):
        shown += f", of {len(errors):,} kinds" if len(errors) > 1 else ", of one kind"
    if total > told:
        shown = f"{title}: {total:,}; the first {len(errors):,} kinds"
    table = Table(title=Text(shown), title_justify="left")
    is_grouped = any(error.count > 1 for error in errors)
    table.add_column("Lines" if is_grouped else "Line", justify="right")
    if is_grouped:
        table.add_column("How many", justify="right")
    table.add_column("Field")
    table.add_column("Message")
    for error in errors:
        count = [f"{error.count:,}"] if is_grouped else []
        table.add_row(error.where, *count, Text(error.field), Text(error.message))
    return table


def build_doubt_table(report: ImportReport) -> Table:
    """What has to be confirmed, with an example each."""
    table = Table(title=Text("Please check this before anything is imported"))
    table.title_justify = "left"
    table.add_column("What")
    table.add_column("How many", justify="right")
    table.add_column("For example")
    for doubt in report.doubts:
        field = f", {doubt.field}" if doubt.field else ""
        example = f"Line {doubt.line:,}{field}: {doubt.message}"
        table.add_row(str(DOUBT_KINDS[doubt.kind]), f"{doubt.count:,}", Text(example))
    return table


def open_console(stream: Any) -> Console:
    """A console on a command's output, wide enough for errors where it is no terminal."""
    is_terminal = bool(getattr(stream, "isatty", lambda: False)())
    return Console(file=stream, width=None if is_terminal else 160, force_terminal=is_terminal)

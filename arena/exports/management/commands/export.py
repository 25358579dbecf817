"""manage.py export EVENT --format FORMAT --out FILE: an event's judgments as a file."""

from argparse import ArgumentParser
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, cast

from django import forms
from django.core.management.base import BaseCommand, CommandError

from arena.errors import ArenaError
from arena.events.models import Event
from arena.exports.documentation import name_option
from arena.exports.formats import FORMATS
from arena.exports.formats.base import ExportFormat, Piece
from arena.exports.formats.columns import render_features


class Command(BaseCommand):
    """Write an event's judgments in one of the formats."""

    help = "Write an event's judgments to a file: all of them, or what a training wants of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event")
        parser.add_argument("--format", choices=tuple(FORMATS), default="jsonl")
        parser.add_argument("--out", type=Path, required=True, help="the file to write")
        known: set[str] = set()
        for each in FORMATS.values():
            # The form checks the values; an option that two formats share stands once.
            fields = each.options_form.base_fields
            group = parser.add_argument_group(f"{each.label} (--format {each.identifier})")
            for name in [name for name in fields if name not in known]:
                group.add_argument(name_option(name), help=describe_field(fields[name]))
            known |= set(fields)

    def handle(self, *args: Any, **options: Any) -> None:
        event = Event.objects.filter(slug=options["event"]).first()
        if event is None:
            raise CommandError(f"There is no event {options['event']!r}.")
        chosen, path = FORMATS[options["format"]], options["out"]
        wanted = parse_options(chosen, event, options)
        parts = chosen.list_parts(wanted)
        paths = {
            part: path.with_suffix(f".{part}{path.suffix}") if part else path for part in parts
        }
        beside = path.with_suffix(".features.json")
        try:
            counts = write_files(paths, chosen.export(event, wanted))
            types = render_features(chosen.list_columns(event, wanted))
            beside.write_text(types, encoding="utf-8")
        except ArenaError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"Cannot write: {error}") from error
        for written, count in counts.items():
            self.stdout.write(f"{count:,} rows in {written}.")
        if omissions := chosen.describe_omissions(event):
            self.stdout.write(omissions)
        self.stdout.write(f"The types of the columns are in {beside}.")


def describe_field(field: forms.Field) -> str:
    """What an option is for, and which values it takes."""
    text = f"{field.label}. {field.help_text}"
    if isinstance(field, forms.ChoiceField):
        choices = cast(Iterable[tuple[str, str]], field.choices)
        text += " " + "; ".join(f"{value}: {words}" for value, words in choices if value)
    return " ".join(text.split()).replace("%", "%%")


def parse_options(chosen: ExportFormat[Any, Any], event: Event, given: dict[str, Any]) -> Any:
    """A format's options. Raises `CommandError` with the name of what is wrong."""
    fields = chosen.options_form.base_fields
    named = {name: given[name] for name in fields if given.get(name) is not None}
    for name, value in named.items():
        if value == "":
            raise CommandError(f"{name_option(name)} is empty; leave it out instead.")
    form = chosen.options_form(event, named)
    if not form.is_valid():
        problems = ((name, message) for name, found in form.errors.items() for message in found)
        raise CommandError(" ".join(f"{name_option(name)}: {text}" for name, text in problems))
    return form.options


def write_files(paths: dict[str, Path], pieces: Iterable[Piece]) -> dict[Path, int]:
    """Write each piece to the file of its part; the files appear when they are complete."""
    counts = dict.fromkeys(paths.values(), 0)
    drafts = {path: path.with_name(f"{path.name}.part") for path in counts}
    try:
        with ExitStack() as stack:
            files: dict[Path, IO[bytes]] = {
                path: stack.enter_context(draft.open("wb")) for path, draft in drafts.items()
            }
            for piece in pieces:
                files[paths[piece.part]].write(piece.data)
                counts[paths[piece.part]] += piece.rows
        for path, draft in drafts.items():
            draft.replace(path)
    except OSError as error:
        raise CommandError(f"Cannot write: {error}") from error
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    return counts

"""manage.py export EVENT --format jsonl|trl --out FILE: an event's judgments as a file."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from arena.errors import ArenaError
from arena.events.models import Event
from arena.exports.features import features_text, judgment_features, pair_features
from arena.exports.jsonl import count_unjudged, judgment_lines
from arena.exports.trl import SEPARATORS, PairOptions, pair_lines


def number(kind: type[int] | type[float], low: float, high: float) -> Callable[[str], float]:
    """A parser of numbers within bounds."""

    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise ArgumentTypeError(f"{text!r} is not a number") from None
        if not low <= value <= high:
            raise ArgumentTypeError(f"{text} is not between {low} and {high}")
        return value

    return parse


def separator(text: str) -> str:
    """What ends a prompt that is a string: by name, or as it stands."""
    found = SEPARATORS.get(text, text.replace("\\n", "\n"))
    if not found:
        raise ArgumentTypeError("the separator is empty, so that prompt and response run together")
    return found


class Command(BaseCommand):
    """Write every standing judgment (jsonl), or preference pairs for TRL (trl)."""

    help = "Write an event's judgments to a file: all of them, or preference pairs for training."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event")
        parser.add_argument("--format", choices=("jsonl", "trl"), default="jsonl")
        parser.add_argument("--out", type=Path, required=True, help="the file to write")
        pairs = parser.add_argument_group("preference pairs (--format trl)")
        pairs.add_argument(
            "--aggregate",
            choices=("none", "majority", "unanimous"),
            default="none",
            help="a row per judgment (none), or one per matchup that so many votes agree on",
        )
        pairs.add_argument("--min-votes", type=number(int, 1, 10**6), default=1, metavar="N")
        pairs.add_argument(
            "--min-agreement",
            type=number(float, 0, 1),
            default=0.0,
            metavar="SHARE",
            help="of the votes on a matchup, ties included",
        )
        pairs.add_argument(
            "--strings",
            type=separator,
            dest="separator",
            metavar="SEPARATOR",
            help="strings instead of messages, each prompt ending with SEPARATOR: newline, "
            "blank-line, space, or any text (\\n is a new line); trainers join them as they are",
        )
        pairs.add_argument(
            "--test-share",
            type=number(float, 0, 1),
            default=0.0,
            metavar="SHARE",
            help="of the prompts; gives FILE.train and FILE.test before the suffix",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        event = Event.objects.filter(slug=options["event"]).first()
        if event is None:
            raise CommandError(f"There is no event {options['event']!r}.")
        path = options["out"]
        if options["format"] == "jsonl":
            paths = {"": path}
            lines: Iterable[tuple[str, str]] = (("", line) for line in judgment_lines(event))
        else:
            keys = PairOptions.__dataclass_fields__
            wanted = PairOptions(**{key: options[key] for key in keys if options[key]})
            paths = {"train": path, "test": path}
            if wanted.test_share:
                paths = {part: path.with_suffix(f".{part}{path.suffix}") for part in paths}
            lines = pair_lines(event, wanted)
        features = (
            judgment_features(event)
            if options["format"] == "jsonl"
            else pair_features(as_strings=bool(options["separator"]))
        )
        try:
            counts = write(paths, lines)
            beside = path.with_suffix(".features.json")
            beside.write_text(features_text(features), encoding="utf-8")
        except ArenaError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"Cannot write: {error}") from error
        for written, count in counts.items():
            self.stdout.write(f"{count:,} rows in {written}.")
        if options["format"] == "jsonl" and (left := count_unjudged(event)):
            self.stdout.write(f"Not in it: {left:,} records that nobody has judged.")
        self.stdout.write(f"The types of the columns are in {beside}.")


def write(paths: dict[str, Path], lines: Iterable[tuple[str, str]]) -> dict[Path, int]:
    """Write each line to the file of its part; the files appear when they are complete."""
    counts = dict.fromkeys(paths.values(), 0)
    drafts = {path: path.with_name(f"{path.name}.part") for path in counts}
    try:
        with ExitStack() as stack:
            files: dict[Path, IO[str]] = {
                path: stack.enter_context(draft.open("w", encoding="utf-8", newline="\n"))
                for path, draft in drafts.items()
            }
            for part, line in lines:
                files[paths[part]].write(line)
                counts[paths[part]] += 1
        for path, draft in drafts.items():
            draft.replace(path)
    except OSError as error:
        raise CommandError(f"Cannot write: {error}") from error
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    return counts

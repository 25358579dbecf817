"""Find the errors in logs: `python3 deploy/errors.py < LOG`; `deploy/errors.sh` with Compose.

Shows what is not known to be harmless, so that nothing is missed: lines of ours and of Caddy's
above "warning", PostgreSQL's errors, Valkey's and Redis's warnings, and every line of any other
form, such as the last words of a process that was killed. Alike ones are shown once, with their
number. Exit code 0: none; 1: some; 2: there was nothing to read.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

HARMLESS_LEVELS = {"notset", "debug", "info", "warning", "warn"}
# What Compose writes before each line.
PREFIX = re.compile(r"^([\w.-]+) +\| ?(.*)$")
POSTGRESQL = re.compile(r"^\d{4}-\d\d-\d\d [\d:.]+ \w+ \[\d+\].*?\b([A-Z]+\d?): +(.*)$")
HARMLESS_IN_POSTGRESQL = re.compile(r"DEBUG\d|LOG|INFO|NOTICE|WARNING|DETAIL|HINT|CONTEXT|QUERY")
VALKEY = re.compile(r"^\d+:[A-Z] \d\d \w{3} \d{4} [\d:.]+ ([.*#-]) (.*)$")
# Of our own lines; what else they hold is shown beside the message.
SAID_ALREADY = {"event", "msg", "level", "logger", "timestamp", "ts", "request_id", "exception"}
MAX_SHOWN = 300


@dataclass
class Found:
    """Alike errors: how many, when, and what the last one said beside its message."""

    count: int = 0
    first: str = ""
    last: str = ""
    details: str = ""


@dataclass
class Search:
    """What has been read so far, by source and message."""

    lines: int = 0
    found: dict[tuple[str, str], Found] = field(default_factory=dict)

    def add(self, source: str, message: str, when: str = "", details: str = "") -> None:
        """Count an error in."""
        known = self.found.setdefault((source, message[:MAX_SHOWN]), Found())
        known.count += 1
        known.first = known.first or when
        known.last, known.details = when, details[:MAX_SHOWN]


def search(lines: Iterable[str]) -> Search:
    """Read all lines."""
    result = Search()
    for raw in lines:
        prefixed = PREFIX.match(raw.rstrip("\n"))
        source, line = prefixed.groups() if prefixed else ("", raw.rstrip("\n"))
        if line.strip():
            result.lines += 1
            for error in read_line(line):
                result.add(source, *error)
    return result


def read_line(line: str) -> Iterator[tuple[str, ...]]:
    """The error in a line, if it is one: message, time, details."""
    try:
        told = json.loads(line)
    except ValueError:
        told = None
    if isinstance(told, dict) and "level" in told:
        if str(told["level"]).lower() not in HARMLESS_LEVELS:
            when = str(told.get("timestamp", told.get("ts", "")))
            yield str(told.get("event", told.get("msg", ""))), when, describe(told)
    elif match := POSTGRESQL.match(line):
        if not HARMLESS_IN_POSTGRESQL.fullmatch(match[1]):
            yield f"{match[1]}: {match[2]}", line[:19]
    elif match := VALKEY.match(line):
        if match[1] == "#":
            yield (match[2],)
    else:
        yield (line,)


def describe(told: dict[str, Any]) -> str:
    """What a line says beside its message; of a traceback the last line."""
    words = [f"{name}={value}" for name, value in told.items() if name not in SAID_ALREADY]
    if trace := str(told.get("exception", "")).strip():
        words.append(trace.splitlines()[-1])
    return " ".join(words)


def main() -> int:
    """Read standard input and print what is wrong."""
    result = search(sys.stdin)
    for (source, message), found in result.found.items():
        when = found.first if found.first == found.last else f"{found.first} to {found.last}"
        parts = [f"{found.count}×", source, message, found.details, when and f"[{when}]"]
        sys.stdout.write(" ".join(part for part in parts if part) + "\n")
    if not result.lines:
        sys.stdout.write("nothing to read: are these the right containers, and the right time?\n")
        return 2
    if not result.found:
        sys.stdout.write(f"no error in {result.lines} lines\n")
    return int(bool(result.found))


if __name__ == "__main__":
    sys.exit(main())

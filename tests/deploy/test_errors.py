"""deploy/errors.py: no error is missed, and nothing harmless is shown."""

import subprocess
import sys

import pytest

from tests.services import ROOT

HARMLESS = [
    '{"event": "ledger sealed", "level": "info", "timestamp": "2026-01-01T10:00:00Z"}',
    '{"event": "said \\"level\\": \\"error\\"", "level": "warning"}',
    '{"level":"info","ts":1.5,"msg":"using config"}',
    "2026-01-01 10:00:00.123 UTC [27] LOG:  checkpoint complete",
    "12:M 01 Jan 2026 10:00:00.000 * Ready to accept connections",
    "",
]
ERRORS = {
    '{"event": "database busy", "level": "error", "reason": "LockNotAvailable"}': "database busy",
    '{"event": "uncaught", "level": "critical", "exception": "T\\n  f\\nKeyError: 1"}': "KeyError",
    '{"event": "info", "level": "error", "context": {"level": "info"}}': "info",
    '{"level":"error","ts":2.5,"msg":"dial tcp: refused"}': "dial tcp: refused",
    '{"event": "no level at all"}': "no level",
    "2026-01-01 10:00:00.123 UTC [27] FATAL:  the database system is starting up": "FATAL",
    "12:M 01 Jan 2026 10:00:00.000 # Out Of Memory": "Out Of Memory",
    "Killed": "Killed",
    "MemoryError": "MemoryError",
    '{"event": "cut off in the mid': "cut off",
}


def errors(lines: list[str]) -> tuple[int, str]:
    """The exit code, and what is printed."""
    command = [sys.executable, str(ROOT / "deploy" / "errors.py")]
    text = "\n".join(lines)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_harmless_lines_are_read_and_not_shown() -> None:
    assert errors(HARMLESS) == (0, "no error in 5 lines\n")
    assert errors([f"web-1  | {line}" for line in HARMLESS]) == (0, "no error in 5 lines\n")
    assert errors([""])[0] == 2


@pytest.mark.parametrize("line", ERRORS)
def test_every_kind_of_error_is_shown(line: str) -> None:
    code, shown = errors([*HARMLESS, f"boards-1  | {line}", f"boards-1  | {line}"])
    assert code == 1
    assert shown.startswith("2× boards-1 ")
    assert ERRORS[line] in shown
    assert shown.count("\n") == 1

"""Mail where nobody has said how to send it: on a terminal, and nowhere else."""

import io

import pytest
from django.core.mail import EmailMessage

from arena.mail import TerminalBackend

MESSAGE = EmailMessage("Your code", "ABC-DEF", to=["ada@mail.example"])


class Terminal(io.StringIO):
    """Somebody sits in front of it."""

    def isatty(self) -> bool:
        return True


def test_somebody_at_a_terminal_reads_the_message() -> None:
    screen = Terminal()
    assert TerminalBackend(stream=screen).send_messages([MESSAGE]) == 1
    assert "ABC-DEF" in screen.getvalue()
    assert "ada@mail.example" in screen.getvalue()


def test_a_log_learns_only_that_there_was_one(caplog: pytest.LogCaptureFixture) -> None:
    pipe = io.StringIO()
    assert TerminalBackend(stream=pipe).send_messages([MESSAGE]) == 0
    assert pipe.getvalue() == ""
    assert "mail not sent: set EMAIL_URL" in caplog.text
    assert "ABC-DEF" not in caplog.text
    assert "ada@" not in caplog.text

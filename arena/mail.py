"""Whether there is mail, and what a site without a mail server does instead."""

import sys
from collections.abc import Sequence

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.console import EmailBackend

log = structlog.get_logger(__name__)
TERMINAL_BACKEND = "arena.mail.TerminalBackend"


def sends_mail() -> bool:
    """Whether a mail server is configured."""
    return bool(settings.EMAIL_BACKEND != TERMINAL_BACKEND)


def offers_mail() -> bool:
    """Whether somebody who asks for a message will read it: sent, or printed in the terminal."""
    return sends_mail() or is_watched()


def is_watched() -> bool:
    """Whether standard output is a terminal, in which unsent mail is printed."""
    return sys.stdout.isatty()


class TerminalBackend(EmailBackend):
    """Prints messages to a terminal, and nowhere else.

    If standard output is a file or a pipe it is a log, and a message holds an address and often a
    code that signs in.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Print the messages, or log that there were some; returns how many were printed."""
        if self.stream.isatty():
            return super().send_messages(email_messages) or 0
        log.warning("mail not sent: set EMAIL_URL", messages=len(email_messages))
        return 0

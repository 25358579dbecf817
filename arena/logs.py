"""Filters that keep tokens and tracebacks of refused requests out of the logs."""

import logging
import re
from typing import Any

# Paths with secret tokens: to the first account, printed seats, invitations, confirmations,
# password resets. Django names the path of every refused request.
TOKEN_PATH = re.compile(r"/(first|seats|invitations|confirm-email|key)/[^/\s\"]+")


def hide_tokens(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor that hides the tokens in paths."""
    line["event"] = TOKEN_PATH.sub(r"/\1/…", str(line["event"]))
    return line


class RefusalFilter(logging.Filter):
    """Logs a refused request as one line without traceback: anybody can send garbage at any
    rate."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass every record; those of answers below 500, and of outages, which have a line of their
        own, become warnings without traceback."""
        status = getattr(record, "status_code", None)
        if status is not None and (status < 500 or status == 503):
            record.exc_info = record.exc_text = None
            record.levelno = min(record.levelno, logging.WARNING)
            record.levelname = logging.getLevelName(record.levelno)
        return True

"""What is kept out of the log lines."""

import logging
import re
from typing import Any

# Links that are as good as a key: to the first account, printed seats, invitations, confirmations,
# password resets. Django names the path of every refused request.
TOKEN_PATH = re.compile(r"/(first|seats|invitations|confirm-email|key)/[^/\s\"]+")


def hide_tokens(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor: paths without their tokens."""
    line["event"] = TOKEN_PATH.sub(r"/\1/…", str(line["event"]))
    return line


class RefusalFilter(logging.Filter):
    """A refused request is one line and no traceback: anybody can send garbage at any rate."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through, those of answers below 500 as warnings without their frames."""
        status = getattr(record, "status_code", None)
        if status is not None and status < 500:
            record.exc_info = record.exc_text = None
            record.levelno = min(record.levelno, logging.WARNING)
            record.levelname = logging.getLevelName(record.levelno)
        return True

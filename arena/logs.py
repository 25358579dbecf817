"""What is kept out of the log lines."""

import re
from typing import Any

# Links that are as good as a key: to the first account, printed seats, invitations, confirmations,
# password resets. Django names the path of every refused request.
KEYED_PATH = re.compile(r"/(first|seats|invitations|confirm-email|key)/[^/\s\"]+")


def hide_tokens(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor: paths without their tokens."""
    line["event"] = KEYED_PATH.sub(r"/\1/…", str(line["event"]))
    return line

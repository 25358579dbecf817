"""Whether this process can serve: found out once in five seconds, since anybody may ask."""

import threading
import time
from collections.abc import Callable

import structlog

from arena.monitoring.bounded import BoundedChecks

log = structlog.get_logger(__name__)
KEEP_SECONDS = 5.0
# With KEEP_SECONDS below ten: what happens is known by then.
LOOK_SECONDS = 4.0


class Readiness:
    """The last answer, and who looks for the next one."""

    def __init__(self, checks: BoundedChecks, clock: Callable[[], float] = time.monotonic) -> None:
        self.checks = checks
        self.clock = clock
        self.lock = threading.Lock()
        self.looked_at: float | None = None
        # What is wrong, by part; before the first look it is not known that anything is.
        self.reasons: dict[str, str] = {}

    def is_ready(self) -> bool:
        """The answer of the last five seconds, or a new one. One thread looks; meanwhile the others
        get the last answer, so that no crowd of questions holds every thread."""
        is_first = self.looked_at is None
        if self.lock.acquire(blocking=is_first):
            try:
                if self.looked_at is None or self.clock() - self.looked_at >= KEEP_SECONDS:
                    self.look()
            finally:
                self.lock.release()
        return not self.reasons

    def look(self) -> None:
        """Run the checks; a log line where what is wrong has changed."""
        said = self.checks.run(LOOK_SECONDS)
        reasons = {name: words for name, words in said.items() if words}
        if reasons.keys() - self.reasons.keys():
            log.error("not ready", **{f"{name}_problem": words for name, words in reasons.items()})
        elif self.reasons and not reasons:
            log.info("ready again")
        self.reasons = reasons
        self.looked_at = self.clock()

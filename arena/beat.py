"""Beat's scheduler, and the sign of life that it leaves.

Celery's own writes its schedule to disk now and then, which says nothing of whether it still
sends. This one notes in the site's cache, once a second at most, that it runs and that the broker
has taken what it sent last. A page on any machine can read that.
"""

import time
from typing import Any

from celery.beat import PersistentScheduler
from django.core.cache import cache

SIGN_KEY = "beat-sign"
KEEP_SECONDS = 7 * 24 * 3600


class SignalingScheduler(PersistentScheduler):  # type: ignore[misc]
    """Celery's scheduler that leaves a sign of life."""

    is_heard = True
    signed_at = 0.0

    def apply_async(self, *args: Any, **kwargs: Any) -> Any:
        """Send a task; notes whether the broker has taken it."""
        self.is_heard = False
        sent = super().apply_async(*args, **kwargs)
        self.is_heard = True
        return sent

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Look for what is due, and leave a sign."""
        delay = float(super().tick(*args, **kwargs))
        now = time.time()
        if self.is_heard and now - self.signed_at >= 1:
            # While the cache is away it goes into this process's own, where nobody finds it.
            cache.set(SIGN_KEY, now, KEEP_SECONDS)
            self.signed_at = now
        return delay


def get_sign_age(now: float) -> float | None:
    """Seconds since beat's last sign of life; None where there is none, or no cache."""
    sign: float | None = cache.get(SIGN_KEY)
    return None if sign is None else max(now - sign, 0.0)

"""How long an event rests after its numbers were computed: the dear comes less often."""

import math

from django.core.cache import cache

# A computation takes at most about a ninth of a processor, as long as the rest is not cut short.
REST_PER_SECOND = 8.0
# With beat's three seconds and the refresh itself, a snapshot stays within 15 s of the ledger.
MAX_REST_SECONDS = 8.0
BOARDS, RELIABILITY, CASES = "boards", "reliability", "cases"
# Reliabilities move at fixed places in the ledger; votes in between have the weight of the last.
MAX_REST = {BOARDS: MAX_REST_SECONDS, RELIABILITY: 60.0, CASES: 300.0}


def rest(kind: str, event_id: int, processor_seconds: float) -> None:
    """Leave the numbers of this kind and event alone for a while, after so much work."""
    seconds = min(MAX_REST[kind], REST_PER_SECOND * processor_seconds)
    cache.set(name_rest(kind, event_id), 1, math.ceil(seconds))


def is_resting(kind: str, event_id: int) -> bool:
    """Whether they are left alone at the moment."""
    return bool(cache.get(name_rest(kind, event_id)))


def name_rest(kind: str, event_id: int) -> str:
    """The key of a rest in the site's cache."""
    return f"{kind}-rest:{event_id}"

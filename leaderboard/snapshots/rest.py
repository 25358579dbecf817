"""How long an event's boards rest after a refresh: one that was expensive comes less often."""

import math

from django.core.cache import cache

# A refresh takes at most about a ninth of a processor, as long as the rest is not cut short.
REST_PER_SECOND = 8.0
# With beat's three seconds and the refresh itself, a snapshot stays within 15 s of the ledger.
MAX_REST_SECONDS = 8.0


def rest_boards(event_id: int, processor_seconds: float) -> None:
    """Leave the boards of this event alone for a while, after a refresh that took so long."""
    seconds = min(MAX_REST_SECONDS, REST_PER_SECOND * processor_seconds)
    cache.set(name_rest(event_id), 1, math.ceil(seconds))


def are_resting(event_id: int) -> bool:
    """Whether the boards of this event are left alone at the moment."""
    return bool(cache.get(name_rest(event_id)))


def name_rest(event_id: int) -> str:
    """The key of a rest in the site's cache."""
    return f"boards-rest:{event_id}"

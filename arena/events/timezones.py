"""The time zones that an event may have."""

from functools import cache
from zoneinfo import available_timezones


@cache
def timezone_names() -> frozenset[str]:
    """All IANA names. Finding them means walking through the system's files, so it is done once."""
    return frozenset(available_timezones())

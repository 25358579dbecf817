"""What an event locks: settings once it is over (closed or published), data once it is published.

Contributors relied on what was promised, and results depend on the rest. Forms ask here which of
their fields to lock; that a closed event takes no answers is the event's own (`takes_answer`).
"""

from collections.abc import Iterable

from arena.events.models import Event

# Whom a running event lets in, and the words around it: all else stays once the event is over.
FREE_WHEN_OVER = frozenset(
    {"title", "summary", "description", "is_private", "email_domains", "needs_approval"}
)
# The address is in links and on printed seats.
LOCKED_ONCE_CREATED = frozenset({"slug"})
LOCKED_BY_FIRST_JUDGMENT = frozenset({"scale", "both_bad"})
# The rules of the competition: whoever joins has read them.
LOCKED_BY_OPENING = frozenset({"daily_cap", "excludes_automatically"})


def locked_fields(event: Event, fields: Iterable[str]) -> set[str]:
    """Those of these settings that cannot be changed any more; none of an event not saved yet."""
    asked = set(fields)
    if event.pk is None:
        return set()
    if event.is_over():
        return asked - FREE_WHEN_OVER
    locked = asked & LOCKED_ONCE_CREATED
    if event.state != Event.State.DRAFT:
        locked |= asked & LOCKED_BY_OPENING
    if (decided := asked & LOCKED_BY_FIRST_JUDGMENT) and event.judgments.exists():
        locked |= decided
    return locked


def is_result_locked(event: Event) -> bool:
    """Whether answers and responses stay as they are, because the result is published."""
    return event.state == Event.State.PUBLISHED

"""The organizer's note to everybody who judges."""

from datetime import datetime

from django.db import transaction

from arena.events.models import Event, Note
from arena.people.models import User


def publish_note(event: Event, text: str, *, by: User | None, now: datetime) -> Note | None:
    """Replace the current note by this one; an empty text only ends the current one."""
    # Closes the race of two organizers: one note is current, the unique constraint says so.
    with transaction.atomic():
        Event.objects.select_for_update().get(pk=event.pk)
        event.notes.filter(ended_at=None).update(ended_at=now)
        if not text:
            return None
        return event.notes.create(text=text, created_at=now, created_by=by)


def current_note(event: Event) -> Note | None:
    """The note in force."""
    return event.notes.filter(ended_at=None).first()

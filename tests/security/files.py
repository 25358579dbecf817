"""Files that somebody has imported into an event of the world."""

from datetime import datetime

from arena.events.models import Event, ImportJob
from arena.people.models import User


def upload(
    event: Event, organizer: User, now: datetime, kind: str = ImportJob.Kind.RECORDS
) -> ImportJob:
    """A file that was imported."""
    return ImportJob.objects.create(
        event=event,
        kind=kind,
        state=ImportJob.State.DONE,
        created_by=organizer,
        created_at=now,
        ended_at=now,
        file_name="records.jsonl",
        format="jsonl",
    )

"""What the votes of one import may say."""

from datetime import datetime

from arena.judging.importing.imported import VoteWriter
from arena.judging.importing.votes import Terms


def terms_for(writer: VoteWriter, now: datetime) -> Terms:
    """The event's rules with what the organizer has said of the file."""
    event = writer.event
    return Terms(
        scale=event.scale,
        both_bad=event.both_bad,
        takes_comments=writer.comment is not None,
        zone=event.zone(),
        now=now,
        options=writer.options,
    )

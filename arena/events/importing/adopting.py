"""Imports whose worker was killed: found by their heartbeat, and started again or given up.

A broker gives a killed worker's task back late (Redis, after an hour) or never (the embedded one).
"""

from collections.abc import Iterator
from datetime import datetime

from arena.events.importing.jobs import fail_with_message
from arena.events.models import ImportJob

State = ImportJob.State
# A file that has cost so many processes their lives is not tried again by itself.
MAX_ATTEMPTS = 3
GIVEN_UP = (
    "The process that imported this file died, and not for the first time. It is not tried again "
    "by itself; import the file in parts."
)
DIED = "The process that imported this file died. Start the import again."


def find_lost_imports(now: datetime) -> Iterator[ImportJob]:
    """Imports that a worker has to be asked for again; those that must not are failed here.

    A queued one is asked for again as well, since nobody can tell a long queue from a lost message:
    the task does nothing where the job has begun meanwhile.
    """
    for job in ImportJob.objects.unclaimed().exclude(file=None).exclude(file="").order_by("pk"):
        yield job
    for job in ImportJob.objects.stale().order_by("pk"):
        if job.state == State.REMOVING:
            yield job
        elif not job.file and job.state != State.APPLYING:  # a command's, which nobody can repeat
            fail_with_message(job, DIED, now)
        elif (job.file and job.attempt < MAX_ATTEMPTS) or job.state == State.APPLYING:
            yield job
        else:
            fail_with_message(job, GIVEN_UP, now)

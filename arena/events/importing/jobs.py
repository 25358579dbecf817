"""Who is importing into an event: one process at a time, and what becomes of one that died.

A job under way has a heartbeat. Where it stops, the next import takes the job away from it: the
number of the attempt fences off a process that was only asleep, whose every batch names its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from time import monotonic, sleep

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.importing.report import ImportReport, LineError, ProgressCallback
from arena.events.models import Event, ImportJob

State = ImportJob.State
# Seconds between two notes of progress where no batch is written anyway.
HEARTBEAT_SECONDS = 1.0
# Seconds: about as long as SQLite's busy handler sleeps between two looks at the lock.
LOCK_GAP_SECONDS = 0.025


class ImportBusyError(ConflictError):
    """Another import into the same event is under way."""

    def __init__(self) -> None:
        super().__init__(_("Another import into this event is running."), "import_under_way")


class JobHold:
    """One process's exclusive right to work on a job, until another process takes the job away."""

    def __init__(self, job: ImportJob, progress: ProgressCallback | None = None) -> None:
        self.job = job
        self.progress = progress
        self.last_heartbeat = monotonic()

    def write_heartbeat(self, done: int, total: int | None) -> None:
        """Record that this process is alive and how far it is; first thing in every batch.

        Raises `ConflictError` where the job has been taken away. On PostgreSQL the row stays
        locked until the batch is committed, so that nobody takes it away in the middle.
        """
        self.update_job(done=done, total=total, heartbeat_at=Now())
        self.job.done = done
        self.last_heartbeat = monotonic()
        self.show_progress(done, total)

    def heartbeat(self, done: int, total: int | None) -> None:
        """Write the heartbeat at most once a second: for phases that write nothing else."""
        if monotonic() - self.last_heartbeat > HEARTBEAT_SECONDS:
            self.write_heartbeat(done, total)
        else:
            self.show_progress(done, total)

    def show_progress(self, done: int, total: int | None) -> None:
        """Show progress to whoever started the import here."""
        if self.progress:
            self.progress(self.job.state, done, total)

    def yield_lock(self) -> None:
        """Pause between two batches, so that other processes can write.

        Who waits for SQLite's lock looks for it now and then, and would not find it free if one
        batch followed the other at once. Other databases have no such lock.
        """
        if connection.vendor == "sqlite":
            sleep(LOCK_GAP_SECONDS)

    def enter_state(self, state: str, **fields: object) -> None:
        """Go on to the next state."""
        self.update_job(state=state, heartbeat_at=Now(), **fields)
        self.job.state = state

    def finish(self, state: str, report: ImportReport, now: datetime) -> None:
        """The job is over, with this report."""
        gone: dict[str, object] = {} if state == State.DONE else {"added": {}}
        self.enter_state(state, report=report.as_json(), ended_at=now, **gone)
        self.job.report = report.as_json()

    def update_job(self, **fields: object) -> None:
        """Write to the job's row. Raises `ConflictError` where another process has the job."""
        mine = ImportJob.objects.filter(
            pk=self.job.pk, attempt=self.job.attempt, state=self.job.state
        )
        if not mine.update(**fields):
            raise ConflictError(_("This import was taken over by another process."), "import_lost")

    def release(self, now: datetime) -> None:
        """Give the job up after an exception: it failed and nothing is visible, unless changes were
        being applied already; the next import continues with those."""
        mine = ImportJob.objects.filter(pk=self.job.pk, attempt=self.job.attempt)
        mine.filter(state=State.APPLYING).update(heartbeat_at=None)
        mine.filter(state__in=(State.CHECKING, State.WRITING)).update(
            state=State.FAILED, ended_at=now
        )


def fail_with_message(job: ImportJob, message: str, now: datetime) -> None:
    """Fail a dead job and say why on its page, unless somebody works on it after all."""
    report = ImportReport()
    report.refuse(LineError(1, "", message))
    same = ImportJob.objects.filter(pk=job.pk, attempt=job.attempt, state=job.state)
    same.update(state=State.FAILED, ended_at=now, report=report.as_json())


@contextmanager
def hold_job(job: ImportJob, now: datetime, progress: ProgressCallback | None) -> Iterator[JobHold]:
    """Work on a job; release it where an exception, Ctrl-C included, ends the work."""
    hold = JobHold(claim_job(job), progress)
    try:
        yield hold
    except BaseException:
        hold.release(now)
        raise


@contextmanager
def delete_on_conflict(job: ImportJob) -> Iterator[None]:
    """Delete a new job that another import keeps from beginning, and let the exception pass."""
    try:
        yield
    except ConflictError:
        ImportJob.objects.filter(pk=job.pk, state=State.QUEUED).delete()
        raise


def claim_job(job: ImportJob) -> ImportJob:
    """Begin a job, or begin it again. Raises `ImportBusyError`, and `ConflictError` where it is
    done or somebody else has just begun it."""
    waiting = ImportJob.objects.filter(pk=job.pk, attempt=job.attempt).exclude(
        state__in=(*ImportJob.UNDER_WAY, State.DONE)
    )
    try:
        # Closes the race of two imports: the unique constraint lets one of them begin.
        with transaction.atomic():
            begun = waiting.update(
                state=State.CHECKING,
                attempt=F("attempt") + 1,
                heartbeat_at=Now(),
                ended_at=None,
                report={},
                done=0,
                total=None,
            )
    except IntegrityError as error:
        raise ImportBusyError from error
    if not begun:
        raise ConflictError(_("This import has already been started."), "import_begun")
    job.refresh_from_db()
    return job


def fail_stale_jobs(event: Event, now: datetime) -> None:
    """Declare dead what has not been worked on, but for what only has to be gone on with."""
    stale = ImportJob.objects.stale().filter(event=event).exclude(state=State.APPLYING)
    stale.filter(state=State.REMOVING).update(state=State.REVERTED, ended_at=now)
    stale.update(state=State.FAILED, ended_at=now)


def adopt_stale_job(event: Event) -> JobHold | None:
    """Take over a dead job whose records are visible and whose changes are still going in."""
    job = ImportJob.objects.stale().filter(event=event, state=State.APPLYING).first()
    if job is None:
        return None
    # Closes the race of two adopters: the attempt's number lets one of them through.
    same = ImportJob.objects.stale().filter(pk=job.pk, attempt=job.attempt)
    if not same.update(attempt=F("attempt") + 1, heartbeat_at=Now()):
        return None
    job.refresh_from_db()
    return JobHold(job)

"""Uploaded files: kept until they are imported, run by a worker, deleted afterwards."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from arena.errors import ConflictError, LimitError
from arena.events.importing.jobs import ImportBusyError, fail_with_message
from arena.events.importing.preview import detect_format
from arena.events.importing.reading.own_exports import is_export_file
from arena.events.importing.running import run_job
from arena.events.models import Event, ImportJob
from arena.events.models.imports import UPLOAD_FOLDER
from arena.files.reading import local_path
from arena.people.models import User

State = ImportJob.State
# Bytes of a request; the middleware refuses what is longer before anything reads it.
# deploy/Caddyfile has the same number.
MAX_UPLOAD_BYTES = 10**9
# Queued or under way at once. Uploads that wait for their confirmation do not count.
MAX_IMPORTS_PER_ACCOUNT = 3
MAX_IMPORTS_PER_SITE = 50
# What nobody has confirmed or corrected by then is deleted.
KEEP_UPLOADS_FOR = timedelta(days=1)
# No request and no import lasts so long: what is older was left by a process that was killed.
KEEP_TEMPORARY_FOR = timedelta(hours=6)
TOOK_TOO_LONG = "The import took longer than 45 minutes and was stopped. Import the file in parts."
# Before confirmation, and again after a refusal or a crash.
STARTABLE = (State.UPLOADED, State.DOUBTFUL, State.REFUSED, State.FAILED)


def save_upload(
    event: Event,
    upload: "UploadedFile[Any]",
    user: User,
    now: datetime,
    kind: str = ImportJob.Kind.RECORDS,
) -> ImportJob:
    """Store an uploaded file as an import that waits for its mapping; an export of judgments is
    one of votes, wherever it was dropped."""
    upload.seek(0)
    name = str(upload.name or "")[:200]
    format = detect_format(upload.file, name)  # type: ignore[arg-type]
    upload.seek(0)
    if is_export_file(upload.file):  # type: ignore[arg-type]
        kind = ImportJob.Kind.JUDGMENTS
    upload.seek(0)
    return ImportJob.objects.create(
        event=event,
        kind=kind,
        state=State.UPLOADED,
        created_by=user,
        created_at=now,
        file=upload,
        file_name=name,
        format=format,
    )


@dataclass(frozen=True, slots=True)
class UploadChoices:
    """What the organizer has chosen for an upload."""

    mapping: Mapping[str, str]
    skips_errors: bool
    # Kinds of doubt that were confirmed.
    accepted: Sequence[str] = ()


def save_choices(job: ImportJob, choices: UploadChoices) -> None:
    """What the organizer has chosen so far, unless the import has begun meanwhile."""
    waiting = ImportJob.objects.filter(pk=job.pk, state__in=STARTABLE)
    waiting.update(
        mapping=dict(choices.mapping),
        skips_errors=choices.skips_errors,
        accepted=list(choices.accepted),
    )


def queue_upload(job: ImportJob, choices: UploadChoices) -> None:
    """The organizer has confirmed: the import waits for a worker.

    Raises `ConflictError` where it is under way or done, and `LimitError` where too many others
    are queued or under way.
    """
    waiting = ImportJob.objects.filter(pk=job.pk, state__in=STARTABLE).exclude(file=None)
    # Closes the race of one account's imports: the lock on its row lets one count at a time.
    with transaction.atomic():
        owner = User.objects.filter(pk__in=[job.created_by_id or 0])
        list(owner.select_for_update().values_list("pk"))
        check_import_limits(job)
        queued = waiting.exclude(file="").update(
            state=State.QUEUED,
            heartbeat_at=Now(),
            mapping=dict(choices.mapping),
            skips_errors=choices.skips_errors,
            accepted=list(choices.accepted),
        )
    if not queued:
        raise ConflictError(_("This import has already been started."), "import_begun")


def check_import_limits(job: ImportJob) -> None:
    """Raises `LimitError` where the account or the site has too many imports going on."""
    running = ImportJob.objects.filter(state__in=(State.QUEUED, *ImportJob.UNDER_WAY))
    message = ""
    if running.filter(created_by=job.created_by_id).count() >= MAX_IMPORTS_PER_ACCOUNT:
        message = _("Several of your imports are waiting or running. Start this one after them.")
    elif running.count() >= MAX_IMPORTS_PER_SITE:
        message = _("Many imports are waiting on this site. Start this one in a few minutes.")
    if message:
        raise LimitError(message, "too_many_imports", retry_after=60)


def restart_wait(job: ImportJob) -> None:
    """Restart the clock of a queued import that was sent to the workers once more."""
    ImportJob.objects.filter(pk=job.pk, state=State.QUEUED).update(heartbeat_at=Now())


def discard_upload(job: ImportJob) -> None:
    """Delete a file that will not be imported; of an import that never began nothing is kept."""
    delete_file(job)
    ImportJob.objects.filter(pk=job.pk, state=State.UPLOADED).delete()


def sweep_uploads(now: datetime) -> int:
    """Delete the uploads that nobody has confirmed in time, and the files that belong to no import
    and to no process any more; returns how many files."""
    abandoned = ImportJob.objects.filter(state__in=STARTABLE, created_at__lt=now - KEEP_UPLOADS_FOR)
    swept = 0
    for job in abandoned.exclude(file=None).exclude(file=""):
        discard_upload(job)
        swept += 1
    return swept + delete_orphans(now) + delete_temporary_files(now)


def delete_orphans(now: datetime) -> int:
    """Delete stored files whose import was never written down; returns how many."""
    storage = ImportJob._meta.get_field("file").storage
    try:
        names = [f"{UPLOAD_FOLDER}/{file}" for file in storage.listdir(UPLOAD_FOLDER)[1]]
    except FileNotFoundError:  # nobody has ever uploaded anything
        return 0
    deleted = 0
    known = set(ImportJob.objects.exclude(file=None).values_list("file", flat=True))
    for name in names:
        # One that is being stored has no row yet.
        if name not in known and storage.get_modified_time(name) < now - KEEP_TEMPORARY_FOR:
            storage.delete(name)
            deleted += 1
    return deleted


def delete_temporary_files(now: datetime) -> int:
    """Delete what processes that were killed have left in the volume; returns how many files."""
    until = (now - KEEP_TEMPORARY_FOR).timestamp()
    deleted = 0
    for file in Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir():
        # It may be gone meanwhile: its own process has deleted it.
        with suppress(FileNotFoundError):
            if file.is_file() and file.stat().st_mtime < until:
                file.unlink()
                deleted += 1
    return deleted


def run_upload(
    job_id: int, now: datetime, rng: Random, run: Callable[..., object] = run_job
) -> ImportJob | None:
    """Run an uploaded import that is queued, or was left by a worker that died; `run` imports what
    is of its kind.

    Safe to call twice or late: None where there is nothing left to do. Raises `ImportBusyError`
    while another import into the event is under way.
    """
    left = ImportJob.objects.filter(pk=job_id).exclude(file=None).exclude(file="")
    job = left.select_related("event").first()
    is_dead = job is not None and ImportJob.objects.stale().filter(pk=job.pk).exists()
    if job is None or (job.state != State.QUEUED and not is_dead):
        return None
    try:
        with local_path(job.file) as path:
            run(job, path, now=now, rng=rng)
    except ImportBusyError:
        raise
    except SoftTimeLimitExceeded:  # the job is released; what it was applying is gone on with
        job.refresh_from_db()
        if job.state == State.FAILED:
            fail_with_message(job, TOOK_TOO_LONG, now)
    except ConflictError:  # another worker was faster, or it only had to be gone on with
        pass
    job.refresh_from_db()
    if job.state == State.DONE:
        delete_file(job)
    return job


def delete_file(job: ImportJob) -> None:
    """Delete the file, and forget where it was."""
    if job.file:
        job.file.delete(save=False)
    ImportJob.objects.filter(pk=job.pk).update(file=None)

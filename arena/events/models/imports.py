"""Imports of records and judgments, from the upload to the last row."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arena.events.models.event import Event
from arena.events.models.records import Record
from arena.people.models import User

# In the storage of files.
UPLOAD_FOLDER = "imports"


def import_path(job: "ImportJob", name: str) -> str:
    """Where an upload is kept: nothing of the name that the person gave it is in the path."""
    return f"{UPLOAD_FOLDER}/{job.uuid}"


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    """Chainable questions about imports."""

    def under_way(self) -> "ImportJobQuerySet":
        """Imports that a process is working on, or was when it died."""
        return self.filter(state__in=ImportJob.UNDER_WAY)

    def stale(self) -> "ImportJobQuerySet":
        """Imports under way that nobody has worked on for a while, by the database's clock."""
        return self.under_way().filter(
            Q(heartbeat_at=None) | Q(heartbeat_at__lt=Now() - ImportJob.STALE_AFTER)
        )

    def unclaimed(self) -> "ImportJobQuerySet":
        """Imports that have waited for a worker for a while, by the database's clock."""
        return self.filter(state=ImportJob.State.QUEUED).filter(
            Q(heartbeat_at=None) | Q(heartbeat_at__lt=Now() - ImportJob.STALE_AFTER)
        )

    def unfinished(self) -> "ImportJobQuerySet":
        """Imports that have not come to their end: what they have written so far is invisible."""
        return self.exclude(state=ImportJob.State.DONE)


class ImportJob(models.Model):
    """One import into an event, by upload or command: its file, its progress, its report.

    At most one is under way in an event. Nothing it writes is visible before it has written
    everything; a later one takes away what a process that died has left behind.
    """

    class Kind(models.TextChoices):
        RECORDS = "records", _("Records")
        JUDGMENTS = "judgments", _("Judgments")

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Waiting for your confirmation")
        QUEUED = "queued", _("Waiting for a worker")
        CHECKING = "checking", _("Checking every line")
        WRITING = "writing", _("Writing")
        # Everything new is visible; changes of what was there before are going in.
        APPLYING = "applying", _("Applying changes")
        DONE = "done", _("Done")
        # The file can be imported, and somebody has to confirm what is doubtful about it.
        DOUBTFUL = "doubtful", _("Not imported yet: please look at what is doubtful")
        # Lines are wrong; nothing was written.
        REFUSED = "refused", _("Not imported: some lines are wrong")
        FAILED = "failed", _("Stopped half-way: nothing was imported")
        # Nothing of it is visible any more; its records are being deleted.
        REMOVING = "removing", _("Taking back")
        REVERTED = "reverted", _("Taken back")

    UNDER_WAY = (State.CHECKING, State.WRITING, State.APPLYING, State.REMOVING)
    STALE_AFTER = timedelta(seconds=60)

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="import_jobs")
    kind = models.CharField(max_length=9, choices=Kind.choices, default=Kind.RECORDS)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    # Null: a command.
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    # Null: read elsewhere by a command, or deleted after the import.
    file = models.FileField(upload_to=import_path, null=True)
    # What the person called it; shown, never opened.
    file_name = models.CharField(max_length=200, blank=True)
    format = models.CharField(max_length=5)
    # The file's columns or keys to ours; to "": left out.
    mapping = models.JSONField(default=dict)
    # What a file of votes does not say by itself: `VoteOptions.as_json()`.
    vote_options = models.JSONField(default=dict)
    skips_errors = models.BooleanField(default=False)
    # Kinds of doubt that somebody has confirmed (importing/doubts.py).
    accepted = models.JSONField(default=list)
    # Counts the processes that took it on: one that was taken for dead finds another number.
    attempt = models.PositiveSmallIntegerField(default=0)
    # When somebody last worked on it, or it began to wait for a worker, by the database's clock.
    heartbeat_at = models.DateTimeField(null=True)
    # Bytes while checking, rows while writing; total is null where it is not known.
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True)
    # `ImportReport.as_json()`.
    report = models.JSONField(default=dict)
    # Primary keys of the competitors and categories it has created: who cleans up takes them away.
    added = models.JSONField(default=dict)
    # Null until it is done, refused, failed or taken back.
    ended_at = models.DateTimeField(null=True)

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["event"],
                condition=Q(state__in=("checking", "writing", "applying", "removing")),
                name="import_job_one_under_way",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.event}: {self.state}"

    def has_brought_records(self) -> bool:
        """Whether it is an import of votes whose records are here: an export's come first."""
        is_of_votes = self.kind == ImportJob.Kind.JUDGMENTS
        return is_of_votes and self.records.filter(imported_at__isnull=False).exists()

    def state_words(self) -> str:
        """What has become of it so far, for whoever started it."""
        if self.state == ImportJob.State.FAILED and self.has_brought_records():
            return gettext("Stopped half-way: the file’s records are here, its votes are not")
        return self.get_state_display()


class StagedRecord(models.Model):
    """A change of a record that is there already, waiting for the rest of its import."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="staged")
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="+")
    line = models.PositiveIntegerField()
    # `RecordRow.as_json()`.
    content = models.JSONField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"line {self.line} of {self.job}"

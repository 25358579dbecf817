"""Taking back an import of records that nobody has seen anything of, as a whole.

One short transaction makes all of it invisible, or refuses; deleting it takes its time afterwards.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.errors import ConflictError
from arena.events.decision_record import Ruling
from arena.events.importing.jobs import ImportBusyError, JobHold
from arena.events.importing.writing.keys import record_keys
from arena.events.importing.writing.updating import delete_leftovers
from arena.events.models import Act, Competitor, Control, ImportJob, Matchup, Record, Response
from arena.people.models import User

State = ImportJob.State


@dataclass(frozen=True, slots=True)
class Reversal:
    """What taking an import back would remove, or why it cannot be."""

    records: int
    competitors: int
    refusal: str


def reversal_of(job: ImportJob) -> Reversal | None:
    """What taking this import back would mean; None where it has brought nothing in."""
    if job.kind != ImportJob.Kind.RECORDS or job.state != State.DONE:
        return None
    records = job.records.count()
    updated = job.report.get("updated", 0)
    if not records and not updated:
        return None
    only_here = Competitor.objects.filter(pk__in=job.added.get("competitors", ()))
    only_here = only_here.exclude(responses__in=responses_elsewhere(job))
    return Reversal(records, only_here.distinct().count(), explain_refusal(job))


def explain_refusal(job: ImportJob) -> str:
    """Why an import cannot be taken back; empty where it can."""
    if updated := job.report.get("updated", 0):
        return ngettext(
            "This import cannot be taken back: it also changed %(count)d record that was there "
            "before, and its earlier content is gone.",
            "This import cannot be taken back: it also changed %(count)d records that were "
            "there before, and their earlier content is gone.",
            updated,
        ) % {"count": updated}
    if seen := Matchup.objects.seen().filter(record__import_job=job).count():
        return ngettext(
            "This import cannot be taken back: %(count)d of its matchups has been shown to "
            "somebody or judged. Retire single records instead.",
            "This import cannot be taken back: %(count)d of its matchups have been shown to "
            "somebody or judged. Retire single records instead.",
            seen,
        ) % {"count": seen}
    return ""


def responses_elsewhere(job: ImportJob) -> QuerySet[Response]:
    """Responses of the event to records that did not come with this import."""
    return Response.objects.filter(record__event=job.event).exclude(record__import_job=job)


def revert_import(job: ImportJob, now: datetime, *, by: User | None) -> None:
    """Make everything that an import brought invisible, to be deleted by `delete_reverted`.

    Raises `ConflictError` where anything of it was seen or cannot be undone, and `ImportBusyError`
    while another import into the event is under way.
    """
    try:
        # Closes the race with whoever is being served: taking a matchup updates its row, so that
        # it is either taken before we look, or found retired. And that with another import, which
        # would make invisible records visible: one at a time, the unique constraint says so.
        with transaction.atomic():
            claimed = ImportJob.objects.filter(pk=job.pk, state=State.DONE).update(
                state=State.REMOVING, attempt=F("attempt") + 1, heartbeat_at=Now(), done=0
            )
            if not claimed:
                raise ConflictError(_("This import has nothing to take back."), "nothing_there")
            matchups = Matchup.objects.filter(record__import_job=job)
            list(matchups.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
            if refusal := explain_refusal(job):
                raise ConflictError(refusal, "import_in_use")
            keys = Control.objects.filter(matchup__in=matchups, retired_at=None).order_by("pk")
            record_keys(
                job.event, Act.KEY_WITHDRAWN, keys, Ruling(by, now, _("Import taken back."))
            )
            matchups.update(retired_at=now, open_slots=0)
            Record.objects.filter(import_job=job).update(imported_at=None)
    except IntegrityError as error:
        raise ImportBusyError from error
    job.refresh_from_db()


def delete_reverted(job_id: int, now: datetime) -> ImportJob | None:
    """Delete what was taken back. Safe to call twice or late: None where nothing is left to do."""
    job = ImportJob.objects.filter(pk=job_id, state=State.REMOVING).select_related("event").first()
    if job is None:
        return None
    hold = JobHold(job)
    delete_leftovers(job.event, hold)
    hold.enter_state(State.REVERTED, ended_at=now)
    return job

"""Importing by upload: drop a file, confirm what its columns mean, watch, read errors by line."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from arena.celery import send_soon
from arena.confirming import Confirmation, ask_first
from arena.errors import ArenaError, NotFoundError
from arena.events.access import Role, event_for
from arena.events.importing.checking.doubts import DOUBT_KINDS
from arena.events.importing.preview import Preview, build_preview, list_own_targets, list_targets
from arena.events.importing.report import ImportReport, strip_options
from arena.events.importing.reverting import Reversal, reversal_of, revert_import
from arena.events.importing.uploads import (
    STARTABLE,
    UploadChoices,
    discard_upload,
    queue_upload,
    restart_wait,
    save_choices,
    save_upload,
)
from arena.events.lifecycle.transitions import check_readiness
from arena.events.models import Event, ImportJob
from arena.events.tasks import remove_import, run_import
from arena.files.reading import open_stream
from arena.people.limits import Rate, count_use
from arena.people.models import User

State = ImportJob.State
MAX_RECENT_JOBS = 10
# A preview reads megabytes and checks them; nobody chooses columns faster.
PREVIEW_RATE = Rate(30, 60)
# The pages of each kind of import, by the names of their URLs.
PAGES_BY_KIND: dict[str, dict[str, str]] = {
    ImportJob.Kind.RECORDS: {
        "new_page": "imports:new",
        "job_page": "imports:job",
        "discard_page": "imports:discard",
    },
    ImportJob.Kind.JUDGMENTS: {
        "new_page": "votes:new",
        "job_page": "votes:job",
        "discard_page": "imports:discard",
    },
}


class UploadForm(forms.Form):
    """A file of records."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("JSONL, JSON or CSV in UTF-8, gzipped or not; up to 1 GB."),
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Drop a file, and see what was imported before."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    posted = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if posted else UploadForm()
    if posted and form.is_valid():
        assert isinstance(request.user, User)
        upload = save_upload(event, form.cleaned_data["file"], request.user, timezone.now())
        return redirect(PAGES_BY_KIND[upload.kind]["job_page"], slug, upload.uuid)
    context = {"form": form, "recent": event.import_jobs.all()[:MAX_RECENT_JOBS]}
    return setup_page(request, "events/import.html", event, context, 400 if posted else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def job(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """One import in whatever state it is; the partial of it where the page asks for that."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    this = get_job(event, uuid)
    if this.kind != ImportJob.Kind.RECORDS:
        return redirect(PAGES_BY_KIND[this.kind]["job_page"], slug, uuid)
    if request.method == "POST":
        return start_import(request, this)
    if can_edit(this) and (this.state == State.UPLOADED or "edit" in request.GET):
        count_preview(request)
        context = {"job": this, **preview_context(this)}
        template = "events/_import_preview.html"
    else:
        report = load_report(this)
        context = {
            "job": this,
            "report": report,
            "doubts": describe_doubts(report),
            **describe_progress(this),
        }
        template = "events/_import_state.html"
    if request.htmx:  # type: ignore[attr-defined]
        if not context.get("is_running", True):
            # What is missing before opening stands beside it, and has just changed.
            return HttpResponseClientRefresh()
        return render(request, template, context | {"event": event})
    return setup_page(request, "events/import_job.html", event, context | {"part": template})


@require_POST
def discard(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """Delete an upload that is not to be imported."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    this = get_job(event, uuid)
    if this.state not in STARTABLE:
        raise ArenaError(_("This import has already been started."), "import_begun")
    pages = PAGES_BY_KIND[this.kind]
    back = reverse(pages["job_page"], args=[slug, uuid])
    if question := ask_first(request, describe_discard(this), back):
        return question
    said = _("The file was deleted; nothing was imported.")
    if this.has_brought_records():
        said = _("The file was deleted; the records it had brought are kept.")
    discard_upload(this)
    messages.success(request, said)
    return redirect(pages["new_page"], slug)


def describe_discard(this: ImportJob) -> Confirmation:
    """The question before an upload is deleted."""
    return Confirmation(
        _("Delete the file?"),
        _("%(name)s and your choice of columns are deleted. Nothing is imported.")
        % {"name": this.file_name},
        _("Delete the file"),
    )


@require_POST
def take_back_import(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """Take back an import that nobody has seen anything of."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    this = get_job(event, uuid)
    what = reversal_of(this)
    back = reverse("imports:job", args=[slug, uuid])
    if (
        what
        and not what.refusal
        and (question := ask_first(request, describe_reversal(what), back))
    ):
        return question
    if this.state != State.REMOVING:  # else the worker was lost: it is asked again
        assert isinstance(request.user, User)
        revert_import(this, timezone.now(), by=request.user)
    transaction.on_commit(partial(send_soon, remove_import.delay, this.pk))
    return redirect(back)


def describe_reversal(what: Reversal) -> Confirmation:
    """The question before an import is taken back."""
    consequence = ngettext(
        "%(count)d record is deleted, with its responses, matchups and controls.",
        "%(count)d records are deleted, with their responses, matchups and controls.",
        what.records,
    ) % {"count": what.records}
    if what.competitors:
        models = ngettext(
            "So is %(count)d model that came with them and has no other responses.",
            "So are %(count)d models that came with them and have no other responses.",
            what.competitors,
        ) % {"count": what.competitors}
        consequence = f"{consequence} {models}"
    last = _("This cannot be undone. Nobody has seen any of it yet.")
    return Confirmation(_("Take this import back?"), f"{consequence} {last}", _("Take it back"))


def start_import(request: HttpRequest, this: ImportJob) -> HttpResponse:
    """Hand the import to a worker, with the mapping that was confirmed; or keep the mapping and
    look at the first rows again."""
    if this.state in STARTABLE:
        if not can_edit(this):
            raise ArenaError(_("The file is no longer here; upload it again."), "file_gone")
        choices = parse_choices(this, request.POST)
        if "look" in request.POST:
            save_choices(this, choices)
            return redirect(f"{reverse('imports:job', args=(this.event.slug, this.uuid))}?edit=1")
        queue_upload(this, choices)
    restart_wait(this)
    # Again where a worker has died or a message was lost: the task finds out what is left to do.
    transaction.on_commit(partial(send_soon, run_import.delay, this.pk))
    return redirect("imports:job", this.event.slug, this.uuid)


def get_job(event: Event, uuid: UUID) -> ImportJob:
    """The event's import with this identifier."""
    found = event.import_jobs.filter(uuid=uuid).select_related("event").first()
    if found is None:
        raise NotFoundError
    return found


def can_edit(this: ImportJob) -> bool:
    """Whether the file is there and its mapping can still be changed."""
    return this.state in STARTABLE and bool(this.file)


def count_preview(request: HttpRequest) -> None:
    """Raises `LimitError` where somebody looks at previews faster than people do."""
    message = _("You have looked at many previews. Wait a moment and look again.")
    count_use("preview", f"user-{request.user.pk}", PREVIEW_RATE, timezone.now(), message)


def preview_context(this: ImportJob) -> dict[str, Any]:
    """The first rows with a box per column, under the mapping kept so far or a guessed one."""
    with open_stream(this.file) as stream:
        preview = build_preview(
            stream, this.format, this.mapping or None, this.file_name, this.event
        )
    choices = list_targets(preview.columns, is_csv=preview.is_csv)
    boxes = [
        {
            "name": f"map-{index}",
            "column": column,
            "chosen": preview.mapping[column],
            "choices": [
                (name, name) for name in dict.fromkeys([*choices, *list_own_targets(column)])
            ],
        }
        for index, column in enumerate(preview.columns)
    ]
    doubts = describe_doubts(preview.report)
    for doubt in doubts:
        doubt["is_accepted"] = doubt["kind"] in this.accepted
    return {"preview": preview, "boxes": boxes, "doubts": doubts}


def describe_doubts(report: ImportReport | None) -> list[dict[str, Any]]:
    """What has to be confirmed, in words, with how often it is there and one example."""
    return [
        {
            "kind": doubt.kind,
            "title": DOUBT_KINDS[doubt.kind],
            "count": doubt.count,
            "line": doubt.line,
            "field": doubt.field,
            "message": doubt.message,
        }
        for doubt in (report.doubts if report else ())
    ]


def parse_choices(this: ImportJob, posted: QueryDict) -> UploadChoices:
    """What a form says; what it has no boxes for stays as it was."""
    mapping = this.mapping
    if "mapped" in posted:
        with open_stream(this.file) as stream:
            preview = build_preview(stream, this.format, None, this.file_name)
        mapping = parse_mapping(preview, posted)
    accepted = [kind for kind in posted.getlist("accept") if kind in DOUBT_KINDS]
    if "mapped" not in posted:
        accepted = list({*this.accepted, *accepted})
    return UploadChoices(mapping, skips_errors="skip" in posted, accepted=accepted)


def parse_mapping(preview: Preview, posted: Mapping[str, str]) -> dict[str, str]:
    """The mapping that the boxes say; an unknown word leaves the column out."""
    choices = list_targets(preview.columns, is_csv=preview.is_csv)
    mapping = {}
    for index, column in enumerate(preview.columns):
        chosen = posted.get(f"map-{index}", "")
        is_offered = chosen in choices or chosen in list_own_targets(column)
        mapping[column] = chosen if is_offered or chosen == column else ""
    return mapping


def describe_progress(this: ImportJob) -> dict[str, Any]:
    """How far the import is, and whether anybody is still working on it."""
    is_running = this.state in (State.QUEUED, *ImportJob.UNDER_WAY)
    return PAGES_BY_KIND[this.kind] | {
        "is_running": is_running,
        "is_stale": is_running and ImportJob.objects.stale().filter(pk=this.pk).exists(),
        "is_unclaimed": ImportJob.objects.unclaimed().filter(pk=this.pk).exists(),
        "waits_for": this.event.import_jobs.under_way().exclude(pk=this.pk).first(),
        "percent": min(100, 100 * this.done // this.total) if this.total else None,
        "can_edit": can_edit(this),
        "taking_back": reversal_of(this),
    }


def load_report(this: ImportJob) -> ImportReport | None:
    """The report, once there is one."""
    if not this.report:
        return None
    report = ImportReport.from_json(this.report)
    report.errors = [strip_options(error) for error in report.errors]
    report.warnings = [strip_options(warning) for warning in report.warnings]
    return report


def setup_page(
    request: HttpRequest, template: str, event: Event, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page in the frame of the set-up."""
    frame = {
        "event": event,
        "step": "import",
        "is_organizer": True,
        "is_staff_member": True,
        "checks": check_readiness(event, timezone.now())
        if event.state == Event.State.DRAFT
        else [],
    }
    return render(request, template, frame | context, status=status)
